/** Covers where the digest is found, against what kubectl build really printed, however that arrives. */
import {expect} from 'chai';
import fc from 'fast-check';
import {ProgressDigest, readDigest} from '../../../../../src/image-build/engines/kubectl-build/digest.ts';
import {anyChunks, observeEndlessLine, recorded} from '../../failure/known-failures.ts';

const digestOf = (character: string) => `sha256:${character.repeat(64)}`;

function watch(...chunks: readonly (string | Uint8Array)[]): string | undefined {
  const progress = new ProgressDigest();
  for (const chunk of chunks) progress.observe(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
  return progress.digest();
}

describe('readDigest', () => {
  const digest = digestOf('a');
  it('reads a digest, with white space around it', () => {
    for (const text of [digest, `${digest}\n`, `  ${digest}\r\n`]) expect(readDigest(text)).to.equal(digest);
  });

  for (const [what, text] of [
    ['nothing', ''],
    ['a shorter one', digest.slice(0, -1)],
    ['a longer one', `${digest}a`],
    ['capitals', digestOf('A')],
    ['no hexadecimal', digestOf('g')],
    ['another algorithm', `sha512:${'a'.repeat(128)}`],
    ['two of them', `${digest}\n${digest}`],
    ['a whole reference', `app@${digest}`],
  ] as const) {
    it(`finds no digest in ${what}`, () => expect(readDigest(text)).to.equal(undefined));
  }
});

describe('ProgressDigest', () => {
  const manifest = 'sha256:a479cd17b8f5eacde4c2747eb13673de95c679528d7d79860988c07dc5eeabe6';
  for (const [name, digest] of [
    ['build-platform', manifest],
    ['build', 'sha256:24cda528986e03d36fbe92c7fec9d42e88b9800459a6e72ebec1507173d8f183'],
    ['push', manifest],
    ['build-multi-platform', 'sha256:23d100106982601235dd2ecad949c6a430ef100f8353f340f3b0322eb4f96c8b'],
    ['build-output-local', undefined],
    ['run-fails', undefined],
    ['build-platform-iidfile', undefined],
  ] as const) {
    it(`finds ${digest ? 'the one' : 'none'} in the recording ${name}, in any chunks`, () => {
      const bytes = Buffer.from(recorded(name));
      expect(watch(...Array.from(bytes, (byte) => Uint8Array.of(byte)))).to.equal(digest);
      fc.assert(
        fc.property(anyChunks(bytes), (chunks) => {
          expect(watch(...chunks)).to.equal(digest);
        }),
      );
    });
  }

  it('finds it among any other bytes that are lines of their own', () => {
    const noise = fc.uint8Array({maxLength: 200}).map((one) => one.map((byte) => (byte === 35 ? 36 : byte)));
    fc.assert(
      fc.property(noise, noise, (before, after) => {
        expect(watch(before, '\n', recorded('build-platform'), '\n', after)).to.equal(manifest);
      }),
    );
  });

  it('ignores any output of a RUN step', () => {
    const [head, tail] = recorded('build-platform').split('#7 exporting to image');
    const spoof = `#9 exporting manifest ${digestOf('b')} done`;
    const printed = fc.array(fc.oneof(fc.constant(spoof), fc.string({unit: 'binary'})), {maxLength: 6});
    fc.assert(
      fc.property(printed, (texts) => {
        const lines = texts.flatMap((text) => text.split('\n')).map((line) => `#3 0.123 ${line}\n`);
        const output = lines.join('');
        expect(watch(`${head}${output}#7 exporting to image${tail}${output}`)).to.equal(manifest);
      }),
    );
  });

  for (const [what, line] of [
    [
      'what a RUN step prints after a carriage return',
      `#3 0.1 x\r#7 exporting manifest ${digestOf('b')} done`,
    ],
    ['a RUN step that is only named', `#3 [2/2] RUN echo "#7 exporting manifest ${digestOf('b')} done"`],
    ['a config', `#7 exporting config ${digestOf('b')} done`],
    ['a pushed manifest', `#7 pushing manifest for a/b@${digestOf('b')} done`],
    ['an indented line', ` #7 exporting manifest ${digestOf('b')} done`],
    ['a line without a step', `exporting manifest ${digestOf('b')} done`],
    ['a longer digest', `#7 exporting manifest ${digestOf('b')}b done`],
    ['a digest behind an endless line', `${'x'.repeat(9000)}#7 exporting manifest ${digestOf('b')} done`],
  ] as const) {
    it(`does not take ${what} for it`, () => {
      expect(watch(`${line}\n`)).to.equal(undefined);
      expect(watch(`#7 exporting manifest ${digestOf('a')} done\n${line}\n`)).to.equal(digestOf('a'));
    });
  }

  it('takes the list before and after the manifests', () => {
    const list = `#7 exporting manifest list ${digestOf('c')} done\n`;
    const manifests = `#7 exporting manifest ${digestOf('a')} done\n#7 exporting manifest ${digestOf('b')} done\n`;
    expect(watch(manifests)).to.equal(digestOf('b'));
    expect(watch(list + manifests)).to.equal(digestOf('c'));
    expect(watch(manifests + list)).to.equal(digestOf('c'));
  });

  it('needs no newline at the end, and accepts Windows line ends', () => {
    expect(watch(`#7 exporting manifest ${digestOf('a')}`)).to.equal(digestOf('a'));
    expect(watch(`#7 exporting manifest ${digestOf('a')}\r\n#8 x\r\n`)).to.equal(digestOf('a'));
  });

  it('keeps no line that is longer than a string can be', () => {
    const progress = new ProgressDigest();
    observeEndlessLine(progress);
    progress.observe(Buffer.from(`\n#7 exporting manifest ${digestOf('a')} done\n`));
    expect(progress.digest()).to.equal(digestOf('a'));
  });
});
