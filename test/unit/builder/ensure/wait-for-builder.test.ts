/** Covers waiting for a builder: what it says meanwhile, and what ends it. */
import {expect} from 'chai';
import {waitForBuilder} from '../../../../src/builder/ensure/wait-for-builder.ts';
import type {BuilderRequest} from '../../../../src/builder/model/request.ts';
import {Interrupted} from '../../../../src/errors.ts';
import {hintsOf} from '../../../helpers/caught.ts';
import {
  builderRequest,
  failureOf,
  forbidden,
  found,
  list,
  MISSING,
  makePorts,
  pluginDeployment,
  pod,
  type Script,
  scriptCluster,
  startingDeployment,
  stuck,
  TIMEOUT,
  type World,
  workingDeployment,
} from '../builder-world.ts';

const READY = found(workingDeployment());
const NOT_YET = found(startingDeployment());
const CREATING = pod({phase: 'Pending', state: {waiting: {reason: 'ContainerCreating'}}});
const STARTING = pod({ready: false});
const NO_NODE = pod({
  phase: 'Pending',
  status: {
    conditions: [
      {type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/1 nodes are available.'},
    ],
  },
});

function wait(script: Script, request: Partial<BuilderRequest> = {}, world: World = {}) {
  const cluster = scriptCluster(script);
  const ports = makePorts(world);
  const started = ports.now();
  const run = () => waitForBuilder(builderRequest(request), cluster, ports);
  return {cluster, ports, run, waited: () => ports.now() - started};
}

/** A builder that was recorded as it did not start. */
function recorded(name: string): Script {
  const {deployment, pods, events, logs = ''} = stuck(name);
  return {
    get: {
      deployments: [found({...startingDeployment(), status: deployment.status})],
      pods: [list(...pods)],
      events: [list(...events)],
    },
    kubectl: (args) => (args[0] === 'logs' && args.includes('--previous') ? {stdout: logs} : undefined),
  };
}

/** The same answer so many times. */
const times = <T>(count: number, answer: T): readonly T[] => Array(count).fill(answer);

describe('waitForBuilder', () => {
  it('says nothing of one that is ready at once, and looks once, side by side', async () => {
    const {run, cluster, ports} = wait({get: {deployments: [READY], pods: [list(pod())]}});
    expect((await run()).name).to.equal('buildkit');
    expect(cluster.gets).to.deep.equal([
      '/apis/apps/v1/namespaces/default/deployments/buildkit',
      '/api/v1/namespaces/default/pods?labelSelector=app%3Dbuildkit',
    ]);
    expect([cluster.calls, ports.said, ports.sleeps]).to.deep.equal([[], [], []]);
  });

  it('says nothing of one that is ready within a second, and does not read events', async () => {
    const {run, ports} = wait({
      get: {deployments: [...times(3, NOT_YET), READY], pods: [...times(3, list(STARTING)), list(pod())]},
    });
    await run();
    expect(ports.sleeps).to.deep.equal([300, 300, 300]);
    expect(ports.said).to.deep.equal([]);
  });

  it('says what it waits for, once for each change, and how long it took', async () => {
    const involvedObject = {kind: 'Pod', name: 'buildkit-1-a'};
    const pulling = {type: 'Normal', reason: 'Pulling', message: 'Pulling image "b:1"', involvedObject};
    const {run, ports, cluster} = wait({
      get: {
        deployments: [...times(20, NOT_YET), READY],
        pods: [...times(6, list()), ...times(6, list(CREATING)), ...times(8, list(STARTING)), list(pod())],
        events: [list(pulling)],
      },
    });
    await run();
    expect(ports.said).to.deep.equal([
      'builder "buildkit": waiting for its pod',
      'builder "buildkit": pulling b:1 on node node-1',
      'builder "buildkit": waiting for BuildKit in pod buildkit-1-a to answer',
      'builder "buildkit" is ready after 6.0 s.',
    ]);
    expect(cluster.gets).to.include('/api/v1/namespaces/default/events?limit=500');
  });

  it('asks by names that are safe in a path', async () => {
    const {run, cluster} = wait(
      {get: {deployments: [READY], pods: [list()]}},
      {settings: {...builderRequest().settings, name: 'a/b?c', namespace: 'n&s'}},
    );
    await run();
    expect(cluster.gets).to.deep.equal([
      '/apis/apps/v1/namespaces/n%26s/deployments/a%2Fb%3Fc',
      '/api/v1/namespaces/n%26s/pods?labelSelector=app%3Da%2Fb%3Fc',
    ]);
  });

  for (const [what, first] of [
    ['that is not there yet', MISSING],
    ['whose change the controller has not seen', found(workingDeployment({metadata: {generation: 2}}))],
    [
      'that is faulty, and whose change it has not seen',
      found(pluginDeployment({metadata: {generation: 3}})),
    ],
    ['without a pod of the new kind', found(workingDeployment({status: {updatedReplicas: 0}}))],
    [
      'that is being deleted',
      found(workingDeployment({metadata: {deletionTimestamp: '2026-11-24T02:00:00Z'}})),
    ],
    ['that harms its node and has no ready pod', found(pluginDeployment({status: {readyReplicas: 0}}))],
  ] as const) {
    it(`waits for one ${what}`, async () => {
      const {run, ports} = wait({get: {deployments: [first, READY], pods: [list(pod())]}});
      expect((await run()).resourceVersion).to.equal('10');
      expect(ports.sleeps).to.deep.equal([300]);
    });
  }

  it('takes a faulty one for ready, because it is used as it is', async () => {
    const {run} = wait({get: {deployments: [found(pluginDeployment())], pods: [list(pod())]}});
    expect((await run()).madeByPlugin).to.equal(true);
  });

  it('waits until an old pod has stopped, which kubectl build might pick', async () => {
    const old = pod({name: 'old', owner: 'old', deleting: true});
    const {run, ports} = wait({
      get: {
        deployments: [READY],
        pods: [...times(5, list(old, pod())), list(pod())],
        events: [list()],
      },
    });
    await run();
    expect(ports.sleeps).to.have.length(5);
  });

  it('does not wait for an old pod that has ended', async () => {
    const old = pod({name: 'old', owner: 'old', phase: 'Succeeded', deleting: true});
    const {run, ports} = wait({get: {deployments: [READY], pods: [list(old, pod())]}});
    await run();
    expect(ports.sleeps).to.deep.equal([]);
  });

  it('needs no permission to list pods or events', async () => {
    const {run, ports} = wait({
      get: {
        deployments: [...times(6, NOT_YET), READY],
        pods: [forbidden('no')],
        events: [forbidden('no')],
      },
    });
    await run();
    expect(ports.said.at(-1)).to.equal('builder "buildkit" is ready after 1.8 s.');
  });

  for (const [name, words, fix] of [
    ['image', 'registry.example/nope:1 cannot be pulled', '--builder-image'],
    ['podsecurity', 'Pod Security standard "restricted"', 'kubectl label namespace default'],
    ['quota', 'exceeded quota: q', 'describe resourcequota'],
    ['hostpath', '/run/k3s/containerd is not a directory', 'create buildkit --replace'],
    ['crash', 'exited with code 1', 'kubectl logs'],
    ['lock', 'another builder on node', 'create buildkit --replace'],
  ] as const) {
    it(`ends at once where waiting cannot help: ${name}`, async () => {
      const {run, waited} = wait(recorded(name));
      const error = await failureOf(run());
      expect(error.code).to.equal(name === 'image' ? 'builder-image' : 'builder-failed');
      expect(error.message).to.include('The builder "buildkit" does not start: ').and.include(words);
      expect(hintsOf(error)).to.include(fix);
      // At the first look that can see it: events come with the sixth.
      expect(waited()).to.be.at.most(1500);
    });
  }

  for (const [what, said, words] of [
    ['its log has the reason', {stdout: 'flag provided but not defined: -nope\n'}, ': flag provided'],
    ['its log cannot be read', {exitCode: 1, stderr: 'Error from server (Forbidden): no\n'}, 'code 1.'],
  ] as const) {
    it(`names a crash where ${what}`, async () => {
      const {run} = wait({...recorded('crash'), kubectl: () => said});
      expect((await failureOf(run())).message)
        .to.include('exited with code 1')
        .and.include(words);
    });
  }

  for (const name of ['unschedulable-cpu', 'unschedulable-selector']) {
    it(`waits for a node only where one may join: ${name}`, async () => {
      const fixed = wait(recorded(name), {fixedNodes: true});
      expect((await failureOf(fixed.run())).message).to.include("No node can run the builder's pod");
      expect(fixed.waited()).to.equal(0);
      const growing = wait(recorded(name));
      expect((await failureOf(growing.run())).message).to.include('is not ready after 120 s');
      expect(growing.ports.said).to.have.length(1);
    });
  }

  it('gives up after its timeout, with the last reason and what to do', async () => {
    const {run, waited, ports} = wait(
      {
        get: {deployments: [NOT_YET], pods: [...times(9, list(CREATING)), list(NO_NODE)], events: [list()]},
      },
      {timeout: 5000},
    );
    const error = await failureOf(run());
    expect(error.code).to.equal('builder-failed');
    expect(error.message).to.equal(
      'The builder "buildkit" is not ready after 5 s: No node can run the builder\'s pod: 0/1 nodes are available.',
    );
    expect(hintsOf(error))
      .to.include('kubectl describe pods --namespace default --selector app=buildkit')
      .and.include('--builder-timeout');
    expect(waited()).to.be.within(5000, 5600);
    expect(ports.said).to.have.length(2);
  });

  it('gives up with what it waits for if it finds no trouble', async () => {
    const {run} = wait({get: {deployments: [NOT_YET], pods: [list(STARTING)], events: [list()]}});
    expect((await failureOf(run())).message).to.equal(
      `The builder "buildkit" is not ready after ${TIMEOUT / 1000} s: waiting for BuildKit in pod buildkit-1-a to answer`,
    );
  });

  it('looks once if there is no time', async () => {
    const {run} = wait({get: {deployments: [READY], pods: [list(pod())]}}, {timeout: 0});
    expect((await run()).name).to.equal('buildkit');
  });

  it('ends as interrupted as soon as a signal comes', async () => {
    const {run, waited} = wait(
      {get: {deployments: [NOT_YET], pods: [list(STARTING)], events: [list()]}},
      {},
      {interruptAt: 4000},
    );
    const error = await run().catch((caught) => caught);
    expect(error).to.be.instanceOf(Interrupted);
    expect(waited()).to.equal(3000);
  });

  it('throws the error of a cluster that went away', async () => {
    const gone = new Error('gone');
    const {run} = wait({get: {deployments: [NOT_YET, gone], pods: [list(STARTING)]}});
    expect(await run().catch((caught) => caught)).to.equal(gone);
  });
});
