/** Covers what is said of failures that are known, and that nothing which a Dockerfile prints is taken for one. */
import {expect} from 'chai';
import fc from 'fast-check';
import {isStepFailure} from '../../../../src/image-build/failure/build-hints.ts';
import type {Hint} from '../../../../src/image-build/failure/failure-scene.ts';
import {formatAdvice} from '../../../../src/text/advice.ts';
import {
  CHECKSUM,
  explain,
  KNOWN,
  OUT_OF_DISK,
  pull,
  recorded,
  solve,
  step,
  wordsOf,
} from './known-failures.ts';

const shown = (hint: Hint | undefined) =>
  hint === undefined
    ? undefined
    : [hint.message, ...(hint.detail ?? []), ...hint.remedy.map((entry) => formatAdvice(entry))].join('\n');

describe('explainFailure', () => {
  for (const [, what, stderr, scene, expected] of KNOWN) {
    it(`explains ${what}`, async () => {
      const text = shown(await explain(stderr, scene));
      for (const words of expected) expect(text).to.include(words);
      // Windows' line ends, and the code that some servers put before.
      expect(shown(await explain(stderr.replaceAll(/\r?\n/g, '\r\n'), scene))).to.equal(text);
      const coded = stderr.replace('failed to solve: ', 'failed to solve: rpc error: code = Unknown desc = ');
      expect(shown(await explain(coded, scene))).to.equal(text);
    });
  }

  for (const [what, stderr] of [
    ['a step that fails', recorded('run-fails')],
    [
      'a step that prints the error of a foreign program',
      step('/bin/sh -c x', 'exit code: 1', ['exec /app: exec format error']),
    ],
    [
      'a step that goes on after it',
      step('/bin/sh -c x', 'exit code: 1', ['exec /bin/sh: exec format error', 'x']),
    ],
    [
      'a step that was told so before',
      step('/bin/sh -c x', 'exit code: 2', ['exec /bin/sh: exec format error']),
    ],
    ['a file that is called as an error', solve(`${CHECKSUM} "/${OUT_OF_DISK}": no such thing`)],
    ['a success', recorded('build')],
    ['a build that was stopped', recorded('sigint')],
    [
      'another failure of a registry',
      pull('unexpected status from HEAD request to https://ghcr.io/v2/: 500 Internal Server Error'),
    ],
  ] as const) {
    it(`has nothing to add to ${what}`, async () => expect(await explain(stderr)).to.equal(undefined));
  }

  it('does not read a context that is not a directory', async () => {
    for (const context of ['-', 'https://example.org/x.git']) {
      const hint = await explain(recorded('copy-missing'), {asked: {context}});
      expect(hint?.message).to.equal('The build context has no "missing".');
      expect((await explain(recorded('dockerfile-syntax'), {asked: {context}}))?.detail).to.deep.equal([]);
    }
  });

  it('does not show a password that stands in a line of the Dockerfile', async () => {
    const files = {'./Dockerfile': 'FROM x\nADDD https://me:hunter2@example.org/x /\n'};
    expect(shown(await explain(recorded('dockerfile-syntax'), {files}))).not.to.include('hunter2');
  });
});

describe('explainFailure, for anything', () => {
  const errors = KNOWN.map(([, , stderr]) => /(?:^|\n)Error: (.*)/.exec(stderr)?.[1] ?? '').filter(Boolean);
  const printed = fc.array(fc.oneof(fc.constantFrom(...errors), fc.string({unit: 'binary'})), {maxLength: 6});
  const lines = (texts: readonly string[]) => texts.flatMap((text) => text.split('\n'));

  it('takes nothing that a step prints for a known failure', async () => {
    await fc.assert(
      fc.asyncProperty(printed, async (texts) => {
        const text = step('/bin/sh -c x', 'exit code: 1', lines(texts));
        expect(await explain(text)).to.equal(undefined);
      }),
    );
  });

  it("takes nothing of a step's command for a known failure", async () => {
    await fc.assert(
      fc.asyncProperty(printed, async (texts) => {
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

describe('isStepFailure', () => {
  for (const [name, expected] of [
    ['run-fails', true],
    ['copy-missing', false],
    ['tag-malformed', false],
  ] as const) {
    it(`is ${expected} for the recording ${name}`, () => {
      const words = wordsOf(recorded(name));
      expect(words && isStepFailure(words)).to.equal(expected);
    });
  }
});
