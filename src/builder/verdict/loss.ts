/** Owns whether a builder's pod was lost during a build, why, and whether another attempt makes sense. */
import {
  type BuilderContainer,
  type BuilderEvent,
  type BuilderPod,
  eventsOf,
  isSamePod,
} from '../model/pods.ts';

export interface Loss {
  /** One sentence. */
  readonly message: string;
  /** Whether the build did not cause it, so the same build may well succeed on a new pod. */
  readonly retriable: boolean;
  readonly pod: string;
  /** Whether the build ran on this pod. Of several, kubectl build takes any, and does not say which. */
  readonly certain: boolean;
}

export interface LossInput {
  /** The builder's pods as the build began. */
  readonly before: readonly BuilderPod[];
  readonly now: readonly BuilderPod[];
  readonly events: readonly BuilderEvent[];
  /** Name of the pod that the build runs on, if that is known. */
  readonly used?: string | undefined;
}

/**
 * The first of the pods that is lost. A pod that is being deleted is not lost yet: buildkitd continues a running build
 * until its grace period is over, and a short build comes to its end.
 */
export function findLoss({before, now, events, used}: LossInput): Loss | undefined {
  const running = before.filter(
    ({phase, name}) => phase === 'Running' && (used === undefined || name === used),
  );
  for (const pod of running) {
    const current = now.find((other) => isSamePod(other, pod));
    const found = judgePod(pod, current, eventsOf(pod, events));
    if (found !== undefined) return {...found, pod: pod.name, certain: running.length === 1};
  }
  return undefined;
}

type Finding = Pick<Loss, 'message' | 'retriable'>;

function judgePod(
  before: BuilderPod,
  now: BuilderPod | undefined,
  events: readonly BuilderEvent[],
): Finding | undefined {
  const who = `The builder's pod "${before.name}"`;
  if (now === undefined) return explainGone(who, before, events);
  if (now.phase === 'Failed' || now.phase === 'Succeeded') {
    const why = now.message ?? now.reason;
    if (now.reason === 'Evicted') return explainEviction(who, now, why);
    return {message: sentence(`${who} was stopped during the build`, why), retriable: true};
  }
  for (const container of now.containers) {
    const restarts = before.containers.find(({name}) => name === container.name)?.restartCount ?? 0;
    const found = judgeContainer(who, container, restarts);
    if (found !== undefined) return found;
  }
  // A pod whose probe takes too long under load is not ready either, and is not lost.
  if (now.node === undefined || !now.nodeSilent) return undefined;
  return {message: `${who} is lost: its node "${now.node}" is no longer ready.`, retriable: true};
}

/** The pod's own message went with it; its events stay for an hour. */
function explainGone(who: string, pod: BuilderPod, events: readonly BuilderEvent[]): Finding {
  const evicted = events.findLast(({reason}) => reason === 'Evicted');
  if (evicted) return explainEviction(who, pod, evicted.message);
  const cause = events.findLast(({reason}) =>
    ['Preempted', 'TaintManagerEviction', 'NodeNotReady', 'NodeShutdown'].includes(reason),
  );
  return {message: sentence(`${who} was deleted during the build`, cause?.message), retriable: true};
}

/** The kubelet evicts what uses up the node, which the build on it most likely did, and would do again. */
function explainEviction(who: string, {node}: BuilderPod, why: string | undefined): Finding {
  const place = node ? ` from node "${node}"` : '';
  return {message: sentence(`${who} was evicted${place} during the build`, why), retriable: false};
}

function judgeContainer(who: string, container: BuilderContainer, restarts: number): Finding | undefined {
  const end = container.terminated ?? container.lastTerminated;
  if (container.terminated === undefined && container.restartCount <= restarts) return undefined;
  if (end?.reason === 'OOMKilled') {
    return {
      message: `${who} ran out of memory (OOMKilled) during the build. Raise the builder's memory limit, or run fewer steps at once.`,
      retriable: false,
    };
  }
  const how = end && `exit code ${end.exitCode}${end.message ? `: ${end.message.split('\n')[0]}` : ''}`;
  return {message: sentence("BuildKit in the builder's pod exited during the build", how), retriable: true};
}

function sentence(statement: string, why: string | undefined): string {
  return why ? `${statement}: ${why.trim().replace(/\.$/, '')}.` : `${statement}.`;
}
