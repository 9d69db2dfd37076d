/** Covers whose turn it is in plain progress, from the statuses that BuildKit sends. */
import {expect} from 'chai';
import type {StatusResponse} from '../../../../src/buildkit/control.ts';
import {PlainProgress} from '../../../../src/buildkit/progress/plain.ts';
import {Steps} from '../../../../src/buildkit/progress/steps.ts';
import {Turns} from '../../../../src/buildkit/progress/turns.ts';
import {log, step, task, warning} from './statuses.ts';

/** Each status comes at its time, in milliseconds, and what is due then is shown; the rest at the end. */
function show(...timeline: readonly (readonly [number, ...StatusResponse[]])[]): readonly string[] {
  const steps = new Steps();
  const plain = new PlainProgress();
  const turns = new Turns();
  let text = '';
  for (const [now, ...statuses] of timeline) {
    for (const status of statuses) turns.add(steps.apply(status), now);
    text += plain.format(turns.take(now));
  }
  text += plain.format(turns.takeAll());
  return text.split('\n').filter((line) => line !== '');
}

const [a, b] = [step('a', {started: 0}), step('b', {started: 0})];
const aDone = step('a', {started: 0, completed: 1});

describe('turns of plain progress', () => {
  it('shows an upload that BuildKit reports as done before it starts as one step, with its last state', () => {
    const early = step('a', {started: 0, completed: 0});
    const lines = show(
      [0, early, task('a', 'transferring', {at: 0})],
      [90, task('a', 'transferring', {at: 1, current: 20})],
      [99, task('a', 'transferring', {at: 1, current: 30, isDone: true})],
      [198, aDone],
      [298],
    );
    expect(lines).to.deep.equal(['#1 RUN a', '#1 transferring 30B 1.0s done', '#1 DONE 1.0s']);
    const quick = show(
      [0, early],
      [50, task('a', 'transferring', {at: 1, current: 30, isDone: true}), aDone],
      [150],
    );
    expect(quick).to.deep.equal(['#1 RUN a', '#1 transferring 30B 1.0s done', '#1 DONE 1.0s']);
  });

  it('keeps the lines of a step together while another one prints', () => {
    const lines = show(
      [0, a, b, log('a', 'a1\n')],
      [500, log('b', 'b1\n')],
      [1000, log('a', 'a2\n'), log('b', 'b2\n')],
      [1100, aDone],
      [1200],
      [1300, step('b', {started: 0, completed: 2})],
    );
    expect(lines).to.deep.equal([
      ...['#1 RUN a', '#1 1.000 a1', '#1 1.000 a2', '#1 DONE 1.0s'],
      ...['#2 RUN b', '#2 1.000 b1', '#2 1.000 b2', '#2 DONE 2.0s'],
    ]);
  });

  it('gives the turn away after 5 s of silence', () => {
    const lines = show(
      [0, a, log('a', 'a1\n'), b, log('b', 'b1\n')],
      [4999],
      [5000],
      [5001, log('a', 'a2\n')],
    );
    expect(lines).to.deep.equal([
      ...[
        '#1 RUN a',
        '#1 1.000 a1',
        '#1 ...',
        '#2 RUN b',
        '#2 1.000 b1',
        '#2 ...',
        '#1 RUN a',
        '#1 1.000 a2',
      ],
    ]);
  });

  it('lets no step wait for more than 10 s', () => {
    const busy = [4000, 8000, 9999, 10_000].map((now) => [now, log('a', `${now}\n`)] as const);
    const lines = show([0, a, log('a', '0\n'), b, log('b', 'b1\n')], ...busy, [10_001, log('a', 'late\n')]);
    expect(lines.slice(4)).to.deep.equal([
      ...['#1 1.000 9999', '#1 1.000 10000', '#1 ...', '#2 RUN b', '#2 1.000 b1', '#2 ...', '#1 RUN a'],
      '#1 1.000 late',
    ]);
  });

  it('shows steps in the order in which they ended, before those that run', () => {
    const [cached, failed] = [
      {started: 0, completed: 0.2, cached: true},
      {started: 0, completed: 0.1, error: 'x'},
    ];
    const lines = show([0, a, step('b', cached), step('c', failed)], [99], [100]);
    expect(lines).to.deep.equal(['#1 RUN c', '#1 ERROR: x', '#2 RUN b', '#2 CACHED', '#3 RUN a']);
    const first = step('d', {started: 0, completed: 0.1});
    expect(
      show([0, first, step('e', {started: 0, completed: 0.2})], [50, warning('d', 'w')], [100]),
    ).to.deep.equal([...['#1 RUN d', '#1 WARN: w', '#1 DONE 0.1s', '#2 RUN e', '#2 DONE 0.2s']]);
  });

  it('does not wait for a part of a step that never ends', () => {
    const lines = show([0, a, task('a', 'cache', {at: 0}), aDone, b], [100], [4999], [5000]);
    expect(lines).to.deep.equal(['#1 RUN b', '#1 ...', '#2 RUN a', '#2 cache', '#2 DONE 1.0s']);
  });

  it('shows warnings, of steps and of none', () => {
    const lines = show([0, a, aDone, warning('a', 'old'), warning('unknown', 'odd')], [100]);
    expect(lines).to.have.members(['WARN: odd', '#1 RUN a', '#1 WARN: old', '#1 DONE 1.0s']);
  });

  it('shows at the end what has not had its turn', () => {
    expect(show([0, a, b, step('c')])).to.deep.equal(['#1 RUN a', '#1 ...', '#2 RUN b']);
    expect(show([0, a, task('a', 'layer', {at: 1})], [1, aDone])).to.deep.equal([
      ...['#1 RUN a', '#1 layer 1.0s', '#1 DONE 1.0s'],
    ]);
  });
});
