/** Covers what `--output` and `--push` mean for the result, by kubectl build's own ParseOutputs. */
import {expect} from 'chai';
import {TiltbuildError} from '../../../../src/errors.ts';
import {readDestination} from '../../../../src/image-build/inputs/outputs.ts';

const DESTINATIONS = [
  ['out', 'files', false],
  ['./out dir', 'files', false],
  ['-', 'files', true],
  ['dest=out', 'files', false],
  ['type=local,dest=out', 'files', false],
  ['type=local,dest=-', 'files', false],
  ['type=tar', 'files', true],
  ['type=tar,dest=-', 'files', true],
  ['type=tar,dest=a.tar', 'files', false],
  ['"type=tar","dest=a,b.tar"', 'files', false],
  ['type=oci,dest=a.tar', 'archive', false],
  ['type=oci,dest=-', 'archive', true],
  ['type=oci', 'archive', false],
  ['type=docker', 'archive', false],
  ['type=docker,dest=-', 'archive', true],
  ['dest=a.tar,TYPE=docker', 'archive', false],
  ['dest=a.tar, type=docker', 'archive', false],
  ['type=image', 'image', false],
  ['type=image,push=true,compression=zstd', 'image', false],
  ['type=registry', 'image', false],
  ['type=something-new,dest=-', 'image', false],
  // As in a Go map, the last one counts.
  ['type=tar,type=image', 'image', false],
  ['type=tar,dest=-,dest=a.tar', 'files', false],
] as const;

function refusal(outputs: readonly string[]): TiltbuildError {
  try {
    readDestination(outputs, false);
  } catch (error) {
    expect(error).to.be.instanceOf(TiltbuildError);
    return error as TiltbuildError;
  }
  throw new Error('not refused');
}

describe('readDestination', () => {
  it('is the node by default, and a registry with --push', () => {
    expect(readDestination([], false)).to.deep.equal({kind: 'runtime', stdout: false});
    expect(readDestination([], true)).to.deep.equal({kind: 'image', stdout: false});
  });

  for (const [output, kind, stdout] of DESTINATIONS) {
    it(`takes ${output} for ${kind}${stdout ? ' on standard output' : ''}`, () => {
      expect(readDestination([output], false)).to.deep.equal({kind, stdout});
    });
  }

  it('refuses several, as kubectl build would, but before the build begins', () => {
    const error = refusal(['a', 'b']);
    expect(error.code).to.equal('usage');
    expect(error.message).to.include('only one --output');
  });

  for (const output of ['type="tar"', '"type=tar', 'type=tar,"dest']) {
    it(`refuses the quotes of ${output}`, () => {
      const error = refusal([output]);
      expect(error.code).to.equal('usage');
      expect(error.message).to.include('--output').and.include('quotes');
    });
  }
});
