/** Owns what becomes of a Deployment: its pods come up, and go, as a scene has it. */
import {createHash, randomInt} from 'node:crypto';
import type {ApiObject} from '../api-samples.ts';
import {makePod, recordEvent, tellOf} from './pods.ts';
import {matches} from './reads.ts';
import {readScene, type Scene, type SceneNames} from './scenes.ts';
import {
  type ApiState,
  type BuilderOutcome,
  type Cluster,
  findObject,
  now,
  putObject,
  removeObject,
} from './state.ts';

function podsOf(state: ApiState, {metadata: {namespace}, spec}: ApiObject): readonly ApiObject[] {
  const labels = Object.entries(spec.selector.matchLabels).map(([label, value]) => `${label}=${value}`);
  const selectors = {labelSelector: labels.join()};
  return state.pods.filter((pod) => pod.metadata.namespace === namespace && matches(pod, selectors));
}

/** After its spec has changed: the old pods end before new ones come. */
export function rollOut(cluster: Cluster, deployment: ApiObject): void {
  const afterMs = endPods(cluster, deployment) ? cluster.state.builder.terminateMs : 0;
  startPods(cluster, deployment, {count: deployment.spec.replicas, afterMs});
}

/** Whether there were any. */
export function endPods(cluster: Cluster, deployment: ApiObject): boolean {
  const pods = podsOf(cluster.state, deployment);
  for (const pod of pods) endPod(cluster, pod);
  return pods.length > 0;
}

/** Its container gets its time to end, then the pod is gone. */
export function endPod({state, later}: Cluster, pod: ApiObject): void {
  const {phase} = pod.status;
  if (phase === 'Running') tellOf(state, pod, ['Normal', 'Killing', 'Stopping container buildkitd']);
  putObject(state, 'pods', {...pod, metadata: {...pod.metadata, deletionTimestamp: now()}});
  later(state.builder.terminateMs, () => removeObject(state, 'pods', pod.metadata));
}

/** In the place of one that is lost. */
export function replacePod(cluster: Cluster, {metadata: {name}}: ApiObject): void {
  const deployment = cluster.state.deployments.find((each) =>
    podsOf(cluster.state, each).some(({metadata}) => metadata.name === name),
  );
  if (deployment) startPods(cluster, deployment, {count: 1, afterMs: 0});
}

function startPods(
  {state, later}: Cluster,
  deployment: ApiObject,
  {count, afterMs}: {readonly count: number; readonly afterMs: number},
): void {
  writeStatus(state, deployment, readScene('never', makeNames(deployment)));
  later(afterMs + state.builder.startMs, () => {
    const current = findObject(state, 'deployments', deployment.metadata);
    const {uid, generation} = deployment.metadata;
    // Another one, or another template, has pods of its own.
    if (current?.metadata.uid === uid && current?.metadata.generation === generation && current) {
      playScene(state, current, {count, outcome: state.builder.outcome});
    }
  });
}

/** At once. */
export function playScene(
  state: ApiState,
  deployment: ApiObject,
  {count, outcome}: {readonly count: number; readonly outcome: BuilderOutcome},
): void {
  const {metadata, spec: template} = deployment.spec.template;
  for (let index = 0; index < count; index += 1) {
    const names = makeNames(deployment);
    const {name, namespace, set} = {...names, name: names.pod};
    const scene = readScene(outcome, names);
    const isTaken = !outcome.startsWith('stuck-unschedulable');
    const nodeName = isTaken ? state.nodes[index % state.nodes.length]?.metadata.name : undefined;
    const spec = {...template, ...(nodeName && {nodeName})};
    const [pod] = scene.pods.map(({status}) =>
      putObject(state, 'pods', makePod({name, namespace, set}, {metadata, spec}, status)),
    );
    for (const event of scene.events) {
      const uid = event.involvedObject.kind === 'Pod' && {uid: pod?.metadata.uid};
      recordEvent(state, namespace, {...event, involvedObject: {...event.involvedObject, ...uid}});
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
