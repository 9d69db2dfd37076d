/** Covers progress as plain lines, from the statuses that BuildKit sends. */
import {expect} from 'chai';
import type {StatusResponse} from '../../../../src/buildkit/control.ts';
import {PlainProgress} from '../../../../src/buildkit/progress/plain.ts';
import {Steps} from '../../../../src/buildkit/progress/steps.ts';
import {log, step, task, warning} from './statuses.ts';

function show(...statuses: readonly StatusResponse[]): readonly string[] {
  const steps = new Steps();
  const plain = new PlainProgress();
  const text = statuses.map((status) => plain.format(steps.apply(status))).join('');
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}

const running = step('a', {started: 0});
const ended = step('a', {started: 0, completed: 2.25});
const output = (...chunks: readonly (string | Uint8Array)[]) =>
  show(running, ...chunks.map((chunk) => log('a', chunk)), ended).slice(1, -1);

describe('plain progress', () => {
  it('numbers steps as they start, and names one again where another came between', () => {
    const lines = show(
      step('a'),
      running,
      log('a', 'one\n', 0.5),
      step('b', {started: 1}),
      log('b', 'two\n', 1.5),
      log('a', 'three\n', 2),
      ended,
      step('b', {started: 1, completed: 3}),
    );
    expect(lines).to.deep.equal([
      '#1 RUN a',
      '#1 0.500 one',
      '#1 ...',
      '',
      '#2 RUN b',
      '#2 0.500 two',
      '#2 ...',
      '',
      '#1 RUN a',
      '#1 2.000 three',
      '#1 DONE 2.3s',
      '',
      '#2 RUN b',
      '#2 DONE 2.0s',
    ]);
  });

  for (const [what, given, line] of [
    ['cached', {cached: true}, '#1 CACHED'],
    ['canceled', {error: 'context canceled'}, '#1 CANCELED'],
    ['failed', {error: 'exit code: 1'}, '#1 ERROR: exit code: 1'],
  ] as const) {
    it(`says of a step that it was ${what}`, () => {
      expect(show(step('a', {started: 0, completed: 0, ...given}))).to.deep.equal(['#1 RUN a', line]);
    });
  }

  it('shows a task when it starts, each twentieth of it, every five seconds, and when it is done', () => {
    const total = 1_000_000;
    const lines = show(
      running,
      task('a', 'layer', {at: 0, total}),
      task('a', 'layer', {at: 1, total, current: 10_000}),
      task('a', 'layer', {at: 2, total, current: 50_000}),
      task('a', 'layer', {at: 4, total, current: 60_000}),
      task('a', 'layer', {at: 7, total, current: 60_001}),
      task('a', 'layer', {at: 8, total, current: 60_002, isDone: true}),
      task('a', 'files', {at: 0.001, current: 2, isDone: true}),
    );
    expect(lines.slice(1)).to.deep.equal([
      '#1 layer 0B / 1.00MB',
      '#1 layer 50.00kB / 1.00MB 2.0s',
      '#1 layer 60.00kB / 1.00MB 7.0s',
      '#1 layer 60.00kB / 1.00MB 8.0s done',
      '#1 files 2B done',
    ]);
  });

  it('joins what comes in pieces to lines and characters', () => {
    const bytes = Buffer.from('é€\n');
    expect(
      output('on', 'e\ntw', 'o\n', bytes.subarray(0, 1), bytes.subarray(1, 3), bytes.subarray(3)),
    ).to.deep.equal(['#1 1.000 one', '#1 1.000 two', '#1 1.000 é€']);
  });

  it('shows a last line without an end, and what of it is no text, before the end of the step', () => {
    expect(output('a\r\n', Buffer.from([0x62, 0xe2, 0x82]))).to.deep.equal([
      '#1 1.000 a',
      '#1 2.250 b\ufffd',
    ]);
  });

  it('shows of a progress bar its last state, and cuts a line that never ends', () => {
    expect(output('1%\r50%\r', '100%\n')).to.deep.equal(['#1 1.000 100%']);
    expect(output('x'.repeat(70_000), 'y\n').map((line) => line.length)).to.deep.equal([70_009, 10]);
  });

  it('shows warnings, of a step and of none, and nothing for a step that it does not know', () => {
    const lines = show(
      running,
      warning('a', 'old'),
      warning('', 'older'),
      log('z', 'lost\n'),
      task('z', 'lost', {at: 0}),
    );
    expect(lines).to.deep.equal(['#1 RUN a', '#1 WARN: old', 'WARN: older']);
  });

  it('keeps the last twenty lines of a step for its failure', () => {
    const steps = new Steps();
    const lines = Array.from({length: 25}, (_, index) => `${index}\n`);
    for (const status of [running, log('a', lines.join('')), ended]) steps.apply(status);
    expect(steps.find('a')?.tail).to.deep.equal(Array.from({length: 20}, (_, index) => String(index + 5)));
  });
});
