/** Covers the live view, as text for a terminal. */
import {expect} from 'chai';
import type {StatusResponse} from '../../../../src/buildkit/control.ts';
import {LiveProgress} from '../../../../src/buildkit/progress/live.ts';
import {Steps} from '../../../../src/buildkit/progress/steps.ts';
import {log, step, task, warning} from './statuses.ts';

describe('the live view', () => {
  let size = {columns: 40, rows: 24};
  let now = 0;
  beforeEach(() => {
    size = {columns: 40, rows: 24};
    now = 0;
  });

  /** Draws after each status. */
  function draw(statuses: readonly StatusResponse[], colour = false) {
    const steps = new Steps();
    const live = new LiveProgress({doing: 'Building', colour, size: () => size, now: () => now});
    const drawn = statuses.map((status) => {
      const changes = steps.apply(status);
      return shown(live.draw(steps.all, changes));
    });
    const redraw = () => shown(live.draw(steps.all));
    return {drawn, redraw, lines: () => visible(redraw()).split('\n').slice(0, -1)};
  }

  const running = step('a', {started: 0});

  it('has a line for each step that is not waiting, with its time at the right', () => {
    const {lines} = draw([
      step('w'),
      step('c', {started: 0, completed: 0, cached: true}),
      step('d', {started: 0, completed: 1.25}),
      step('f', {started: 0, completed: 12, error: 'exit code: 1'}),
      running,
    ]);
    now = 3_000;
    expect(lines()).to.deep.equal([
      '[+] Building 3.0s (3/5)',
      ' => CACHED RUN c                    0.0s',
      ' => RUN d                           1.3s',
      ' => ERROR RUN f                    12.0s',
      ' => RUN a                           3.0s',
    ]);
    now = 4_500;
    expect(lines().at(-1)).to.equal(' => RUN a                           4.5s');
  });

  it('shows the tasks and the last six lines of a running step, and none of one that has ended', () => {
    const output = log('a', [1, 2, 3, 4, 5, 6, 7].map((line) => `line ${line}\n`).join(''));
    const statuses = [running, task('a', 'transferring', {at: 1, current: 5, total: 9}), output];
    expect(draw(statuses).lines().slice(2)).to.deep.equal([
      ' => => transferring 5B / 9B 1.0s',
      ...[2, 3, 4, 5, 6, 7].map((line) => ` => => # line ${line}`),
    ]);
    expect(draw([...statuses, step('a', {started: 0, completed: 1})]).lines()).to.have.length(2);
  });

  it('draws over what it drew before, and as much as a narrower terminal made of that', () => {
    const {drawn, redraw} = draw([running, log('a', `${'x'.repeat(60)}\n`)]);
    expect(drawn.map((text) => /^\r(?:\^\[(\d+)A)?\^\[J/.exec(text)?.[1])).to.deep.equal([undefined, '2']);
    expect(redraw().startsWith('\r^[3A^[J')).to.be.true;
    size = {columns: 20, rows: 24};
    // The head takes 2, the step 2, and its output 2.
    expect(redraw().startsWith('\r^[6A^[J')).to.be.true;
    expect(redraw().startsWith('\r^[3A^[J')).to.be.true;
  });

  it('never has a line that is wider than the terminal, whatever characters it has', () => {
    size = {columns: 24, rows: 24};
    const {lines} = draw([
      step('a', {started: 0, name: `RUN ${'名前'.repeat(20)}`}),
      log('a', `${'e\u0301'.repeat(13)}\n${'👍'.repeat(20)}\n`),
    ]);
    expect(lines().slice(1)).to.deep.equal([
      ` => RUN ${'名前'.repeat(2)}名… 0.0s`,
      ` => => # ${'e\u0301'.repeat(13)}`,
      ` => => # ${'👍'.repeat(7)}…`,
    ]);
  });

  it('has no more lines than the terminal, and shows the last steps then', () => {
    size = {columns: 40, rows: 6};
    const {lines} = draw(['a', 'b', 'c', 'd', 'e'].map((name) => step(name, {started: 0, completed: 1})));
    expect(lines().map((line) => line.trim().split(/ {2,}/)[0])).to.deep.equal([
      '[+] Building 0.0s (5/5)',
      '=> RUN c',
      '=> RUN d',
      '=> RUN e',
    ]);
  });

  it('makes harmless what would move the cursor', () => {
    const evil = '\u001b[2J\u001b]0;title\u0007a\tb\u009b1A\u001b[31mred\u001b[0m';
    const {drawn} = draw([
      step('a', {started: 0, name: `RUN ${evil}`}),
      log('a', `${evil}\n`),
      task('a', evil, {at: 0}),
    ]);
    size = {columns: 200, rows: 24};
    const text = visible(drawn.at(-1) as string);
    expect(text).to.include('=> # a bred');
    expect(text.replaceAll('\n', '')).to.not.match(/\p{Cc}|\^/u);
    expect(text).to.include('RUN \\x1b[2J\\x1b]0;title');
  });

  it('keeps warnings above the view', () => {
    const {drawn} = draw([running, warning('a', 'old \u001b[1Asyntax')]);
    expect(drawn[1]).to.match(/^\r\^\[2A\^\[JWARN: old \\x1b\[1Asyntax\n\[\+\] Building/);
  });

  it('has colours only where they are wanted', () => {
    const statuses = [
      step('f', {started: 0, completed: 1, error: 'no'}),
      step('d', {started: 0, completed: 1}),
    ];
    const colours = (text: string) => [...text.matchAll(/\^\[(\d+)m/g)].map(([, code]) => code);
    expect(colours(draw(statuses, true).redraw())).to.deep.equal(['31', '0', '34', '0']);
    expect(colours(draw([running, log('a', 'x\n')], true).redraw())).to.deep.equal(['2', '0']);
    expect(colours(draw(statuses).redraw())).to.deep.equal([]);
  });
});

/** With the escape character as a ^, which nothing else here has. */
function shown(text: string): string {
  return text.replaceAll('\u001b', '^');
}

/** What stands on the terminal: all behind what erases. */
function visible(drawn: string): string {
  return drawn.replace(/^\r(?:\^\[\d+A)?\^\[J/, '');
}
