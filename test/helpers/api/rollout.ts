/** Owns what becomes of a Deployment: its pods come up as a scene has it, and go, or are lost. */
import {createHash, randomInt} from 'node:crypto';
import type {ApiObject, Json} from '../api-samples.ts';
import {makePod, recordEvent} from './pods.ts';
import {matches} from './reads.ts';
import {readScene, type Scene, type SceneNames} from './scenes.ts';
import {type ApiState, type Cluster, now, putObject, removeObject} from './state.ts';

function podsOf(state: ApiState, {metadata: {namespace}, spec}: ApiObject): readonly ApiObject[] {
  const labels = Object.entries(spec.selector.matchLabels).map(([label, value]) => `${label}=${value}`);
  const selectors = {labelSelector: labels.join()};
  return state.pods.filter((pod) => pod.metadata.namespace === namespace && matches(pod, selectors));
}

/** After its spec has changed: the old pods end before new ones come. */
export function rollOut(cluster: Cluster, deployment: ApiObject): void {
  endPods(cluster, deployment);
  startPods(cluster, deployment, deployment.spec.replicas);
}

/** After nothing but its replicas have changed: pods that are not ready go first, then the newest. */
export function scale(cluster: Cluster, deployment: ApiObject): void {
  const pods = podsOf(cluster.state, deployment).filter(isAlive);
  const missing = deployment.spec.replicas - pods.length;
  const byWorth = [...pods.filter(isReady), ...pods.filter((pod) => !isReady(pod))];
  for (const pod of missing < 0 ? byWorth.slice(missing) : []) endPod(cluster, pod);
  startPods(cluster, deployment, Math.max(0, missing));
}

/** With it go the pods on it, and others are made in their place. */
export function removeNode(cluster: Cluster, name: string): void {
  const {state} = cluster;
  state.nodes = state.nodes.filter(({metadata}) => metadata.name !== name);
  const isThere = ({spec}: ApiObject) => spec.nodeName === name;
  const lost = state.deployments.map((each) => [each, podsOf(state, each).filter(isThere).length] as const);
  state.pods = state.pods.filter((pod) => !isThere(pod));
  for (const [deployment, count] of lost) if (count > 0) startPods(cluster, deployment, count);
}

const isAlive = ({metadata, status}: ApiObject) =>
  metadata.deletionTimestamp === undefined && status.phase !== 'Failed';

const isReady = ({status}: ApiObject) =>
  status.conditions?.some(
    (one: {readonly type: string; readonly status: string}) => one.type === 'Ready' && one.status === 'True',
  ) === true;

export function endPods(cluster: Cluster, deployment: ApiObject): void {
  for (const pod of podsOf(cluster.state, deployment)) endPod(cluster, pod);
}

/** Its container gets its time to end, then the pod is gone. */
function endPod({state, later}: Cluster, pod: ApiObject): void {
  recordEvent(state, pod, {type: 'Normal', reason: 'Killing', message: 'Stopping container buildkitd'});
  putObject(state, 'pods', {...pod, metadata: {...pod.metadata, deletionTimestamp: now()}});
  later(state.builder.terminateMs, () => removeObject(state, 'pods', pod.metadata));
}

function startPods({state, later}: Cluster, deployment: ApiObject, count: number): void {
  const {startMs, terminateMs} = state.builder;
  writeStatus(state, deployment);
  later(terminateMs + startMs, () => {
    const {uid, generation} = deployment.metadata;
    // Another one, or another template, has pods of its own.
    const current = state.deployments.find(
      ({metadata}) => metadata.uid === uid && metadata.generation === generation,
    );
    if (current) playScene(state, current, count);
  });
}

/** At once. */
export function playScene(state: ApiState, deployment: ApiObject, count: number): void {
  const {outcome: usual, outcomes} = state.builder;
  const {metadata, spec: template} = deployment.spec.template;
  for (let index = 0; index < count; index += 1) {
    const names = makeNames(deployment);
    const free = findNode(state, deployment);
    const outcome = free === undefined ? 'stuck-unschedulable-selector' : (outcomes[free] ?? usual);
    const scene = readScene(outcome, names);
    const isTaken = !outcome.startsWith('stuck-unschedulable');
    const nodeName = isTaken ? free : undefined;
    const spec = {...template, ...(nodeName && {nodeName})};
    const [pod] = scene.pods.map(({status}) =>
      putObject(state, 'pods', makePod({...names, name: names.pod}, {metadata, spec}, status)),
    );
    for (const {involvedObject, ...event} of scene.events) {
      const {kind, name} = involvedObject;
      const involved = {kind, metadata: {name, namespace: names.namespace}};
      recordEvent(state, kind === 'Pod' && pod ? pod : involved, event);
    }
    writeStatus(state, deployment, scene);
  }
}

