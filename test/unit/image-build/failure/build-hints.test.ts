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

  for (const line of [
    "fatal: unable to access 'https://github.com/a/b/': Could not resolve host: github.com",
    "wget: bad address 'github.com'",
    'wget: unable to resolve host address ‘github.com’',
    'Error: getaddrinfo ENOTFOUND github.com',
    "E: Could not resolve 'github.com'",
    'go: a@v1: Get "https://github.com/a": dial tcp: lookup github.com on 10.96.0.10:53: no such host',
    'dial tcp: lookup github.com on 10.96.0.10:53: read udp 10.0.0.1:1->10.96.0.10:53: i/o timeout',
    "NameResolutionError: Failed to resolve 'github.com' ([Errno -2] Name or service not known)",
    'Caused by: java.net.UnknownHostException: github.com: Name or service not known',
    'WARNING: fetching https://github.com/v3/main: temporary error (try again later)',
    'WARNING: updating and opening https://github.com: DNS: transient error (try again later)',
    'System.Net.Http.HttpRequestException: Name or service not known (github.com:443)',
  ]) {
    it(`finds the name that a step could not resolve: ${line}`, async () => {
      const hint = await explain(step('/bin/sh -c x', 'exit code: 1', ['before', line, 'after']));
      expect(hint?.message).to.contain('could not resolve the host github.com.');
    });
  }

  for (const [what, files, command, code] of [
    ['has other line endings', {'./a.sh': '#!/bin/sh\n'}, './a.sh', 127],
    ['is not in the command', {'./a.sh': '#!/bin/sh\r\n'}, './b.sh a', 127],
    ['failed by itself', {'./a.sh': '#!/bin/sh\r\n'}, './a.sh', 1],
    ['is no text that can be read', {}, './a.sh', 127],
  ] as const) {
    it(`says nothing of the line endings of a script that ${what}`, async () => {
      const stderr = step(`/bin/sh -c ${command}`, `exit code: ${code}`, ['sh: not found']);
      expect(await explain(stderr, {files})).to.equal(undefined);
    });
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
        // A name that a step cannot resolve is a failure of that step.
        const hint = await explain(step('/bin/sh -c x', 'exit code: 1', lines));
        if (hint !== undefined) expect(hint.message).to.match(/^The step could not resolve /);
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
