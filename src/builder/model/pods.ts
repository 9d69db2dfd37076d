/** Owns reading the builder's pods and the events about them out of the API server's JSON. */
import {findCondition, readConditions} from '../../cluster/api/conditions.ts';
import {
  asItems,
  asList,
  asNumber,
  asObject,
  asText,
  asTime,
  optional,
} from '../../cluster/api/json-values.ts';

export interface ContainerEnd {
  readonly reason: string;
  readonly exitCode: number;
  readonly message?: string;
}

export interface BuilderContainer {
  readonly name: string;
  readonly image: string;
  readonly imageId: string;
  readonly running: boolean;
  readonly restartCount: number;
  readonly waitingReason?: string;
  readonly waitingMessage?: string;
  /** How it ended, while it is down. */
  readonly terminated?: ContainerEnd;
  /** How its last run ended. */
  readonly lastTerminated?: ContainerEnd;
}

export interface BuilderPod {
  readonly name: string;
  readonly uid: string;
  readonly phase: string;
  readonly ready: boolean;
  /**
   * Whether its node is not heard from. The node controller then makes the pod not ready, and leaves its condition
   * ContainersReady, which the kubelet changes along with it (pkg/controller/util/node, MarkPodsNotReady).
   */
  readonly nodeSilent: boolean;
  /** Its node, once it has one. */
  readonly node?: string;
  readonly createdAt?: number;
  readonly deletionTimestamp?: number;
  /** Name of the ReplicaSet that made it. */
  readonly owner?: string;
  readonly reason?: string;
  readonly message?: string;
  /** Why no node takes it. */
  readonly unschedulable?: string;
  /** Why Kubernetes ended it, if it was Kubernetes: its condition DisruptionTarget. */
  readonly disruption?: string;
  readonly containers: readonly BuilderContainer[];
}

export interface BuilderEvent {
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  readonly object: {readonly kind: string; readonly name: string; readonly uid: string};
  readonly count: number;
  readonly lastSeen?: number;
}

export function readPods(body: unknown): readonly BuilderPod[] {
  return asItems(body).map(({metadata, spec, status}) => {
    const meta = asObject(metadata);
    const {phase, reason, message, conditions, containerStatuses} = asObject(status);
    const found = readConditions(conditions);
    const isTrue = (wanted: string) => findCondition(found, wanted, 'True') !== undefined;
    const unscheduled = findCondition(found, 'PodScheduled', 'False');
    const disruption = findCondition(found, 'DisruptionTarget', 'True');
    const owner = asList(meta.ownerReferences)
      .map(asObject)
      .find(({controller}) => controller === true);
    return {
      name: asText(meta.name),
      uid: asText(meta.uid),
      phase: asText(phase),
      ready: isTrue('Ready'),
      nodeSilent: !isTrue('Ready') && isTrue('ContainersReady'),
      ...optional('node', asText(asObject(spec).nodeName) || undefined),
      ...optional('createdAt', asTime(meta.creationTimestamp)),
      ...optional('deletionTimestamp', asTime(meta.deletionTimestamp)),
      ...optional('owner', owner && asText(owner.name)),
      ...optional('reason', asText(reason) || undefined),
      ...optional('message', asText(message) || undefined),
      ...optional('unschedulable', unscheduled && (unscheduled.message || unscheduled.reason)),
      ...optional('disruption', disruption && (disruption.message || disruption.reason)),
      containers: asList(containerStatuses).map(readContainer),
    };
  });
}

/** `eventTime` is all that the scheduler's events have (recordings/api/builder-by-plugin-events.json). */
export function readEvents(body: unknown): readonly BuilderEvent[] {
  return asItems(body).map(({type, reason, message, involvedObject, count, series, ...times}) => {
    const {kind, name, uid} = asObject(involvedObject);
    const {count: seriesCount, lastObservedTime} = asObject(series);
    const lastSeen = [lastObservedTime, times.lastTimestamp, times.eventTime, times.firstTimestamp]
      .map(asTime)
      .find((time) => time !== undefined);
    return {
      type: asText(type),
      reason: asText(reason),
      message: asText(message),
      object: {kind: asText(kind), name: asText(name), uid: asText(uid)},
      count: asNumber(count) || asNumber(seriesCount) || 1,
      ...optional('lastSeen', lastSeen),
    };
  });
}

/** The name serves where there is no ID: the names of a ReplicaSet's pods do not recur. */
export function isSamePod(
  one: Pick<BuilderPod, 'uid' | 'name'>,
  other: Pick<BuilderPod, 'uid' | 'name'>,
): boolean {
  return one.uid && other.uid ? one.uid === other.uid : one.name === other.name;
}

/** The pod's events, in the order given. */
export function eventsOf(pod: BuilderPod, events: readonly BuilderEvent[]): readonly BuilderEvent[] {
  return events.filter(({object}) => object.kind === 'Pod' && isSamePod(object, pod));
}

/** The pod's events, the oldest first. */
export function sortEventsOf(pod: BuilderPod, events: readonly BuilderEvent[]): readonly BuilderEvent[] {
  return eventsOf(pod, events).toSorted((a, b) => (a.lastSeen ?? 0) - (b.lastSeen ?? 0));
}

export function isDown(container: BuilderContainer | undefined): boolean {
  return container?.terminated !== undefined || container?.waitingReason === 'CrashLoopBackOff';
}

function readContainer(body: unknown): BuilderContainer {
  const {name, image, imageID, restartCount, state, lastState} = asObject(body);
  const {waiting, running, terminated} = asObject(state);
  const {reason, message} = asObject(waiting);
  return {
    name: asText(name),
    image: asText(image),
    imageId: asText(imageID),
    running: running !== undefined,
    restartCount: asNumber(restartCount),
    ...optional('waitingReason', asText(reason) || undefined),
    ...optional('waitingMessage', asText(message) || undefined),
    ...optional('terminated', readEnd(terminated)),
    ...optional('lastTerminated', readEnd(asObject(lastState).terminated)),
  };
}

function readEnd(body: unknown): ContainerEnd | undefined {
  if (typeof body !== 'object' || body === null) return undefined;
  const {reason, exitCode, message} = asObject(body);
  return {
    reason: asText(reason),
    exitCode: asNumber(exitCode),
    ...optional('message', asText(message).trim() || undefined),
  };
}
