/** Covers how copying to nodes is shown: in each form of the progress, and not at all where nothing is copied. */
import {expect} from 'chai';
import type {ProgressForm} from '../../../src/image-build/engines/progress.ts';
import {showProgress} from '../../../src/image-build/engines/progress.ts';
import {showSpread} from '../../../src/image-build/spread-progress.ts';
import {catchError, collectUnhandled} from '../../helpers/caught.ts';

const MB = 1_000_000;

async function show(form: ProgressForm, failure?: string): Promise<string> {
  let shown = '';
  let now = 1_000_000;
  let tick = () => {};
  const tools = {
    show: async (text: string) => {
      shown += text;
    },
    terminalSize: () => ({columns: 60, rows: 20}),
    every: (_milliseconds: number, callback: () => void) => {
      tick = callback;
      return () => undefined;
    },
  };
  const progress = showSpread(() => showProgress(form, false, tools, 'Copying'), {wallClock: () => now});
  progress.plan('two', 40 * MB);
  tick();
  now += 1500;
  progress.sent('two', 12.3 * MB);
  tick();
  now += 500;
  if (failure === undefined) progress.sent('two', 27.7 * MB);
  await progress.end([
    {name: 'two', state: 'copied', bytes: 40 * MB, blobs: 2, ...(failure && {failure})},
    {name: 'three', state: 'present', bytes: 0, blobs: 0},
  ]);
  return shown;
}

describe('showSpread', () => {
  it('shows a step for each node that gets something, as plain lines', async () => {
    expect(await show('plain')).to.equal(
      [
        '#1 copying to two',
        '#1 layers 0B / 40.00MB',
        '#1 layers 12.30MB / 40.00MB 1.5s',
        '#1 layers 40.00MB / 40.00MB 2.0s done',
        '#1 DONE 2.0s',
        '',
      ].join('\n'),
    );
  });

  it('shows the same in the live view', async () => {
    const shown = await show('live');
    expect(shown).to.match(
      /\[\+\] Copying \d+\.\ds \(0\/1\)\n => copying to two +\d+\.\ds\n => => layers 12\.30MB \/ 40\.00MB 1\.5s\n/,
    );
    expect(shown).to.match(/\(1\/1\)\n => copying to two +2\.0s\n$/);
  });

  it('shows why a node does not have the image', async () => {
    expect(await show('plain', 'the disk is full')).to.match(/#1 ERROR: the disk is full\n$/);
  });

  it('shows nothing in a quiet build', async () => {
    expect(await show('quiet')).to.equal('');
  });

  it('shows nothing if no node gets anything', async () => {
    const progress = showSpread(() => expect.fail('opened'), {wallClock: () => 0});
    await progress.end([{name: 'two', state: 'present', bytes: 0, blobs: 0}]);
  });

  it('throws what cannot be shown at the end, and nowhere else', async () => {
    const tools = {
      show: () => Promise.reject(new RangeError('broken')),
      terminalSize: () => ({columns: 60, rows: 20}),
      every: () => () => undefined,
    };
    const unhandled = await collectUnhandled(async () => {
      const progress = showProgress('plain', false, tools);
      progress.print('a\n');
      await new Promise(setImmediate);
      expect(await catchError(progress.end(false))).to.be.instanceOf(RangeError);
    });
    expect(unhandled).to.deep.equal([]);
  });
});
