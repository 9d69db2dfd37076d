/** Covers that the digest does not depend on how the progress arrives. */
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect} from 'chai';
import fc from 'fast-check';
import {parse} from 'yaml';
import {ProgressDigest} from '../../../../src/image-build/delegate/digest.ts';

function recordedProgress(name: string): Uint8Array {
  const path = join(import.meta.dirname, `../../../fixtures/recordings/${name}.yaml`);
  return Buffer.from(parse(readFileSync(path, 'utf8')).stderr);
}

/** Cuts `bytes` at the given places, in the middle of lines and of characters. */
function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const sorted = [0, ...[...places].sort((a, b) => a - b), bytes.length];
  return sorted.slice(1).map((end, index) => bytes.subarray(sorted[index], end));
}

function watch(chunks: readonly Uint8Array[]): string | undefined {
  const progress = new ProgressDigest();
  for (const chunk of chunks) progress.observe(chunk);
  return progress.digest();
}

const RECORDINGS = [
  ['build-platform', 'sha256:a479cd17b8f5eacde4c2747eb13673de95c679528d7d79860988c07dc5eeabe6'],
  ['build-multi-platform', 'sha256:23d100106982601235dd2ecad949c6a430ef100f8353f340f3b0322eb4f96c8b'],
  ['run-fails', undefined],
] as const;

describe('ProgressDigest, for any chunks', () => {
  for (const [name, digest] of RECORDINGS) {
    const bytes = recordedProgress(name);
    it(`gives the same for the recording ${name}`, () => {
      fc.assert(
        fc.property(fc.array(fc.nat(bytes.length), {maxLength: 30}), (places) => {
          expect(watch(cut(bytes, places))).to.equal(digest);
        }),
      );
      expect(watch(Array.from(bytes, (_, index) => bytes.subarray(index, index + 1)))).to.equal(digest);
    });
  }

  it('finds it among any other bytes that are lines of their own', () => {
    const bytes = recordedProgress('build-platform');
    const noise = fc.uint8Array({maxLength: 200}).map((one) => one.map((byte) => (byte === 35 ? 36 : byte)));
    fc.assert(
      fc.property(noise, noise, (before, after) => {
        const all = Buffer.concat([before, Buffer.from('\n'), bytes, Buffer.from('\n'), after]);
        expect(watch(cut(all, [before.length, before.length + 40]))).to.equal(RECORDINGS[0][1]);
      }),
    );
  });

  it('ignores any output of a RUN step', () => {
    const bytes = Buffer.from(recordedProgress('build-platform')).toString();
    const [head, tail] = bytes.split('#7 exporting to image');
    const spoof = `#9 exporting manifest sha256:${'b'.repeat(64)} done`;
    const printed = fc.array(fc.oneof(fc.constant(spoof), fc.string({unit: 'binary'})), {maxLength: 6});
    fc.assert(
      fc.property(printed, (lines) => {
        const output = lines
          .flatMap((line) => line.split('\n'))
          .map((line) => `#3 0.123 ${line}\n`)
          .join('');
        expect(watch([Buffer.from(`${head}${output}#7 exporting to image${tail}${output}`)])).to.equal(
          RECORDINGS[0][1],
        );
      }),
    );
  });
});