/** One without a pod of it, as builders have their pods on different nodes; undefined where there is none that takes it. */
function findNode(state: ApiState, deployment: ApiObject): string | undefined {
  const taken = podsOf(state, deployment)
    .filter(({status}) => status.phase !== 'Failed')
    .map(({spec}) => spec.nodeName);
  const node = state.nodes.find(
    ({metadata, spec}) => !spec.unschedulable && !spec.taints?.length && !taken.includes(metadata.name),
  );
  return node?.metadata.name;
}

function makeNames({metadata: {name, namespace = ''}, spec: {template}}: ApiObject): SceneNames {
  const hash = createHash('sha256').update(JSON.stringify(template, sortKeys)).digest('hex').slice(0, 10);
  const letters = 'bcdfghjklmnpqrstvwxz2456789';
  const ending = Array.from({length: 5}, () => letters[randomInt(letters.length)]).join('');
  const set = `${name}-${hash}`;
  return {name, namespace, set, pod: `${set}-${ending}`, image: template.spec.containers[0].image};
}

/** A replacer: kubectl sends them in an order of its own. */
function sortKeys(_key: string, value: Json): Json {
  const isMap = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isMap ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) : value;
}

/** As recorded of a Deployment with one replica; if any of its pods is ready, of one that is ready. */
function writeStatus(state: ApiState, deployment: ApiObject, last?: Scene): void {
  const {replicas} = deployment.spec;
  const ready = podsOf(state, deployment).filter((pod) => isAlive(pod) && isReady(pod)).length;
  const names = makeNames(deployment);
  const scene = ready > 0 ? readScene('ready', names) : (last ?? readScene('never', names));
  const counts = Object.entries(scene.deployment.status).map(([field, value]) => {
    if (value !== 1 || !field.endsWith('eplicas')) return [field, value];
    return [field, /^(?:ready|available)/.test(field) ? ready : replicas];
  });
  const status = {...Object.fromEntries(counts), observedGeneration: deployment.metadata.generation};
  putObject(state, 'deployments', {...deployment, status});
}

export type Death = 'deleted' | 'evicted' | 'oom' | 'node-gone';

const LOW =
  'The node was low on resource: ephemeral-storage. Threshold quantity: 26784764233, available: 25801204Ki. ';

/** With the events that a real cluster tells of it, and another pod in its place. */
export function killPod(cluster: Cluster, name: string, how: Death): void {
  const {state, later} = cluster;
  const pod = state.pods.find(({metadata}) => metadata.name === name);
  const deployment = state.deployments.find((each) => podsOf(state, each).some((other) => other === pod));
  if (pod === undefined || deployment === undefined) throw new Error(`No builder has a pod "${name}".`);
  const tell = (type: string, reason: string, message: string) =>
    recordEvent(state, pod, {type, reason, message});
  const change = (status: object, container: object = {}) => {
    const containerStatuses = [{...pod.status.containerStatuses[0], ...container}];
    return putObject(state, 'pods', {...pod, status: {...pod.status, containerStatuses, ...status}});
  };
  const end = (reason: string) => ({
    terminated: {exitCode: 137, reason, startedAt: now(), finishedAt: now()},
  });
  switch (how) {
    case 'deleted':
      endPod(cluster, pod);
      startPods(cluster, deployment, 1);
      return;
    case 'evicted':
      tell('Warning', 'Evicted', LOW);
      change({phase: 'Failed', reason: 'Evicted', message: LOW}, {state: end('Error'), ready: false});
      startPods(cluster, deployment, 1);
      return;
    case 'oom':
      // The kubelet tells nothing of the killing itself: only that it starts the container again.
      tell('Normal', 'Started', 'Container started');
      change({}, {lastState: end('OOMKilled'), restartCount: 1});
      return;
    case 'node-gone': {
      // Its kubelet is silent: nobody knows whether the container runs.
      const lost = change({
        conditions: pod.status.conditions.map((condition: {readonly type: string}) =>
          condition.type === 'Ready' ? {...condition, status: 'False'} : condition,
        ),
      });
      tell('Warning', 'NodeNotReady', 'Node is not ready');
      later(state.builder.terminateMs, () => {
        tell('Normal', 'TaintManagerEviction', `Marking for deletion Pod ${pod.metadata.namespace}/${name}`);
        endPod(cluster, lost);
        startPods(cluster, deployment, 1);
      });
    }
  }
}
