/** Covers `--output`: what it means, and what is refused, by the rules of docker buildx and kubectl build. */
import {expect} from 'chai';
import {TiltbuildError} from '../../../../src/errors.ts';
import {
  checkStandardOutput,
  destinationOf,
  readOutput,
  writeOutput,
} from '../../../../src/image-build/inputs/outputs.ts';
import {refusalOf} from '../../../helpers/caught.ts';
import {makeSurroundings} from '../../../helpers/surroundings.ts';

/** Kind of destination, the output in full, and values that mean it. */
const OUTPUTS = [
  ['files', 'type=local,dest=out', 'out|type=local,dest=out|dest=out,"type=local"'],
  ['files', 'type=local,dest=./out dir', './out dir|dest=x,dest=./out dir,TYPE=local'],
  // Without a comma it is a path.
  ['files', 'type=local,dest=dest=out', 'dest=out'],
  ['files', '"type=local","dest=a ""b"', '"type=local","dest=a ""b"'],
  ['files', 'type=tar,dest=a.tar', 'type=tar,dest=a.tar|type=tar,dest=-,dest=a.tar'],
  ['files', 'type=tar,dest=-', '-|type=tar|"type=tar"|type=tar,dest=-|type=tar,dest='],
  ['archive', 'type=oci,dest=-', 'type=oci|"type=oci"|type=oci,dest=-| type=oci,dest='],
  ['archive', 'type=docker,dest=-', 'type=docker|"type=docker"|type=docker, DEST=-'],
  ['archive', 'type=docker,dest=a.tar', 'dest=a.tar, type=docker'],
  ['archive', 'type=oci,dest=d,tar=false', 'type=oci,tar=false,dest=d'],
  ['image', 'type=image', 'type=image|"type=image"|type=tar,type=image|type=image,dest=-'],
  ['image', 'type=registry,a=b=c', 'type=registry,A=b=c,dest=-'],
] as const;

describe('readOutput', () => {
  it('is the node by default, and a registry with --push', () => {
    for (const none of [[], [''], ['', '']]) expect(readOutput(none)).to.equal(undefined);
    expect(destinationOf(undefined, false)).to.deep.equal({kind: 'runtime', stdout: false});
    expect(destinationOf(undefined, true)).to.deep.equal({kind: 'image', stdout: false});
  });

  for (const [kind, written, specs] of OUTPUTS)
    for (const spec of specs.split('|')) {
      it(`takes ${spec} for ${written}`, () => {
        const output = readOutput([spec, '']);
        expect(output && writeOutput(output)).to.equal(written.replace('"type=local"', 'type=local'));
        expect(destinationOf(output, false)).to.deep.equal({kind, stdout: written.includes('dest=-')});
      });
    }

  for (const [outputs, message] of [
    [['a', 'b'], 'only one --output'],
    [['type="tar"'], 'unbalanced quotes'],
    [['"type=tar'], 'unbalanced quotes'],
    [['type=tar,"dest'], 'unbalanced quotes'],
    [['a,b'], 'expected key=value pairs'],
    [['"out"'], 'expected key=value pairs'],
    [['dest=a,b=c'], 'type= is missing'],
    [['type='], 'type= is missing'],
    [['type=nonsense'], 'its type is none of image, registry, local'],
    [['type=constructor'], 'its type is none of image, registry, local'],
    [['type=local'], 'local needs a directory'],
    [['type=local,dest=-'], 'local needs a directory'],
    [['type=oci,tar=F'], 'oci needs a directory'],
  ] as const) {
    it(`refuses ${outputs.join(' ')}`, () => {
      const error = refusalOf(() => readOutput(outputs));
      expect(error.code).to.equal('usage');
      expect(error.message).to.include(message);
    });
  }
});

describe('checkStandardOutput', () => {
  const check = (spec: string, terminal: boolean) =>
    checkStandardOutput(readOutput([spec]), makeSurroundings({resultTerminal: () => terminal}));

  it('refuses an archive for a terminal, and nothing else', () => {
    for (const spec of ['-', 'type=oci', '"type=docker"'])
      expect(() => check(spec, true)).to.throw(TiltbuildError, 'which is a terminal');
    for (const spec of ['', 'out', 'type=tar,dest=a', 'type=image']) check(spec, true);
    for (const spec of ['-', 'type=oci']) check(spec, false);
  });
});
