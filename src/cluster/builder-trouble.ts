/** Owns why a builder does not start: from its Deployment, pods, events and log to a cause, a cure, and what it waits for. */
import type {BuilderContainer, BuilderDeployment, BuilderEvent, BuilderPod} from './builder-objects.ts';

export type TroubleKind =
  | 'scaled-to-zero'
  | 'pod-security'
  | 'quota'
  | 'admission'
  | 'unschedulable'
  | 'host-path'
  | 'config'
  | 'sandbox'
  | 'image'
  | 'container'
  | 'lock'
  | 'out-of-memory'
  | 'crash'
  | 'evicted';

export interface Trouble {
  readonly kind: TroubleKind;
  /** One sentence, with what Kubernetes said. */
  readonly message: string;
  readonly remedy: readonly string[];
  /** Whether waiting longer cannot help. */
  readonly final: boolean;
  /** The pod whose log tells more; for a crash, the log of its last run. */
  readonly pod?: string;
}

export interface TroubleInput {
  readonly deployment: BuilderDeployment;
  readonly pods: readonly BuilderPod[];
  readonly events: readonly BuilderEvent[];
  /** The end of the log of the last run, once a crash is known. */
  readonly log?: string;
  /**
   * When this attempt began, by the server's clock: a ReplicaSet's older events are of an earlier one, which had the
   * same name if it was made of the same template. By default as the Deployment was created.
   */
  readonly since?: number;
  /** Whether no node will ever join by itself, as on a local development cluster. */
  readonly fixedNodes?: boolean;
}

type PodRule = (pod: BuilderPod, input: TroubleInput) => Trouble | undefined;

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
  const last = eventsOf(pod, events).at(-1);
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

/** The pod's events, the oldest first. The name serves where there is no ID: the names of a ReplicaSet's pods do not recur. */
function eventsOf(pod: BuilderPod, events: readonly BuilderEvent[]): readonly BuilderEvent[] {
  return events
    .filter(({object: {kind, name, uid}}) => {
      return kind === 'Pod' && (uid && pod.uid ? uid === pod.uid : name === pod.name);
    })
    .toSorted((a, b) => (a.lastSeen ?? 0) - (b.lastSeen ?? 0));
}

