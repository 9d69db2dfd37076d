/** Covers how many pods a builder gets. */
import {expect} from 'chai';
import {
  chooseReplicas,
  countReplicas,
  describeCrowd,
  foreseeReplicas,
} from '../../../../src/builder/manifest/count-replicas.ts';
import {defaultBuilderSettings} from '../../../../src/builder/model/settings.ts';
import type {Product} from '../../../../src/cluster/product.ts';
import {nodeRuntime} from '../builder-world.ts';

describe('chooseReplicas', () => {
  for (const [product, replicas, rootless, expected] of [
    ['kind', undefined, false, 'nodes'],
    ['docker-desktop', undefined, false, 'nodes'],
    ['kind', undefined, true, 1],
    ['kind', 1, false, 1],
    ['unknown', undefined, false, 1],
    ['gke', undefined, false, 1],
    ['gke', 'nodes', false, 'nodes'],
  ] as const satisfies readonly (readonly [Product, ...unknown[]])[]) {
    it(`is ${expected} on ${product} for ${replicas}${rootless ? ', rootless' : ''}`, () =>
      expect(chooseReplicas({replicas, rootless}, product)).to.equal(expected));
  }
});

describe('countReplicas', () => {
  for (const [replicas, nodeCount, busy, expected] of [
    ['nodes', 0, undefined, 1],
    ['nodes', 8, undefined, 8],
    ['nodes', 9, undefined, 1],
    ['nodes', 9, 0, 1],
    ['nodes', 120, 3, 3],
    ['nodes', 120, 90, 8],
    [20, 120, undefined, 20],
    [undefined, 3, undefined, 1],
  ] as const) {
    it(`is ${expected} of ${replicas} on ${nodeCount} nodes, ${busy} of them with pods`, () =>
      expect(countReplicas({replicas, rootless: false}, {nodeCount, busy})).to.equal(expected));
  }
});

describe('foreseeReplicas', () => {
  const nodes = (count: number) => [
    nodeRuntime({name: 'cordoned', unschedulable: true}),
    ...Array.from({length: count}, (_, index) => nodeRuntime({name: `n${index}`})),
  ];
  for (const [product, replicas, count, expected] of [
    ['kind', undefined, 3, 3],
    ['kind', undefined, 30, 8],
    ['kind', 12, 30, 12],
    ['gke', undefined, 3, 1],
  ] as const) {
    it(`is ${expected} on ${product} for ${replicas} on ${count} nodes`, () => {
      const settings = {...defaultBuilderSettings('b', 'default'), replicas};
      expect(foreseeReplicas(settings, product, nodes(count))).to.equal(expected);
    });
  }
});

describe('describeCrowd', () => {
  it('explains why not every node gets a pod, and only that', () => {
    const asked = {rootless: false, namespace: 'web'};
    expect(describeCrowd(asked, 'kind', 9))
      .to.contain('9 nodes')
      .and.contain('"web"')
      .and.contain('registry');
    expect(describeCrowd(asked, 'kind', 8)).to.equal(undefined);
    expect(describeCrowd({...asked, replicas: 9}, 'kind', 9)).to.equal(undefined);
    expect(describeCrowd(asked, 'gke', 9)).to.equal(undefined);
  });
});
