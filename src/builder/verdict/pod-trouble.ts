/** Owns what keeps a builder's pod from running once it exists: no node, a mount, a crash. */
import {type Advice, advise, command} from '../../text/advice.ts';
import {adviseSnapshotter, createCommand} from '../model/builder.ts';
import {type BuilderPod, eventsOf, hasEnded, isDown} from '../model/pods.ts';
import type {PodRule, Trouble, TroubleInput} from './trouble.ts';

export const findEviction: PodRule = (pod) => {
  if (pod.phase !== 'Failed') return undefined;
  return {
    message: `The builder's pod "${pod.name}" ended before it was ready: ${pod.message ?? pod.reason ?? 'Kubernetes gives no reason'}`,
    remedy: [advise`Free the resource that the node is short of; ${describeNode(pod)} shows it.`],
    // The ReplicaSet creates another.
    final: false,
  };
};

/** A cluster that grows may get a node, and an old pod that stops makes room for the new one. */
export const findUnschedulable: PodRule = ({unschedulable, owner}, {pods, fixedNodes = false}) => {
  if (unschedulable === undefined) return undefined;
  // A node that has just started has a taint, and not every version of the scheduler says which.
  const passing =
    /taint|no nodes available/.test(unschedulable) ||
    pods.some((pod) => pod.deleting || (pod.owner !== owner && !hasEnded(pod)));
  return {
    message: `No node can run the builder's pod: ${firstSentence(unschedulable)}`,
    remedy: SCHEDULING_REMEDIES.filter(([pattern]) => pattern.test(unschedulable)).map(
      ([, remedy]) => remedy,
    ),
    final: fixedNodes && !passing,
  };
};

/** By the messages of the scheduler's plugins. */
const SCHEDULING_REMEDIES: readonly (readonly [RegExp, Advice])[] = [
  [
    /Insufficient (cpu|memory|ephemeral-storage)/,
    "Stop other pods, add a node, or lower the builder's resource requests.",
  ],
  [/Too many pods/, 'Stop other pods or add a node: the nodes have reached their limit of pods.'],
  [
    /node affinity|node selector/,
    advise`Change the builder's node selector, or add its labels to a node; ${command('kubectl', 'get', 'nodes', '--show-labels')} shows the labels.`,
  ],
  [/taint/, 'Give the builder a toleration for the taint, or remove the taint from a node.'],
  [
    /anti-affinity/,
    'Do not run more builder pods than there are nodes, nor two builders of the same name on one node.',
  ],
  [/unschedulable/, advise`Allow pods on the node again with ${command('kubectl', 'uncordon', 'NODE')}.`],
];

/** One crash may pass (containerd may not have been up yet); a second one of a builder that was never ready does not. */
export const findCrash: PodRule = (pod, {log = '', deployment}) => {
  const container = pod.containers.find(isDown);
  const end = container?.terminated ?? container?.lastTerminated;
  if (container === undefined || end === undefined) return undefined;
  const final = container.restartCount > 0;
  const output = log || end.message;
  const lock = /could not lock (\S+)/.exec(output)?.[1]?.replace(/,$/, '');
  if (lock !== undefined) {
    return {
      message: `The builder's pod "${pod.name}" cannot start: another builder on node "${pod.node ?? '?'}" holds ${lock}.`,
      remedy: [
        'Builders of the same name in two namespaces, or in two clusters on the same node, may share a directory. A new one has its own:',
        createCommand(deployment, '--replace'),
      ],
      final,
    };
  }
  const snapshotter = /snapshotter not loaded: ([\w.-]+)/.exec(output)?.[1];
  if (snapshotter !== undefined) {
    return {
      message: `containerd on node "${pod.node ?? '?'}" has no snapshotter "${snapshotter}", which the builder uses.`,
      remedy: adviseSnapshotter(deployment),
      final,
    };
  }
  if (end.reason === 'OOMKilled') {
    return {
      message: `The builder's pod "${pod.name}" ran out of memory (OOMKilled) while it started.`,
      remedy: ['Raise its memory limit:', createCommand(deployment, '--replace', '--limit-memory', 'MEMORY')],
      final,
    };
  }
  const words = output.split('\n').find((line) => line.trim() !== '');
  // Recreated with the settings that it has, it would end in the same way.
  if (words?.startsWith('toml: ')) {
    return {
      message: `BuildKit in pod "${pod.name}" does not accept its buildkitd.toml: ${words.trim()}`,
      remedy: [
        'Correct the file that the builder was created with, and give it again:',
        createCommand(deployment, '--replace', '--config', 'FILE'),
        'Or recreate the builder without it:',
        createCommand(deployment, '--replace', '--config='),
      ],
      final,
    };
  }
  return {
    message: `BuildKit in pod "${pod.name}" exited with code ${end.exitCode}${words ? `: ${words.trim()}` : '.'}`,
    remedy: [
      'Read its log:',
      command('kubectl', 'logs', pod.name, '--namespace', deployment.namespace, '--previous'),
      ...recreate('If the log does not help, recreate the builder:', deployment),
    ],
    final,
    crashedPod: pod.name,
  };
};

/** `CreateContainerError`, `CreateContainerConfigError`, `RunContainerError`: the kubelet keeps trying. */
export const findContainerTrouble: PodRule = (pod) => {
  const container = pod.containers.find(({waitingReason}) =>
    /^(Create|Run|Start).*Error$/.test(waitingReason),
  );
  if (container === undefined) return undefined;
  return {
    message: `The container of the builder's pod "${pod.name}" cannot start: ${container.waitingMessage || container.waitingReason}`,
    remedy: [],
    final: false,
  };
};

/** Only events show it, and they no longer hold once the kubelet has gone on to the image. */
export const findMountTrouble: PodRule = (pod, {events, deployment}) => {
  const own = eventsOf(pod, events);
  const later = own.findLastIndex(({reason}) => ['Pulling', 'Pulled', 'Created', 'Started'].includes(reason));
  const event = own.slice(later + 1).findLast(({type}) => type === 'Warning');
  switch (event?.reason) {
    case 'FailedMount':
      return explainMount(pod, event.message, deployment);
    case 'FailedCreatePodSandBox':
      return {
        message: `Node "${pod.node ?? '?'}" cannot create the builder's pod: ${event.message}`,
        remedy: ['Look at the node:', describeNode(pod)],
        final: false,
      };
    default:
      return undefined;
  }
};

function explainMount(pod: BuilderPod, message: string, deployment: TroubleInput['deployment']): Trouble {
  const hostPath = /hostPath type check failed: (.*)/.exec(message)?.[1];
  if (hostPath === undefined) {
    return {
      message: `The volumes of the builder's pod "${pod.name}" cannot be mounted: ${message}`,
      remedy: recreate('Recreate the builder:', deployment),
      // Its ConfigMap may come a moment after it (test/fixtures/recordings/api-builder/stuck-lock.json).
      final: false,
    };
  }
  return {
    message: `The builder needs a path that node "${pod.node ?? '?'}" does not have: ${hostPath}.`,
    remedy: recreate(
      'It was created for another kind of cluster or runtime. Recreate it for this one:',
      deployment,
    ),
    final: true,
  };
}

function recreate(why: string, deployment: TroubleInput['deployment']): readonly Advice[] {
  return [why, createCommand(deployment, '--replace')];
}

function describeNode({node}: BuilderPod) {
  return command('kubectl', 'describe', 'node', node ?? 'NODE');
}

/** The scheduler adds its thoughts on preemption, which help nobody. */
export function firstSentence(text: string): string {
  return text.replace(/\. (no new claims to deallocate|preemption: ).*/s, '.');
}
