/** Owns what keeps a builder's pod from running, once it exists: no node, a mount, a crash. */
import {createCommand} from '../model/create-command.ts';
import {type BuilderPod, isDown, sortEventsOf} from '../model/pods.ts';
import type {Trouble, TroubleInput} from './trouble.ts';

export function findEviction(pod: BuilderPod): Trouble | undefined {
  if (pod.phase !== 'Failed') return undefined;
  const why = pod.message ?? pod.disruption ?? pod.reason ?? 'no reason is given';
  return {
    kind: 'evicted',
    message: `The builder's pod "${pod.name}" was ended before it was ready: ${why}`,
    remedy: ['Make room on the node: `kubectl describe node` shows what it is short of.'],
    // The ReplicaSet makes another.
    final: false,
  };
}

/** A cluster that grows may get a node; and an old pod that ends makes room for the new one. */
export function findUnschedulable(
  {unschedulable}: BuilderPod,
  {pods, fixedNodes = false}: TroubleInput,
): Trouble | undefined {
  if (unschedulable === undefined) return undefined;
  const ending = pods.some(({deletionTimestamp}) => deletionTimestamp !== undefined);
  // A node that is just starting has a taint, and not every version of the scheduler says which.
  const passing = /taint|no nodes available/.test(unschedulable);
  return {
    kind: 'unschedulable',
    message: `No node takes the builder's pod: ${firstSentence(unschedulable)}`,
    remedy: SCHEDULING_REMEDIES.filter(([pattern]) => pattern.test(unschedulable)).map(([, cure]) => cure),
    final: fixedNodes && !ending && !passing,
  };
}

/** By the words of the scheduler's plugins. */
const SCHEDULING_REMEDIES: readonly (readonly [RegExp, string])[] = [
  [
    /Insufficient (cpu|memory|ephemeral-storage)/,
    'Stop something, add a node, or lower what the builder requests.',
  ],
  [/Too many pods/, 'Stop something or add a node: the nodes have as many pods as they may.'],
  [
    /node affinity|node selector/,
    "Change the builder's node selector, or label a node so that it matches: `kubectl get nodes --show-labels`.",
  ],
  [/taint/, 'Give the builder a toleration for the taint, or take the taint off a node.'],
  [
    /anti-affinity/,
    'Have no more builder pods than nodes, and no two builders of the same name on one node.',
  ],
  [/unschedulable/, 'Allow pods on the node again: `kubectl uncordon NODE`.'],
];

/** One crash may pass (containerd was not up yet, say); two in a row of a builder that was never ready do not. */
export function findCrash(
  pod: BuilderPod,
  {log = '', deployment: {name, namespace}}: TroubleInput,
): Trouble | undefined {
  const container = pod.containers.find(isDown);
  const end = container?.terminated ?? container?.lastTerminated;
  if (container === undefined || end === undefined) return undefined;
  const final = container.restartCount > 0;
  const told = log || end.message || '';
  const lock = /could not lock (\S+)/.exec(told)?.[1]?.replace(/,$/, '');
  if (lock !== undefined) {
    return {
      kind: 'lock',
      message: `The builder's pod "${pod.name}" cannot start, because another builder on node "${pod.node ?? '?'}" holds ${lock}.`,
      remedy: [
        'Two builders of one name in two namespaces share a directory on the node. One of kubectl tiltbuild has its own:',
        `  ${createCommand({name, namespace}, '--replace')}`,
      ],
      final,
      pod: pod.name,
    };
  }
  if (end.reason === 'OOMKilled') {
    return {
      kind: 'out-of-memory',
      message: `The builder's pod "${pod.name}" was killed for want of memory as it started.`,
      remedy: ["Raise the builder's memory limit, or take it away."],
      final,
      pod: pod.name,
    };
  }
  const words = told.split('\n').find((line) => line.trim() !== '');
  return {
    kind: 'crash',
    message: `BuildKit in pod "${pod.name}" ended with exit code ${end.exitCode}${words ? `: ${words.trim()}` : '.'}`,
    remedy: [
      'Read its log:',
      `  kubectl logs ${pod.name} --namespace ${namespace} --previous`,
      'If nothing there is to be mended, make the builder anew:',
      `  ${createCommand({name, namespace}, '--replace')}`,
    ],
    final,
    pod: pod.name,
  };
}

/** `CreateContainerError`, `CreateContainerConfigError`, `RunContainerError`: the kubelet goes on trying. */
export function findContainerTrouble(pod: BuilderPod): Trouble | undefined {
  const container = pod.containers.find(({waitingReason = ''}) =>
    /^(Create|Run|Start).*Error$/.test(waitingReason),
  );
  if (container === undefined) return undefined;
  return {
    kind: 'container',
    message: `The container of the builder's pod "${pod.name}" cannot be started: ${container.waitingMessage ?? container.waitingReason}`,
    remedy: [],
    final: false,
    pod: pod.name,
  };
}

/** Told by events alone, and no longer true once the kubelet has gone on to the image. */
export function findMountTrouble(
  pod: BuilderPod,
  {events, deployment: {name, namespace}}: TroubleInput,
): Trouble | undefined {
  const own = sortEventsOf(pod, events);
  const later = own.findLastIndex(({reason}) => ['Pulling', 'Pulled', 'Created', 'Started'].includes(reason));
  const event = own.slice(later + 1).findLast(({type}) => type === 'Warning');
  const hostPath = /hostPath type check failed: (.*)/.exec(event?.message ?? '')?.[1];
  switch (event?.reason) {
    case 'FailedMount':
      if (hostPath !== undefined) {
        return {
          kind: 'host-path',
          message: `The builder wants a file of node "${pod.node ?? '?'}" that is not there: ${hostPath}.`,
          remedy: [
            "It is made for another kind of cluster or runtime. Make it anew, for this cluster's:",
            `  ${createCommand({name, namespace}, '--replace')}`,
          ],
          final: true,
          pod: pod.name,
        };
      }
      // Its ConfigMap may come a moment after it (recordings/api/stuck-lock.json).
      return {
        kind: 'config',
        message: `The volumes of the builder's pod "${pod.name}" cannot be mounted: ${event.message}`,
        remedy: [`Make the builder anew:`, `  ${createCommand({name, namespace}, '--replace')}`],
        final: false,
        pod: pod.name,
      };
    case 'FailedCreatePodSandBox':
      return {
        kind: 'sandbox',
        message: `Node "${pod.node ?? '?'}" cannot make the builder's pod: ${event.message}`,
        remedy: [`Look at the node: \`kubectl describe node ${pod.node ?? ''}\`.`],
        final: false,
        pod: pod.name,
      };
    default:
      return undefined;
  }
}

/** The scheduler adds what it thinks of preemption, which helps nobody. */
export function firstSentence(text: string): string {
  return text.replace(/\. (no new claims to deallocate|preemption: ).*/s, '.');
}
