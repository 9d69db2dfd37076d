/** Covers reading the registry that a cluster announces, and an image's name in it. */
import {expect} from 'chai';
import {stringify} from 'yaml';
import {nameInCluster, readLocalRegistry} from '../../../../src/builder/model/local-registry.ts';
import type {Product} from '../../../../src/cluster/product.ts';

const read = (text: string, product: Product = 'kind') =>
  readLocalRegistry({kind: 'found', value: {data: {'localRegistryHosting.v1': text}}}, product);

describe('readLocalRegistry', () => {
  for (const [what, announced, product, inCluster] of [
    [
      'of ctlptl',
      {
        hostFromClusterNetwork: 'ctlptl-registry:5000',
        hostFromContainerRuntime: 'node:1',
        help: 'https://x.example',
      },
      'kind',
      'ctlptl-registry:5000',
    ],
    ['with the name of the nodes alone', {hostFromContainerRuntime: 'reg:5000'}, 'unknown', 'reg:5000'],
    ["of kind's documentation", {}, 'kind', 'kind-registry:5000'],
    ['that is on the node', {hostFromContainerRuntime: 'localhost:32000'}, 'microk8s', undefined],
    ['that another product has on this machine', {}, 'unknown', undefined],
  ] as const) {
    it(`knows what pods call one ${what}`, () =>
      expect(read(stringify({host: 'localhost:5001', ...announced}), product)).to.deep.equal(
        inCluster && {host: 'localhost:5001', inCluster},
      ));
  }

  it('takes a name that is none of this machine for one that pods know as well', () =>
    expect(read('host: registry.dev:5000', 'unknown')).to.deep.equal({
      host: 'registry.dev:5000',
      inCluster: 'registry.dev:5000',
    }));

  it('finds none in what is no announcement', () => {
    for (const text of [
      '',
      '[',
      'x',
      '[]',
      'null',
      'host: 1',
      'host: "a b"',
      'host: "http://x"',
      'host: x/y',
    ])
      expect(read(text), text).to.equal(undefined);
    for (const answer of [undefined, {kind: 'missing'}, {kind: 'forbidden', message: 'no'}] as const)
      expect(readLocalRegistry(answer, 'kind')).to.equal(undefined);
    expect(readLocalRegistry({kind: 'found', value: {}}, 'kind')).to.equal(undefined);
  });
});

describe('nameInCluster', () => {
  const registry = {host: 'localhost:5001', inCluster: 'kind-registry:5000'};
  for (const [name, expected] of [
    ['localhost:5001/web:dev', 'kind-registry:5000/web:dev'],
    ['localhost:50010/web:dev', 'localhost:50010/web:dev'],
    ['docker.io/localhost:5001/web', 'docker.io/localhost:5001/web'],
  ] as const)
    it(`is ${expected} for ${name}`, () => expect(nameInCluster(name, registry)).to.equal(expected));
});
