/** Owns why a builder does not start: from its Deployment, pods, events and log to a cause, a cure, and what it waits for. */
import {type BuilderEvent, type BuilderPod, isDown, sortEventsOf} from '../model/pods.ts';
import {findImageTrouble} from './image-trouble.ts';
import {
  findContainerTrouble,
  findCrash,
  findEviction,
  findMountTrouble,
  findUnschedulable,
  firstSentence,
} from './pod-trouble.ts';
import {findRefusal} from './refusal.ts';
import type {PodRule, Trouble, TroubleInput} from './trouble.ts';

/** What is found wrong, or nothing while all goes its way: creating, pulling and starting are no trouble. */
export function findTrouble(input: TroubleInput): Trouble | undefined {
  const {replicas, name, namespace} = input.deployment;
  const pods = findCurrentPods(input.pods);
  if (pods.some(({ready}) => ready)) return undefined;
  if (replicas === 0) {
    return {
      kind: 'scaled-to-zero',
      message: `The builder "${name}" in namespace "${namespace}" is scaled to 0, so it has no pod.`,
      remedy: [`kubectl scale deployment/${name} --replicas 1 --namespace ${namespace}`],
      final: true,
    };
  }
  const rules: readonly PodRule[] = [
    findEviction,
    findUnschedulable,
    findImageTrouble,
    findCrash,
    findContainerTrouble,
    findMountTrouble,
  ];
  for (const rule of rules) {
    for (const pod of pods) {
      const trouble = rule(pod, input);
      if (trouble !== undefined) return trouble;
    }
  }
  return pods.length === 0 ? findRefusal(input) : undefined;
}

/** One short line for whoever waits. */
export function describeWaiting({
  pods,
  events,
}: {
  readonly pods: readonly BuilderPod[];
  readonly events: readonly BuilderEvent[];
}): string {
  const [pod] = findCurrentPods(pods);
  if (pod === undefined) {
    const [ending] = pods;
    return ending ? `waiting for pod ${ending.name} to end` : "waiting for the builder's pod";
  }
  if (pod.ready) return `pod ${pod.name} is ready`;
  if (pod.unschedulable !== undefined) {
    return `waiting for a node that takes the builder: ${firstSentence(pod.unschedulable)}`;
  }
  const {node, containers} = pod;
  const [container] = containers;
  if (container?.running) return `waiting for BuildKit in pod ${pod.name} to answer`;
  if (isDown(container)) return `waiting for BuildKit in pod ${pod.name} to be started again`;
  const place = node ? ` on node ${node}` : '';
  const last = sortEventsOf(pod, events).at(-1);
  const image = last?.reason === 'Pulling' ? /"(.+)"/.exec(last.message)?.[1] : undefined;
  return image ? `pulling ${image}${place}` : `starting pod ${pod.name}${place}`;
}

/**
 * Those of the newest ReplicaSet that are not being deleted. In a rolling update the older ones are still there, and
 * what is wrong with them matters no more.
 */
function findCurrentPods(pods: readonly BuilderPod[]): readonly BuilderPod[] {
  const alive = pods.filter(({deletionTimestamp}) => deletionTimestamp === undefined);
  const newest = alive.toSorted((a, b) => (b.createdAt ?? 0) - (a.createdAt ?? 0))[0];
  return alive.filter(({owner}) => owner === newest?.owner);
}
