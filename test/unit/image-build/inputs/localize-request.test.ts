/** Covers the names of caches and outputs in a cluster with a registry of its own. */
import {expect} from 'chai';
import {localizeRequest, namesRegistry} from '../../../../src/image-build/inputs/localize-request.ts';
import {buildRequest} from '../../builder/builder-world.ts';

const registry = {host: 'localhost:5001', inCluster: 'registry.dev:5000'};

describe('localizeRequest', () => {
  for (const [given, expected] of [
    [['--cache-from', 'localhost:5001/c', '--cache-from', 'ghcr.io/c'], 'registry.dev:5000/c'],
    [
      ['--cache-to', 'type=registry,ref=localhost:5001/c,mode=max'],
      'type=registry,ref=registry.dev:5000/c,mode=max',
    ],
    [['--cache-to', 'ref=localhost:5001/c,type=registry'], 'ref=registry.dev:5000/c,type=registry'],
  ] as const) {
    it(`renames ${given.join(' ')}`, () => {
      const request = buildRequest({passedFlags: [given]});
      expect(namesRegistry(request, registry)).to.equal(true);
      const [flag, , ...rest] = given;
      expect(localizeRequest(request, registry).passedFlags).to.deep.equal([[flag, expected, ...rest]]);
    });
  }

  it('renames the outputs of an image', () => {
    const attributes = new Map([
      ['push', 'true'],
      ['name', 'localhost:5001/a,ghcr.io/b'],
    ]);
    const request = buildRequest({output: {type: 'image', attributes}});
    expect(namesRegistry(request, registry)).to.equal(true);
    expect(localizeRequest(request, registry).output?.attributes.get('name')).to.equal(
      'registry.dev:5000/a,ghcr.io/b',
    );
  });

  it('changes nothing else', () => {
    for (const words of [
      ['--build-arg', 'BASE=localhost:5001/base'],
      ['--cache-to', 'type=local,dest=localhost:5001'],
      ['--cache-to', 'type=registry,ref=localhost:50010/c'],
    ]) {
      const request = buildRequest({passedFlags: [words]});
      expect(namesRegistry(request, registry)).to.equal(false);
      expect(localizeRequest(request, registry)).to.deep.equal(request);
    }
  });
});
