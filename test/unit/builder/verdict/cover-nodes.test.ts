/** Covers which nodes have a pod of a builder, and what is reported of the others. */
import {expect} from 'chai';
import {readBuilderDeployment} from '../../../../src/builder/model/objects.ts';
import {coverNodes, describeCover} from '../../../../src/builder/verdict/cover-nodes.ts';
import {nodeRuntime, readPod, workingDeployment} from '../builder-world.ts';

const made = (settings: object) =>
  readBuilderDeployment(
    workingDeployment({metadata: {annotations: {'kubectl-tiltbuild/settings': JSON.stringify(settings)}}}),
  );
const FOLLOWING = made({replicas: 'nodes'});
const NODES = [
  ...['a', 'b', 'c'].map((name) => nodeRuntime({name})),
  nodeRuntime({name: 'd', unschedulable: true}),
  nodeRuntime({name: 'e', unschedulable: true}),
];
const PODS = [
  readPod({node: 'b', ready: false}),
  readPod({node: 'a'}),
  readPod({node: 'd'}),
  readPod({node: 'c', deleting: true}),
  readPod({node: undefined, phase: 'Pending', ready: false}),
];

describe('coverNodes', () => {
  it('tells nodes with a ready pod from those that could have one, and those that take none', () => {
    const unready = 'has a pod that is not ready';
    expect(coverNodes(FOLLOWING, NODES, PODS)).to.deep.equal({
      ready: ['a', 'd'],
      waiting: [
        {name: 'b', why: unready},
        {name: 'c', why: unready},
      ],
      leftOut: [{name: 'e', why: 'is cordoned'}],
    });
  });

  for (const [what, settings, nodeCount, why] of [
    ['follows its nodes', {replicas: 'nodes'}, 2, 'gets a pod at the next build'],
    ['has too many nodes', {replicas: 'nodes'}, 9, 'gets no pod, because there are more than 8 nodes'],
    ['has a number of pods', {replicas: 1}, 2, 'has none of its 1 pod'],
  ] as const) {
    it(`says why a node has none if the builder ${what}`, () => {
      const nodes = Array.from({length: nodeCount}, (_, index) => nodeRuntime({name: `n${index}`}));
      const {waiting} = coverNodes(made(settings), nodes, [readPod({node: 'n0'})]);
      expect(waiting[0]).to.deep.equal({name: 'n1', why});
    });
  }
});

describe('describeCover', () => {
  it('names all nodes with a pod, and the first of the others', () => {
    expect(describeCover(coverNodes(FOLLOWING, NODES, PODS))).to.equal(
      'a, d; not b (has a pod that is not ready), c (has a pod that is not ready), e (is cordoned)',
    );
    expect(describeCover({ready: [], waiting: [], leftOut: []})).to.equal('none');
    const many = Array.from({length: 11}, () => ({name: 'x', why: 'y'}));
    expect(describeCover({ready: ['a'], waiting: many, leftOut: []})).to.match(/^a; not (x \(y\), ){10}…$/);
  });
});
