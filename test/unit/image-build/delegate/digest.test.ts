/** Covers where the digest is found, against what kubectl build really printed. */
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect} from 'chai';
import {parse} from 'yaml';
import {ProgressDigest, readDigest} from '../../../../src/image-build/delegate/digest.ts';

const digestOf = (character: string) => `sha256:${character.repeat(64)}`;

function recordedProgress(name: string): string {
  return parse(readFileSync(join(import.meta.dirname, `../../../fixtures/recordings/${name}.yaml`), 'utf8'))
    .stderr;
}

function watch(...chunks: (string | Uint8Array)[]): string | undefined {
  const progress = new ProgressDigest();
  for (const chunk of chunks) progress.observe(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
  return progress.digest();
}

describe('readDigest', () => {
  for (const text of [digestOf('a'), `${digestOf('0')}\n`, `  ${digestOf('f')}\r\n`]) {
    it(`reads ${JSON.stringify(text.slice(0, 12))}…`, () => expect(readDigest(text)).to.equal(text.trim()));
  }

  for (const [what, text] of [
    ['nothing', ''],
    ['a shorter one', digestOf('a').slice(0, -1)],
    ['a longer one', `${digestOf('a')}a`],
    ['capitals', digestOf('A')],
    ['no hexadecimal', digestOf('g')],
    ['another algorithm', `sha512:${'a'.repeat(128)}`],
    ['two of them', `${digestOf('a')}\n${digestOf('b')}`],
    ['a whole reference', `app@${digestOf('a')}`],
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
    it(`finds ${digest ? 'the one' : 'none'} in the recording ${name}`, () => {
      expect(watch(recordedProgress(name))).to.equal(digest);
    });
  }

  for (const [what, line] of [
    ['what a RUN step prints', `#3 0.100 exporting manifest ${digestOf('b')} done`],
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
    const piece = Buffer.alloc(20_000_000, 'x');
    // More than V8's longest string, so keeping the line would throw.
    for (let written = 0; written <= 2 ** 29; written += piece.length) progress.observe(piece);
    progress.observe(Buffer.from(`\n#7 exporting manifest ${digestOf('a')} done\n`));
    expect(progress.digest()).to.equal(digestOf('a'));
  });
});
