/** Covers how many pods a builder with one on every node is to have, as nodes join and go. */
import {expect} from 'chai';
import {readBuilderDeployment} from '../../../../src/builder/model/objects.ts';
import {countWanted, followsNodes, listWantedNodes} from '../../../../src/builder/verdict/follow-nodes.ts';
import {nodeRuntime, pluginDeployment, readPod, workingDeployment} from '../builder-world.ts';

const made = (settings: object) =>
  readBuilderDeployment(
    workingDeployment({metadata: {annotations: {'kubectl-tiltbuild/settings': JSON.stringify(settings)}}}),
  );
const FOLLOWING = made({replicas: 'nodes'});
const named = (...names: readonly string[]) => names.map((name) => nodeRuntime({name}));
const on = (...nodes: readonly string[]) => nodes.map((node) => readPod({name: `pod-${node}`, node}));

describe('followsNodes', () => {
  it('holds for one of ours that was created with a pod on every node', () => {
    expect(followsNodes(FOLLOWING)).to.equal(true);
    for (const other of [made({replicas: 3}), made({}), readBuilderDeployment(pluginDeployment())])
      expect(followsNodes(other)).to.equal(false);
  });
});

describe('listWantedNodes', () => {
  it('takes the nodes for the pods as the builder was created', () => {
    const nodes = [
      ...named('a'),
      nodeRuntime({name: 'b', unschedulable: true}),
      nodeRuntime({name: 'c', taints: [{key: 'gpu', value: '', effect: 'NoSchedule'}]}),
      nodeRuntime({name: 'd', labels: {pool: 'build'}}),
    ];
    expect(listWantedNodes(FOLLOWING, nodes)).to.deep.equal(['a', 'd']);
    const pinned = made({replicas: 'nodes', nodeSelector: {pool: 'build'}});
    expect(listWantedNodes(pinned, nodes)).to.deep.equal(['d']);
    const tolerations = [{key: 'gpu', operator: 'Exists', effect: 'NoSchedule'}];
    expect(listWantedNodes(made({replicas: 'nodes', tolerations}), nodes)).to.deep.equal(['a', 'c', 'd']);
    const changed = made({replicas: 'nodes', nodeSelector: 7, tolerations: {x: [null]}});
    expect(listWantedNodes(changed, nodes)).to.deep.equal(['a', 'd']);
  });

  it('has no wish for none, nor for more than get a pod without a number', () => {
    const many = named(...'abcdefghi');
    expect(listWantedNodes(FOLLOWING, many.slice(1))).to.have.length(8);
    for (const nodes of [[], many]) expect(listWantedNodes(FOLLOWING, nodes)).to.equal(undefined);
  });
});

describe('countWanted', () => {
  for (const [what, wanted, there, pods, expected] of [
    ['a node that joined', ['a', 'b'], ['a', 'b'], on('a'), 2],
    ['a node that is gone', ['a'], ['a'], on('a', 'b'), 1],
    ['a cordoned node with a pod', ['a', 'b'], ['a', 'b', 'c'], on('b', 'c'), 3],
    [
      'a tainted node that its pod leaves',
      ['a'],
      ['a', 'b'],
      [...on('a'), readPod({node: 'b', deleting: true})],
      1,
    ],
    ['a pod that no node takes', ['a'], ['a'], [...on('a'), readPod({phase: 'Pending', node: undefined})], 1],
  ] as const) {
    it(`is ${expected} with ${what}`, () =>
      expect(countWanted(wanted, named(...there), pods)).to.equal(expected));
  }
});
