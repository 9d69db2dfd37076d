/** Covers waiting for a builder: what it says meanwhile, and what ends it. */
import {expect} from 'chai';
import {waitForBuilder} from '../../../../src/builder/ensure/wait-for-builder.ts';
import type {BuilderRequest} from '../../../../src/builder/model/request.ts';
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
  type World,
  workingDeployment,
} from '../builder-world.ts';

const READY = found(workingDeployment());
const NOT_YET = found(startingDeployment());
const CREATING = pod({phase: 'Pending', state: {waiting: {reason: 'ContainerCreating'}}});
const STARTING = pod({ready: false});
const STARTS_FOREVER: Script = {get: {deployments: [NOT_YET], pods: [list(STARTING)], events: [list()]}};

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
  const get = {
    deployments: [found({...startingDeployment(), status: deployment.status})],
    pods: [list(...pods)],
    events: [list(...events)],
  };
  return {
    get,
    kubectl: (args) => (args[0] === 'logs' && args.includes('--previous') ? {stdout: logs} : undefined),
  };
}

/** The same answer so many times. */
const times = <T>(count: number, answer: T): readonly T[] => Array(count).fill(answer);

describe('waitForBuilder', () => {
  it('says nothing of one that is ready at once, and looks once, by names that are safe in a path', async () => {
    const settings = {...builderRequest().settings, name: 'a/b?c', namespace: 'n&s'};
    const {run, cluster, ports} = wait(
      {get: {deployments: [READY], pods: [list(pod())]}},
      {settings, timeout: 0},
    );
    expect((await run()).name).to.equal('buildkit');
    expect(cluster.gets).to.deep.equal([
      '/apis/apps/v1/namespaces/n%26s/deployments/a%2Fb%3Fc',
      '/api/v1/namespaces/n%26s/pods?labelSelector=app%3Da%2Fb%3Fc',
    ]);
    expect([cluster.calls, ports.said, ports.sleeps]).to.deep.equal([[], [], []]);
  });

  it('says nothing of one that is ready within a second, and does not read events', async () => {
    const pods = [...times(3, list(STARTING)), list(pod())];
    const {run, ports} = wait({get: {deployments: [...times(3, NOT_YET), READY], pods}});
    await run();
    expect([ports.said, ports.sleeps]).to.deep.equal([[], [300, 300, 300]]);
  });

  it('says what it waits for, once for each change, and how long it took', async () => {
    const involvedObject = {kind: 'Pod', name: 'buildkit-1-a'};
    const pulling = {type: 'Normal', reason: 'Pulling', message: 'Pulling image "b:1"', involvedObject};
    const pods = [...times(6, list()), ...times(6, list(CREATING)), ...times(8, list(STARTING)), list(pod())];
    const {run, ports, cluster} = wait({
      get: {deployments: [...times(20, NOT_YET), READY], pods, events: [list(pulling)]},
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

  const working = (metadata: Record<string, unknown>) => workingDeployment({metadata});
  for (const [what, first] of [
    ['that is not there yet', MISSING],
    ['whose change the controller has not seen', found(working({generation: 2}))],
    ['that is faulty, with a change to come', found(pluginDeployment({metadata: {generation: 3}}))],
    ['without a pod of the new kind', found(workingDeployment({status: {updatedReplicas: 0}}))],
    ['that is being deleted', found(working({deletionTimestamp: '2026-11-24T02:00:00Z'}))],
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

  it('waits until an old pod has stopped, which kubectl build might pick, and not if it has ended', async () => {
    for (const [phase, sleeps] of [
      ['Running', 5],
      ['Succeeded', 0],
    ] as const) {
      const old = pod({name: 'old', owner: 'old', deleting: true, phase});
      const pods = [...times(5, list(old, pod())), list(pod())];
      const {run, ports} = wait({get: {deployments: [READY], pods, events: [list()]}});
      await run();
      expect(ports.sleeps, phase).to.have.length(sleeps);
    }
  });

  it('does not wait for an old pod on a node that is down', async () => {
    const old = pod({name: 'old', owner: 'old', deleting: true, phase: 'Running', ready: false});
    const conditions = [{type: 'ContainersReady', status: 'True'}];
    const silent = {...old, status: {...(old.status as object), conditions}};
    const {run, ports} = wait({get: {deployments: [READY], pods: [list(silent, pod())], events: [list()]}});
    await run();
    expect(ports.sleeps).to.deep.equal([]);
  });

  it('needs no permission to list pods or events', async () => {
    const deployments = [...times(6, NOT_YET), READY];
    const {run, ports} = wait({get: {deployments, pods: [forbidden('no')], events: [forbidden('no')]}});
    await run();
    expect(ports.said.at(-1)).to.equal('builder "buildkit" is ready after 1.8 s.');
  });

  const refused = {exitCode: 1, stderr: 'Error from server (Forbidden): no\n', stdout: 'could not lock /x'};
  for (const [what, script, code, words] of [
    ['an image', recorded('image'), 'builder-image', 'registry.example/nope:1 cannot be pulled'],
    ['a quota, by events', recorded('quota'), 'builder-failed', 'exceeded quota: q'],
    ['a lock, by the log', recorded('lock'), 'builder-failed', 'another builder on node'],
    [
      'a crash whose log cannot be read',
      {...recorded('lock'), kubectl: () => refused},
      'builder-failed',
      'code 1',
    ],
  ] as const) {
    it(`ends at once where waiting cannot help: ${what}`, async () => {
      const {run, waited} = wait(script);
      const error = await failureOf(run());
      expect(error).to.include({code});
      expect(error.message).to.include('The builder "buildkit" does not start: ').and.include(words);
      expect(error.remedy).not.to.deep.equal([]);
      // At the first look that can see it: events come with the sixth.
      expect(waited()).to.be.at.most(1500);
    });
  }

  const LATER = '2026-11-25T00:00:00Z';
  it('reads what a quota leaves that demands limits, and gives the flags with the figures', async () => {
    const message =
      'pods "buildkit-1-a" is forbidden: failed quota: q: must specify limits.memory for: buildkitd';
    const involvedObject = {kind: 'ReplicaSet', name: 'buildkit-1'};
    const event = {type: 'Warning', reason: 'FailedCreate', message, involvedObject, lastTimestamp: LATER};
    const status = {hard: {'limits.memory': '6Gi'}, used: {'limits.memory': '0'}};
    for (const [quotas, figure] of [
      [list({metadata: {name: 'q'}, status}), '6Gi'],
      [forbidden('no'), '4Gi'],
    ] as const) {
      const get = {deployments: [NOT_YET], pods: [list()], events: [list(event)], resourcequotas: [quotas]};
      expect(hintsOf(await failureOf(wait({get}).run()))).to.include(
        `builder create buildkit --replace --limit-memory ${figure} --request-memory 256Mi --namespace default`,
      );
    }
  });

  const crash = {terminated: {exitCode: 1, reason: 'Error', finishedAt: '2026-11-24T01:00:00Z'}};
  const waiting = {waiting: {reason: 'CrashLoopBackOff'}};
  const crashing = {ready: false, restartCount: 4, state: waiting, lastState: crash};
  const OLD = pod({name: 'old', owner: 'old', ...crashing});
  const UNPLACED = {
    reason: 'Unschedulable',
    message: '0/1 nodes: no anti-affinity',
    status: 'False',
    type: 'PodScheduled',
  };
  const fresh = {...(pod({phase: 'Pending', state: {}}) as Record<string, object>)};
  const younger = {...fresh, metadata: {...fresh.metadata, creationTimestamp: '2026-11-24T02:00:01Z'}};
  const refusing = {type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate'};
  const forbiddenBefore = {
    ...refusing,
    message: 'violates PodSecurity "baseline:latest"',
    lastUpdateTime: '2026-11-24T01:00:00Z',
  };
  const changed = {
    managedFields: [{time: '2026-11-24T02:00:00Z'}],
    creationTimestamp: '2026-11-24T00:00:00Z',
  };
  const event = {
    ...{type: 'Warning', reason: 'FailedCreate', lastTimestamp: '2026-11-24T01:59:00Z'},
    ...{
      message: 'violates PodSecurity "baseline:latest"',
      involvedObject: {kind: 'ReplicaSet', name: 'buildkit-1'},
    },
  };
  for (const [what, status, pods] of [
    ['is still there', {updatedReplicas: 0}, [OLD]],
    ['has ended', {updatedReplicas: 0}, [pod({name: 'old', phase: 'Failed', ready: false})]],
    ['crashes beside the new one', {}, [OLD, younger]],
    [
      'leaves the new one no room',
      {},
      [OLD, {...younger, status: {phase: 'Pending', conditions: [UNPLACED]}}],
    ],
    ['was forbidden', {updatedReplicas: 0, conditions: [forbiddenBefore]}, []],
  ] as const) {
    it(`does not judge a builder that was recreated by an old pod that ${what}`, async () => {
      const deployment = found(startingDeployment({metadata: changed, status}));
      const {run, ports} = wait(
        {
          get: {
            deployments: [...times(8, deployment), READY],
            pods: [...times(8, list(...pods)), list(pod())],
            events: [list(event)],
          },
        },
        {fixedNodes: true},
      );
      await run();
      expect(ports.sleeps).to.have.length(8);
    });
  }

  it('does not take for ready what only an old pod is', async () => {
    const old = pod({name: 'old', owner: 'old'});
    const pods = [...times(3, list(old, younger)), list(pod())];
    const {run, ports} = wait({get: {deployments: [READY], pods}});
    await run();
    expect(ports.sleeps).to.have.length(3);
  });

  it("takes the kubelet's words on a log that is gone for no log", async () => {
    const stdout = 'unable to retrieve container logs for containerd://0123456789';
    const script = {...recorded('lock'), kubectl: () => ({stdout})};
    expect((await failureOf(wait(script).run())).message).to.match(/exited with code 1\.$/);
  });

  it('waits for a node only where one may join, and gives up with the reason and what to do', async () => {
    const fixed = wait(recorded('unschedulable-cpu'), {fixedNodes: true});
    expect((await failureOf(fixed.run())).message).to.include("No node can run the builder's pod");
    expect(fixed.waited()).to.equal(0);

    const growing = wait(recorded('unschedulable-cpu'), {timeout: 5000});
    const error = await failureOf(growing.run());
    expect(error).to.include({code: 'builder-failed'});
    expect(error.message).to.equal(
      `The builder "buildkit" is not ready after 5 s: No node can run the builder's pod: 0/1 nodes are available: 1 Insufficient cpu.`,
    );
    expect(hintsOf(error)).to.include('resource requests').and.include('--builder-timeout');
    expect(hintsOf(error)).to.include('kubectl describe pods --namespace default --selector app=buildkit');
    expect(growing.waited()).to.be.within(5000, 5600);
    expect(growing.ports.said).to.have.length(1);
  });

  it('gives up with what it waits for if it finds no trouble', async () => {
    expect((await failureOf(wait(STARTS_FOREVER).run())).message).to.equal(
      'The builder "buildkit" is not ready after 120 s: waiting for BuildKit in pod buildkit-1-a to answer',
    );
  });

  it('gives up on one that was removed, unless it comes back soon', async () => {
    const gone = wait({get: {deployments: [NOT_YET, MISSING], pods: [list()], events: [list()]}});
    const error = await failureOf(gone.run());
    expect(error).to.include({code: 'builder-failed'});
    expect(error.message).to.equal('The builder "buildkit" in namespace "default" was removed.');
    expect(hintsOf(error)).to.include('kubectl tiltbuild builder create buildkit --namespace default');
    expect(gone.waited()).to.be.below(7000);

    const deployments = [...times(9, MISSING), NOT_YET, ...times(9, MISSING), READY];
    const back = wait({get: {deployments, pods: [...times(19, list()), list(pod())], events: [list()]}});
    expect((await back.run()).readyReplicas).to.equal(1);
  });

  it('throws the error of a cluster that went away', async () => {
    const gone = new Error('gone');
    const {run} = wait({get: {deployments: [NOT_YET, gone], pods: [list(STARTING)]}});
    expect(await run().catch((caught) => caught)).to.equal(gone);
  });
});
