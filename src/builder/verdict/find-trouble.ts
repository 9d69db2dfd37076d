/** Owns why a builder does not start, by its Deployment, pods, events and log, and what it is waiting for meanwhile. */
import {command} from '../../text/advice.ts';
import {type BuilderPod, eventsOf, hasEnded, isDown} from '../model/pods.ts';
import {findImageTrouble} from './image-trouble.ts';
import {
  findContainerTrouble,
  findCrash,
  findEviction,
  findMountTrouble,
  findUnschedulable,
  firstSentence,
} from './pod-trouble.ts';
import {findPrivateMount} from './private-mount.ts';
import {findRefusal} from './refusal.ts';
import type {PodRule, Trouble, TroubleInput} from './trouble.ts';

/** In this order: what comes first explains what comes later. */
const RULES: readonly PodRule[] = [
  findEviction,
  findUnschedulable,
  findImageTrouble,
  findPrivateMount,
  findCrash,
  findContainerTrouble,
  findMountTrouble,
];

/** Undefined while all goes well: creating, pulling and starting are no trouble. */
export function findTrouble(input: TroubleInput): Trouble | undefined {
  const {replicas, name, namespace, observedGeneration, generation} = input.deployment;
  // The controller has not seen the last change, so all that there is to see is older.
  if (observedGeneration < generation) return undefined;
  const pods = findCurrentPods(input);
  if (pods.some(({ready}) => ready)) return undefined;
  if (replicas === 0) {
    return {
      message: `The builder "${name}" in namespace "${namespace}" is scaled to 0, so it has no pod.`,
      remedy: [
        command('kubectl', 'scale', `deployment/${name}`, '--replicas', '1', '--namespace', namespace),
      ],
      final: true,
    };
  }
  const troubles = pods.map((pod) => findPodTrouble(pod, input));
  const [first] = troubles
    .filter((trouble) => trouble !== undefined)
    .toSorted((one, other) => one.rule - other.rule);
  if (first === undefined) return pods.length === 0 ? findRefusal(input) : undefined;
  // One pod is enough, so as long as another one may become ready, waiting helps.
  return {...first.trouble, final: troubles.every((found) => found?.trouble.final)};
}

function findPodTrouble(pod: BuilderPod, input: TroubleInput) {
  for (const [rule, find] of RULES.entries()) {
    const trouble = find(pod, input);
    if (trouble !== undefined) return {rule, trouble};
  }
  return undefined;
}

/** One short line on what a builder that starts is waiting for. */
export function describeWaiting(input: Pick<TroubleInput, 'pods' | 'events' | 'deployment'>): string {
  const {pods, events} = input;
  const [pod] = findCurrentPods(input);
  if (pod === undefined) {
    // One that is there and not counted yet may be the new one.
    const ending = pods.find((other) => other.deleting && !hasEnded(other));
    return ending ? `waiting for pod ${ending.name} to stop` : 'waiting for its pod';
  }
  if (pod.ready) return `pod ${pod.name} is ready`;
  if (pod.unschedulable !== undefined) {
    return `waiting for a node that can run it: ${firstSentence(pod.unschedulable)}`;
  }
  const {node, containers} = pod;
  const [container] = containers;
  if (pod.nodeSilent) return `waiting for node ${node} to report`;
  if (container?.running) return `waiting for BuildKit in pod ${pod.name} to answer`;
  if (isDown(container)) return `waiting for BuildKit in pod ${pod.name} to restart`;
  const place = node ? ` on node ${node}` : '';
  const last = eventsOf(pod, events).at(-1);
  const image = last?.reason === 'Pulling' ? /"(.+)"/.exec(last.message)?.[1] : undefined;
  return image ? `pulling ${image}${place}` : `starting pod ${pod.name}${place}`;
}

/**
 * Those of the newest ReplicaSet that are not being deleted: what is wrong with older ones no longer matters. After a
 * change the old ones look alive for a moment, and as long as the Deployment counts none that is up to date, none is.
 */
export function findCurrentPods({
  pods,
  deployment,
}: Pick<TroubleInput, 'pods' | 'deployment'>): readonly BuilderPod[] {
  // It does not count those that have ended.
  const alive = pods.filter((pod) => !pod.deleting && (deployment.updatedReplicas > 0 || hasEnded(pod)));
  const newest = alive.toSorted((a, b) => (b.createdAt ?? 0) - (a.createdAt ?? 0))[0];
  const current = alive.filter(({owner}) => owner === newest?.owner);
  const going = current.filter((pod) => !hasEnded(pod));
  return going.length > 0 ? going : current;
}
