/** Covers what `--output` and `--push` mean for the result, by kubectl build's own ParseOutputs. */
import {expect} from 'chai';
import {readDestination} from '../../../../src/image-build/inputs/outputs.ts';
import {refusalOf} from '../../../helpers/caught.ts';

/** A destination, whether it is standard output, and such values. */
const DESTINATIONS = [
  ['files', false, 'out|./out dir|dest=out|type=local,dest=out|type=local,dest=-|type=tar,dest=a.tar'],
  ['files', false, '"type=tar","dest=a,b.tar"'],
  ['files', true, '-|type=tar|type=tar,dest=-'],
  [
    'archive',
    false,
    'type=oci,dest=a.tar|type=oci|type=docker|dest=a.tar,TYPE=docker|dest=a.tar, type=docker',
  ],
  ['archive', true, 'type=oci,dest=-|type=docker,dest=-'],
  [
    'image',
    false,
    'type=image|type=image,push=true,compression=zstd|type=registry|type=something-new,dest=-',
  ],
  // As in a Go map, the last one counts.
  ['image', false, 'type=tar,type=image'],
  ['files', false, 'type=tar,dest=-,dest=a.tar'],
] as const;

describe('readDestination', () => {
  it('is the node by default, and a registry with --push', () => {
    expect(readDestination([], false)).to.deep.equal({kind: 'runtime', stdout: false});
    expect(readDestination([], true)).to.deep.equal({kind: 'image', stdout: false});
  });

  for (const [kind, stdout, outputs] of DESTINATIONS)
    for (const output of outputs.split('|')) {
      it(`takes ${output} for ${kind}${stdout ? ' on standard output' : ''}`, () => {
        expect(readDestination([output], false)).to.deep.equal({kind, stdout});
      });
    }

  for (const [outputs, message] of [
    // As kubectl build would, but before the build begins.
    [['a', 'b'], 'only one --output'],
    ...['type="tar"', '"type=tar', 'type=tar,"dest'].map(
      (spec) => [[spec], `--output ${spec}: unbalanced quotes`] as const,
    ),
  ] as const) {
    it(`refuses ${outputs.join(' ')}`, () => {
      const error = refusalOf(() => readDestination(outputs, false));
      expect(error.code).to.equal('usage');
      expect(error.message).to.include(message);
    });
  }
});
