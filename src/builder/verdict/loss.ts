/** Owns telling that a builder's pod is lost while a build runs on it, by what, and whether another attempt makes sense. */
import {
  type BuilderContainer,
  type BuilderEvent,
  type BuilderPod,
  isSamePod,
  sortEventsOf,
} from '../model/pods.ts';

export interface Loss {
  /** One sentence. */
  readonly message: string;
  /** Whether nothing of the user's was at fault, so that the same build may well succeed on a new pod. */
  readonly retriable: boolean;
  readonly pod: string;
  /** Whether the build ran on this pod. With more than one, `kubectl build` takes any, and does not say which. */
  readonly certain: boolean;
}

export interface LossInput {
  /** The builder's pods as the build began. */
  readonly before: readonly BuilderPod[];
  readonly now: readonly BuilderPod[];
  readonly events: readonly BuilderEvent[];
}

/**
 * The first of the pods that is lost. One that is being deleted is not lost yet: buildkitd lets a running build go
 * on until its grace period is over, and a short one comes to its end.
 */
export function findLoss({before, now, events}: LossInput): Loss | undefined {
  const running = before.filter(({phase}) => phase === 'Running');
  for (const pod of running) {
    const current = now.find((other) => isSamePod(other, pod));
    const found = judgePod(pod, current, sortEventsOf(pod, events));
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
    const why = now.message ?? now.disruption ?? now.reason;
    if (now.reason === 'Evicted') return explainEviction(who, now, why);
    return {message: sentence(`${who} was ended while it built`, why), retriable: true};
  }
  for (const container of now.containers) {
    const found = judgeContainer(
      who,
      container,
      before.containers.find(({name}) => name === container.name)?.restartCount ?? 0,
    );
    if (found !== undefined) return found;
  }
  return judgeNode(who, now);
}

/** Its own words would be gone with it; its events stay for an hour. */
function explainGone(who: string, pod: BuilderPod, events: readonly BuilderEvent[]): Finding {
  const evicted = events.findLast(({reason}) => reason === 'Evicted');
  if (evicted) return explainEviction(who, pod, evicted.message);
  const cause = events.findLast(({reason}) =>
    ['Preempted', 'TaintManagerEviction', 'NodeNotReady', 'NodeShutdown'].includes(reason),
  );
  return {message: sentence(`${who} was deleted while it built`, cause?.message), retriable: true};
}

/** The kubelet evicts what uses up the node, which the build on it most likely did, and would do again. */
function explainEviction(who: string, {node}: BuilderPod, why: string | undefined): Finding {
  const place = node ? ` from node "${node}"` : '';
  return {message: sentence(`${who} was evicted${place} while it built`, why), retriable: false};
}

function judgeContainer(who: string, container: BuilderContainer, restarts: number): Finding | undefined {
  const end = container.terminated ?? container.lastTerminated;
  if (container.terminated === undefined && container.restartCount <= restarts) return undefined;
  if (end?.reason === 'OOMKilled') {
    return {
      message: `${who} was killed for want of memory (OOMKilled) while it built. Raise the builder's memory limit, or let the build do less at once.`,
      retriable: false,
    };
  }
  const how = end && `exit code ${end.exitCode}${end.message ? `: ${end.message.split('\n')[0]}` : ''}`;
  return {message: sentence(`BuildKit in the builder's pod ended while it built`, how), retriable: true};
}

/** A pod may be not ready for its load alone, as its probe takes too long: that is no loss. */
function judgeNode(who: string, {node, nodeSilent}: BuilderPod): Finding | undefined {
  if (node === undefined || !nodeSilent) return undefined;
  return {message: `${who} is lost: its node "${node}" is not ready any more.`, retriable: true};
}

function sentence(statement: string, why: string | undefined): string {
  return why ? `${statement}: ${why.trim().replace(/\.$/, '')}.` : `${statement}.`;
}
