/** Covers waiting for the other pods of a builder that is ready in one. */
import {expect} from 'chai';
import {waitForOthers} from '../../../../src/builder/ensure/wait-for-others.ts';
import {readBuilderDeployment} from '../../../../src/builder/model/objects.ts';
import {
  forbidden,
  list,
  makePorts,
  pod,
  type Scripted,
  scriptCluster,
  workingDeployment,
} from '../builder-world.ts';

const on = (node: string, changes: Parameters<typeof pod>[0] = {}) => ({
  ...pod({name: `pod-${node}`, ...changes}),
  spec: {nodeName: node},
});
const starting = (node: string) =>
  on(node, {phase: 'Pending', state: {waiting: {reason: 'ContainerCreating'}}});
const crashing = (node: string) =>
  on(node, {
    ready: false,
    restartCount: 3,
    state: {waiting: {reason: 'CrashLoopBackOff'}},
    lastState: {terminated: {exitCode: 1, reason: 'Error', message: 'no socket'}},
  });

async function wait(pods: readonly Scripted[], replicas = 3, ...events: readonly unknown[]) {
  const deployment = readBuilderDeployment(workingDeployment({spec: {replicas}}));
  const cluster = scriptCluster({get: {pods, events: [list(...events)]}});
  const ports = makePorts();
  const began = ports.now();
  await waitForOthers({fixedNodes: true}, deployment, cluster, ports);
  return {said: ports.said, waited: ports.now() - began, cluster};
}

describe('waitForOthers', () => {
  it('waits until all are ready, and names their nodes', async () => {
    const {said, waited} = await wait([
      list(on('b'), starting('a')),
      list(on('b'), on('a'), starting('c')),
      list(on('b'), on('a'), on('c')),
    ]);
    expect(said).to.deep.equal(['builder "buildkit" has a pod on 3 nodes (a, b, c).']);
    expect(waited).to.be.lessThan(10_000);
  });

  it('asks nothing about a builder with one pod', async () => {
    const {said, cluster} = await wait([], 1);
    expect([said, cluster.gets]).to.deep.equal([[], []]);
  });

  it('goes on after ten seconds, and says what keeps a pod', async () => {
    const {said, waited} = await wait([list(on('a'), on('b'), starting('c'))]);
    expect(waited).to.equal(10_000);
    expect(said).to.deep.equal([
      'builder "buildkit" has a pod on 2 nodes (a, b).',
      'builder "buildkit" is not ready on node "c", and builds go on without it: starting pod pod-c on node c',
    ]);
  });

  it('says why pods were not created', async () => {
    const quota = 'exceeded quota: small, requested: pods=1, used: pods=2, limited: pods=2';
    const refused = {
      reason: 'FailedCreate',
      message: `Error creating: pods "buildkit-1-x" is forbidden: ${quota}`,
      involvedObject: {kind: 'ReplicaSet', name: 'buildkit-1'},
      lastTimestamp: '2100-01-01T00:00:00Z',
    };
    const {said} = await wait([list(on('a'), on('b'))], 3, refused);
    expect(said).to.have.length(2);
    expect(said[1])
      .to.contain('has 2 of its 3 pods, and builds go on without the others: A quota or limit')
      .and.contain(quota);
  });

  it('does not wait for a pod that cannot become ready', async () => {
    const {said, waited} = await wait([list(on('a'), on('b'), crashing('c'))]);
    expect(waited).to.equal(0);
    expect(said[1]).to.contain('not ready on node "c"').and.contain('exited with code 1: no socket');
  });

  it('does not wait for a node that does not report', async () => {
    const silent = {
      ...on('c'),
      status: {phase: 'Running', conditions: [{type: 'ContainersReady', status: 'True'}]},
    };
    const {said, waited} = await wait([list(on('a'), on('b'), silent)]);
    expect(waited).to.equal(0);
    expect(said[1]).to.contain('not ready on node "c"').and.contain('waiting for node c to report');
  });

  it('says nothing without permission to list pods', async () => {
    expect((await wait([forbidden('no')])).said).to.deep.equal([]);
  });
});
