/** Owns what becomes of a Deployment: its pods come up as a scene has it, and go, or are lost. */
import {createHash, randomInt} from 'node:crypto';
import type {ApiObject} from '../api-samples.ts';
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
  writeStatus(state, deployment, readScene('never', makeNames(deployment)));
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
  const {outcome} = state.builder;
  const {metadata, spec: template} = deployment.spec.template;
  for (let index = 0; index < count; index += 1) {
    const names = makeNames(deployment);
    const scene = readScene(outcome, names);
    const isTaken = !outcome.startsWith('stuck-unschedulable');
    const nodeName = isTaken ? state.nodes[index % state.nodes.length]?.metadata.name : undefined;
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

function makeNames({metadata: {name, namespace = ''}, spec: {template}}: ApiObject): SceneNames {
  const hash = createHash('sha256').update(JSON.stringify(template)).digest('hex').slice(0, 10);
  const letters = 'bcdfghjklmnpqrstvwxz2456789';
  const ending = Array.from({length: 5}, () => letters[randomInt(letters.length)]).join('');
  const set = `${name}-${hash}`;
  return {name, namespace, set, pod: `${set}-${ending}`, image: template.spec.containers[0].image};
}

/** The recorded ones have one replica. */
function writeStatus(state: ApiState, deployment: ApiObject, scene: Scene): void {
  const {replicas} = deployment.spec;
  const counts = Object.entries(scene.deployment.status).map(([field, value]) => [
    field,
    value === 1 && field.endsWith('eplicas') ? replicas : value,
  ]);
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
