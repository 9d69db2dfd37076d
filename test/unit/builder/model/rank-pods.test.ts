/** Covers the order in which a build turns to the pods of a builder. */
import {expect} from 'chai';
import fc from 'fast-check';
import {
  findArchitecture,
  findReachable,
  rankNodes,
  rankPods,
} from '../../../../src/builder/model/rank-pods.ts';
import {readPod} from '../builder-world.ts';

const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/);
const nodes = fc.uniqueArray(name, {minLength: 1, maxLength: 12});
const key = fc.string();

describe('rankNodes', () => {
  it('has the same order for the same key, however the nodes are listed', () => {
    fc.assert(
      fc.property(nodes, key, (names, of) => {
        expect(rankNodes(names.toReversed(), of)).to.deep.equal(rankNodes(names, of));
        expect(rankNodes(names, of).toSorted()).to.deep.equal(names.toSorted());
      }),
    );
  });

  it('keeps the order of the others when a node goes', () => {
    fc.assert(
      fc.property(nodes, key, fc.nat(), (names, of, index) => {
        const gone = names[index % names.length];
        const rest = names.filter((one) => one !== gone);
        expect(rankNodes(rest, of)).to.deep.equal(rankNodes(names, of).filter((one) => one !== gone));
      }),
    );
  });

  it('gives every node about the same number of projects', () => {
    const names = ['kind-worker', 'kind-worker2', 'kind-worker3', 'kind-worker4'];
    const firsts = Array.from({length: 4000}, (_, index) => rankNodes(names, `/home/me/project-${index}`)[0]);
    for (const one of names) expect(firsts.filter((first) => first === one).length).to.be.within(880, 1120);
  });
});

describe('findReachable', () => {
  const pods = ['a', 'b', 'c'].map((node) => readPod({name: node, node, nodeSilent: node === 'c'}));
  for (const [what, unready, reachable] of [
    ['that reports, where nothing is known of the nodes', [], ['a', 'b']],
    ['on a node that is ready', ['a'], ['b']],
    ['that reports, where no node is ready', ['a', 'b', 'c'], ['a', 'b']],
  ] as const) {
    it(`gives each pod ${what}`, () => {
      const nodes = ['a', 'b', 'c'].map((name) => ({name, ready: !unready.some((one) => one === name)}));
      expect(findReachable(pods, nodes).map(({name}) => name)).to.deep.equal(reachable);
      if (unready.length === 0) expect(findReachable(pods)).to.have.length(reachable.length);
    });
  }
});

describe('rankPods', () => {
  const READY = readPod({name: 'ready'});
  const BUSY = readPod({name: 'busy', ready: false});
  const LEAVING = readPod({name: 'leaving', deleting: true});
  const WAITING = readPod({name: 'waiting', phase: 'Pending'});
  const names = (pods: Parameters<typeof rankPods>[0], isNative?: (node: string) => boolean) =>
    rankPods(pods, 'project', isNative).map((pod) => pod.name);

  it('takes those that run, the ready ones first and those that stop last', () => {
    expect(names([WAITING, LEAVING, BUSY, READY])).to.deep.equal(['ready', 'busy', 'leaving']);
  });

  it('goes by the node, whatever its pod is called', () => {
    const on = (node: string, pod: string) => readPod({name: pod, node});
    const order = rankNodes(['a', 'b', 'c'], 'project');
    const first = rankPods([on('a', '1'), on('b', '2'), on('c', '3')], 'project').map(({node}) => node);
    const later = rankPods([on('c', '4'), on('a', '5'), on('b', '6')], 'project').map(({node}) => node);
    expect([first, later]).to.deep.equal([order, order]);
  });

  it('takes a node of the architecture before others, unless only those are ready', () => {
    const [amd, arm] = [readPod({name: 'amd', node: 'amd'}), readPod({name: 'arm', node: 'arm'})];
    for (const wanted of ['amd', 'arm'])
      expect(names([amd, arm], (node) => node === wanted)[0]).to.equal(wanted);
    expect(names([amd, {...arm, ready: false}], (node) => node === 'arm')[0]).to.equal('amd');
  });
});

describe('findArchitecture', () => {
  const NODES = ['arm64', 'amd64', 'arm64'].map((architecture) => ({architecture}));
  for (const [platforms, of, expected] of [
    [[], NODES, 'arm64'],
    [[], NODES.slice(0, 2), 'amd64'],
    [[], [], undefined],
    [['linux/amd64'], NODES, 'amd64'],
    [['linux/arm64/v8'], [], 'arm64'],
    [['linux/amd64,linux/arm64'], NODES, 'arm64'],
    [['local'], NODES, 'arm64'],
  ] as const) {
    it(`is ${expected} for ${JSON.stringify(platforms)} on ${of.length} nodes`, () =>
      expect(findArchitecture(platforms, of)).to.equal(expected));
  }
});