function findEviction(pod: BuilderPod): Trouble | undefined {
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
function findUnschedulable(
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

const IMAGE_REASONS = new Set([
  'ErrImagePull',
  'ImagePullBackOff',
  'ErrImageNeverPull',
  'InvalidImageName',
  'ImageInspectError',
  'RegistryUnavailable',
  'SignatureValidationFailed',
]);

/** What may be better at the next attempt. */
const PASSING_PULL =
  /time(d )?out|deadline exceeded|connection (refused|reset)|toomanyrequests|rate limit|\b(429|50[0-4])\b|\bEOF\b|temporary failure|unreachable|try again/i;

function findImageTrouble(pod: BuilderPod, {events}: TroubleInput): Trouble | undefined {
  const container = pod.containers.find(({waitingReason = ''}) => IMAGE_REASONS.has(waitingReason));
  if (container === undefined) return undefined;
  const {image, waitingMessage = '', waitingReason = ''} = container;
  // Before Kubernetes 1.32 the back-off's message tells no cause, and the event of the attempt does.
  const attempt = eventsOf(pod, events).findLast(({message}) => message.startsWith('Failed to pull image'));
  const told = cleanPullMessage(waitingMessage) || cleanPullMessage(attempt?.message ?? '') || waitingReason;
  const denied = /unauthori[sz]ed|denied|forbidden|no basic auth|insufficient_scope|\b40[13]\b/i.test(told);
  return {
    kind: 'image',
    message: `The builder's image ${image} cannot be pulled${pod.node ? ` on node "${pod.node}"` : ''}: ${told}`,
    remedy: [
      'Name an image that the nodes can pull with --builder-image: a copy in a registry of yours, say.',
      ...(denied
        ? ["If that registry wants a login, name its secret in the namespace's default service account."]
        : []),
    ],
    final: !PASSING_PULL.test(told),
    pod: pod.name,
  };
}

/** What is left of the message without the frame that repeats the image's name; nothing where there was only the frame. */
function cleanPullMessage(message: string): string {
  return message
    .replace(/^Back-off pulling image "[^"]*"(: )?/, '')
    .replace(/^(ErrImagePull|Failed to pull image "[^"]*"): /, '')
    .replace(/^rpc error: code = \w+ desc = /, '')
    .replace(/^(initializing source \S+|failed to pull and unpack image "[^"]*"): /, '')
    .trim();
}

/** One crash may pass (containerd was not up yet, say); two in a row of a builder that was never ready do not. */
function findCrash(
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
        `  ${replaceCommand(name, namespace)}`,
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
      `  ${replaceCommand(name, namespace)}`,
    ],
    final,
    pod: pod.name,
  };
}

/** `CreateContainerError`, `CreateContainerConfigError`, `RunContainerError`: the kubelet goes on trying. */
function findContainerTrouble(pod: BuilderPod): Trouble | undefined {
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
function findMountTrouble(
  pod: BuilderPod,
  {events, deployment: {name, namespace}}: TroubleInput,
): Trouble | undefined {
  const own = eventsOf(pod, events);
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
            `  ${replaceCommand(name, namespace)}`,
          ],
          final: true,
          pod: pod.name,
        };
      }
      // Its ConfigMap may come a moment after it (recordings/api/stuck-lock.json).
      return {
        kind: 'config',
        message: `The volumes of the builder's pod "${pod.name}" cannot be mounted: ${event.message}`,
        remedy: [`Make the builder anew:`, `  ${replaceCommand(name, namespace)}`],
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

/** The pod is refused before it exists. The Deployment's condition says so as long as it is true. */
function findRefusal({
  deployment,
  events,
  since = deployment.createdAt ?? 0,
}: TroubleInput): Trouble | undefined {
  const {name, namespace, generation, observedGeneration} = deployment;
  const condition =
    observedGeneration >= generation
      ? deployment.conditions.find(({type, status}) => type === 'ReplicaFailure' && status === 'True')
      : undefined;
  const event = events.findLast(({object, reason, lastSeen = 0}) => {
    // A ReplicaSet is called as its Deployment, a dash and a hash; a Deployment "own-two" is another one than "own".
    const ours = object.kind === 'ReplicaSet' && object.name.replace(/-[a-z0-9]+$/, '') === name;
    return ours && reason === 'FailedCreate' && lastSeen >= since;
  });
  const told = (condition?.message ?? event?.message)
    ?.replace(/^\(combined from similar events\): /, '')
    .replace(/^Error creating: /, '')
    .replace(/^pods "[^"]*" is /, '');
  return told === undefined ? undefined : explainRefusal(told, namespace);
}

function explainRefusal(told: string, namespace: string): Trouble {
  const standard = /violates PodSecurity "(\w+):/.exec(told)?.[1];
  if (standard !== undefined) {
    return {
      kind: 'pod-security',
      message: `Namespace "${namespace}" enforces the Pod Security standard "${standard}", which forbids the builder's pod: ${told}`,
      remedy: [
        'Build in another namespace (--namespace), or allow privileged pods in this one:',
        `  kubectl label namespace ${namespace} pod-security.kubernetes.io/enforce=privileged --overwrite`,
      ],
      final: true,
    };
  }
  if (told.includes('security context constraint')) {
    return {
      kind: 'pod-security',
      message: `The security context constraints forbid the builder's pod: ${told}`,
      remedy: [
        'Let the service account that it runs as use the privileged ones:',
        `  oc adm policy add-scc-to-user privileged -z default --namespace ${namespace}`,
      ],
      final: true,
    };
  }
  if (/exceeded quota|failed quota|(minimum|maximum) .* per (Pod|Container)/i.test(told)) {
    return {
      kind: 'quota',
      message: `A quota or limit of namespace "${namespace}" forbids the builder's pod: ${told}`,
      remedy: [
        'Build in another namespace (--namespace), or raise the limit:',
        `  kubectl describe resourcequota,limitrange --namespace ${namespace}`,
      ],
      // What others use now they may give back; where nothing is in use there is nothing to wait for.
      final: !/used: .*=[^,]*[1-9]/.test(told.replace(/, limited:.*/, '')),
    };
  }
  return {
    kind: 'admission',
    message: `The cluster refuses the builder's pod: ${told}`,
    remedy: ['Build in another namespace (--namespace), or ask those who run the cluster.'],
    // A new namespace lacks its service account for a moment; a webhook may be out of reach for a while.
    final: /denied the request/.test(told),
  };
}

function isDown(container: BuilderContainer | undefined): boolean {
  return container?.terminated !== undefined || container?.waitingReason === 'CrashLoopBackOff';
}

/** The scheduler adds what it thinks of preemption, which helps nobody. */
function firstSentence(text: string): string {
  return text.replace(/\. (no new claims to deallocate|preemption: ).*/s, '.');
}

function replaceCommand(name: string, namespace: string): string {
  return `kubectl tiltbuild builder create ${name} --replace --namespace ${namespace}`;
}
