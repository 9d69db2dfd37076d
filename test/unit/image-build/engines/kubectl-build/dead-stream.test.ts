/** Covers telling a dead connection from a silent step, by what is heard over another connection. */
import {expect} from 'chai';
import {
  findDeadStream,
  type Hearsay,
} from '../../../../../src/image-build/engines/kubectl-build/dead-stream.ts';

/** Hears one thing after the other, and the last one for ever; the plugin ends after `lasts`. */
async function listen(
  hears: readonly Hearsay[],
  {
    signs = [0],
    lasts = 3_600_000,
    takes = 0,
  }: {signs?: readonly number[]; lasts?: number; takes?: number} = {},
) {
  let [clock, asked] = [0, 0];
  const {promise: ended, resolve} = Promise.withResolvers<void>();
  const pass = async (milliseconds: number) => {
    await new Promise((done) => setImmediate(done));
    clock += milliseconds;
    if (clock >= lasts) resolve();
    // Once it has ended, that is what counts.
    if (clock >= lasts) await new Promise(() => undefined);
  };
  const ask = async () => {
    await pass(takes);
    return hears[Math.min(asked++, hears.length - 1)] as Hearsay;
  };
  const lastSign = () => signs.findLast((sign) => sign <= clock);
  const what = await findDeadStream({lastSign, ask}, ended, {now: () => clock, sleep: pass});
  return {what, asked, after: clock};
}

describe('findDeadStream', () => {
  for (const [title, hears, after, words] of [
    ['BuildKit has no build while the plugin waits', ['idle'], 35_000, /dead/],
    ['BuildKit ends the build of the client that is gone', ['building', 'idle'], 65_000, /dead/],
    ['nobody answers', ['unreachable'], 60_000, /Neither/],
    [
      'nobody answers, after a short time in which somebody did',
      ['unreachable', 'unknown', 'unreachable'],
      70_000,
      /Neither/,
    ],
  ] as const) {
    it(`finds that ${title}`, async () => {
      const found = await listen(hears);
      expect(found.what).to.match(words);
      expect(found.after).to.equal(after);
    });
  }

  for (const [title, hears, options] of [
    ['of a step that runs and says nothing for an hour', ['building'], {}],
    ['of a builder that is too busy or too old to answer', ['unknown'], {}],
    ['of a build whose end is on its way', ['idle', 'building'], {}],
    ['of a link that comes back', ['unreachable', 'building'], {}],
    [
      'of a plugin that shows something now and then',
      ['idle'],
      {signs: Array.from({length: 200}, (_, n) => n * 20_000)},
    ],
    ['of a plugin that waits for a login, and has shown nothing', ['idle'], {signs: []}],
    ['of a plugin that ends while it is asked', ['idle'], {lasts: 36_000, takes: 20_000}],
  ] as const) {
    it(`says nothing ${title}`, async () => {
      expect((await listen(hears, options)).what).to.equal(undefined);
    });
  }

  it('asks seldom while a step runs', async () => {
    expect((await listen(['building'])).asked).to.be.within(100, 130);
  });
});
