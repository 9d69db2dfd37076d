/** Covers watching a builder's pods during a build: when it looks, what it takes for a loss, and how it ends. */
import {expect} from 'chai';
import {PodList} from '../../../../src/builder/ensure/pod-list.ts';
import {watchBuilder} from '../../../../src/builder/ensure/watch-builder.ts';
import type {Cluster} from '../../../../src/cluster/ports.ts';
import {forbidden, list, makePorts, pod, type Script, scriptCluster, type World} from '../builder-world.ts';

const OWN = {name: 'own', namespace: 'ns'};
const POD = pod({name: 'p'});
const PODS = '/api/v1/namespaces/ns/pods?labelSelector=app%3Down';
const EVENTS = '/api/v1/namespaces/ns/events?limit=500';
const OOM = {terminated: {reason: 'OOMKilled', exitCode: 137}};
const killed = pod({name: 'p', ready: false, state: OOM});

const onPods = (cluster: Cluster) => ({
  ...{namespace: OWN.namespace, cluster, used: () => undefined},
  pods: new PodList(OWN, cluster),
});

/** The build ends with the look of this number, or by itself never. */
function watch(script: Script, endsAtLook = Number.POSITIVE_INFINITY, world: World = {}) {
  const {promise: done, resolve, reject} = Promise.withResolvers<{exitCode: number}>();
  let looks = 0;
  const cluster = scriptCluster({
    ...script,
    onGet: (path) => {
      if (path === PODS) looks += 1;
      if (looks >= endsAtLook) resolve({exitCode: 0});
    },
  });
  const ports = makePorts(world);
  return {
    cluster,
    ports,
    reject,
    run: () => watchBuilder(onPods(cluster), done, ports),
  };
}

describe('watchBuilder', () => {
  it('reports nothing if the pods stay until the end, and does not read events', async () => {
    const {run, cluster, ports} = watch({get: {pods: [list(POD)]}}, 4);
    expect(await run()).to.equal(undefined);
    expect(cluster.gets).to.deep.equal([PODS, PODS, PODS, PODS]);
    // Five times as rarely as while a builder starts.
    expect(ports.sleeps).to.deep.equal([700, 1500, 1500, 1500]);
    expect(ports.said).to.deep.equal([]);
  });

  it('begins with the pods that the build has listed, and lists none if it fails before that', async () => {
    const cluster = scriptCluster({get: {pods: [list(POD), list()], events: [list()]}});
    const watched = onPods(cluster);
    await watched.pods.get();
    const never = new Promise<never>(() => undefined);
    expect(await watchBuilder(watched, never, makePorts())).to.include({pod: 'p', certain: true});
    expect(cluster.gets).to.deep.equal([PODS, PODS, EVENTS]);
    const failed = Promise.resolve({exitCode: 1});
    const idle = {...makePorts(), sleep: () => never};
    expect(await watchBuilder(onPods(cluster), failed, idle)).to.equal(undefined);
    expect(cluster.gets).to.have.length(3);
  });

  const involvedObject = {kind: 'Pod', name: 'p', uid: 'uid-p'};
  const evicted = {reason: 'Evicted', message: 'The node was low on resource: memory.', involvedObject};
  for (const [what, pods, events, retriable, message] of [
    ['an eviction, by its event', [list(POD), list(POD), list()], list(evicted), false, 'low on resource'],
    ['a deletion', [list(POD), list()], forbidden('no'), true, 'pod "p" was deleted during the build.'],
    ['a deletion without events', [list(POD), list()], new Error('gone'), true, 'was deleted during'],
    ['a lack of memory', [list(POD), list(killed)], list(), false, 'OOMKilled'],
    ['a loss after a look that failed', [list(POD), new Error('slow'), list()], list(), true, 'deleted'],
  ] as const) {
    it(`reports ${what}`, async () => {
      const {run, cluster} = watch({get: {pods, events: [events]}});
      const loss = await run();
      expect(cluster.gets).to.deep.equal([...pods.map(() => PODS), EVENTS]);
      expect(loss).to.include({pod: 'p', certain: true, retriable});
      expect(loss?.message).to.include(message);
    });
  }

  for (const [what, pods] of [
    ['a look that fails', [list(POD), new Error('slow'), list(POD)]],
    ['a first look that fails', [new Error('slow'), list(POD)]],
    ['pods that cannot be listed', [forbidden('no')]],
    ['a pod that is being deleted', [list(POD), list(pod({name: 'p', deleting: true}))]],
    ['a pod that is not ready', [list(POD), list(pod({name: 'p', ready: false}))]],
    ['a pod that came later', [list(POD), list(POD, pod({name: 'q'})), list(POD)]],
    ['no pod at all', [list()]],
  ] as const) {
    it(`takes ${what} for no loss`, async () => {
      expect(await watch({get: {pods}}, 5).run()).to.equal(undefined);
    });
  }

  it('gives a build the time to show that it runs on another pod', async () => {
    const pods = [list(POD, pod({name: 'q'})), list(POD)];
    const {run, ports} = watch({get: {pods, events: [list()]}});
    expect(await run()).to.include({pod: 'q', certain: false});
    expect(ports.sleeps).to.deep.equal([700, 1500, 30_000]);
  });

  it('reports nothing if the build ends in that time', async () => {
    const {promise, resolve} = Promise.withResolvers<{exitCode: number}>();
    const cluster = scriptCluster({get: {pods: [list(POD, pod({name: 'q'})), list(POD)], events: [list()]}});
    const ports = makePorts();
    const sleep = async (milliseconds: number) => {
      if (milliseconds < 30_000) return await ports.sleep(milliseconds);
      resolve({exitCode: 0});
      await new Promise(() => undefined);
    };
    expect(await watchBuilder(onPods(cluster), promise, {...ports, sleep})).to.equal(undefined);
  });

  it('ends if the build throws, or ends during a look', async () => {
    const {run, reject} = watch({get: {pods: [list(POD)]}});
    const watched = run();
    reject(new Error('x'));
    expect(await watched).to.equal(undefined);

    const cluster = {...scriptCluster(), get: () => new Promise<never>(() => undefined)};
    const ended = makePorts()
      .sleep(0)
      .then(() => ({exitCode: 0}));
    expect(await watchBuilder(onPods(cluster), ended, makePorts())).to.equal(undefined);
  });
});
