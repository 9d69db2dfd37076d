/** Covers that known failures are explained, and nothing that a Dockerfile prints; test/fixtures/errors has the texts. */
import {expect} from 'chai';
import fc from 'fast-check';
import {explain, KNOWN, recorded, solve, step} from './known-failures.ts';

const CHECKSUM = 'failed to compute cache key: failed to calculate checksum of ref x1::y2:';
const OUT_OF_DISK = 'failed to compute cache key: failed to copy: write /var/x: no space left on device';
const FOREIGN = 'exec /bin/sh: exec format error';

describe('explainFailure', () => {
  for (const {name, stderr, scene} of KNOWN) {
    it(`explains ${name}, with the line ends of Windows, and with a code before the error`, async () => {
      const hint = await explain(stderr, scene);
      expect(hint).not.to.equal(undefined);
      expect(await explain(stderr.replaceAll(/\r?\n/g, '\r\n'), scene)).to.deep.equal(hint);
      const coded = stderr.replace('failed to solve: ', 'failed to solve: rpc error: code = Unknown desc = ');
      expect(await explain(coded, scene)).to.deep.equal(hint);
    });
  }

  for (const [what, stderr] of [
    [
      'a step that prints the error of another program',
      step('/bin/sh -c x', 'exit code: 1', ['exec /app: exec format error']),
    ],
    ['a step that goes on after it', step('/bin/sh -c x', 'exit code: 1', [FOREIGN, 'x'])],
    ['a step that was stopped with its build', step('/bin/sh -c x', 'exit code: 137: context canceled')],
    ['a step that exits with another code', step('/bin/sh -c x', 'exit code: 2', [FOREIGN])],
    ['a file whose name is an error', solve(`${CHECKSUM} "/${OUT_OF_DISK}": no such thing`)],
    ['a success', recorded('build')],
    ['a build that was stopped', recorded('sigint')],
    [
      'another failure of a registry',
      solve('failed to push ghcr.io/x: unexpected status from HEAD request to https://ghcr.io/v2/: 500 x'),
    ],
  ] as const) {
    it(`adds nothing to ${what}`, async () => expect(await explain(stderr)).to.equal(undefined));
  }

  it('does not read a context that is not a directory', async () => {
    for (const context of ['-', 'https://example.org/x.git']) {
      const hint = await explain(recorded('copy-missing'), {asked: {context}});
      expect(hint?.message).to.equal('The build context has no "missing".');
      expect((await explain(recorded('dockerfile-syntax'), {asked: {context}}))?.detail).to.deep.equal([]);
    }
  });
});

describe('explainFailure, for anything', () => {
  const errors = KNOWN.map(({stderr}) => /(?:^|\n)Error: (.*)/.exec(stderr)?.[1] ?? '').filter(Boolean);
  const printed = fc.array(fc.oneof(fc.constantFrom(...errors), fc.string({unit: 'binary'})), {maxLength: 6});

  it("takes nothing for a known failure that a step prints, or that is in a step's command", async () => {
    await fc.assert(
      fc.asyncProperty(printed, async (texts) => {
        const lines = texts.flatMap((text) => text.split('\n'));
        expect(await explain(step('/bin/sh -c x', 'exit code: 1', lines))).to.equal(undefined);
        const command = texts.join('; ').replaceAll('\n', ' ');
        for (const end of ['exit code: 1', 'exec: "x": executable file not found in $PATH'])
          expect(await explain(step(command, end, ['oops']))).to.equal(undefined);
      }),
    );
  });

  it('takes no file name for a known failure of another kind', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...errors), async (name) => {
        const hint = await explain(solve(`${CHECKSUM} ${JSON.stringify(`/${name}`)}: not found`));
        expect(hint?.message).to.match(/^(?:There is no|Nothing in) /);
      }),
    );
  });
});
