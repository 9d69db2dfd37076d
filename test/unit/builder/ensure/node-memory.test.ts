/** Covers what is said of the memory of a builder's nodes. */
import {expect} from 'chai';
import {describeNodeMemory} from '../../../../src/builder/ensure/node-memory.ts';
import {forbidden, found, list, pod, type Script, scriptCluster} from '../builder-world.ts';

const PLACE = {name: 'buildkit', namespace: 'default'};
const node = (...conditions: readonly object[]) =>
  found({status: {allocatable: {memory: '8041632Ki'}, conditions}});
const pressure = {
  type: 'MemoryPressure',
  status: 'True',
  message: 'kubelet has insufficient memory available',
};

describe('describeNodeMemory', () => {
  for (const [what, get, said] of [
    [
      'has enough',
      {pods: [list(pod())], nodes: [node()]},
      ['Node "node-1" has 8.23GB of memory for all its pods and steps.'],
    ],
    [
      'is short of it',
      {pods: [list(pod(), pod({name: 'other'}))], nodes: [node(pressure)]},
      ['Node "node-1" is short of memory now: kubelet has insufficient memory available.'],
    ],
    ['may not be asked', {pods: [list(pod())], nodes: [forbidden('no')]}, []],
    ['does not answer', {pods: [list(pod())], nodes: [new Error('torn')]}, []],
    ['is not known', {pods: [forbidden('no')]}, []],
  ] satisfies readonly (readonly [string, Script['get'], readonly string[]])[]) {
    it(`is for a node that ${what}: ${said}`, async () =>
      expect(await describeNodeMemory(PLACE, scriptCluster({get}))).to.deep.equal(said));
  }
});
