/** Owns reading a builder's pods, and the events about them, out of the API server's JSON. */
import {findCondition, readConditions} from '../../cluster/api/conditions.ts';
import {asItems, asList, asNumber, asObject, asText, asTime} from '../../cluster/api/json-values.ts';

export interface ContainerEnd {
  readonly reason: string;
  readonly exitCode: number;
  readonly message: string;
}

export interface BuilderContainer {
  readonly name: string;
  readonly image: string;
  readonly running: boolean;
  readonly restartCount: number;
  /** Both empty while it does not wait. */
  readonly waitingReason: string;
  readonly waitingMessage: string;
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
   * Whether its node no longer reports. The node controller then marks the pod as not ready, and leaves its condition
   * ContainersReady, which the kubelet changes together with Ready (pkg/controller/util/node, MarkPodsNotReady).
   */
  readonly nodeSilent: boolean;
  /** Its node, once it has one. */
  readonly node?: string;
  readonly createdAt?: number;
  readonly deleting: boolean;
  /** Name of the ReplicaSet that created it. */
  readonly owner?: string;
  readonly reason?: string;
  /** Why it ended: its own message, or that of its condition DisruptionTarget. */
  readonly message?: string;
  /** Why no node takes it. */
  readonly unschedulable?: string;
  readonly containers: readonly BuilderContainer[];
}

export interface BuilderEvent {
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  readonly object: {readonly kind: string; readonly name: string; readonly uid: string};
  readonly lastSeen?: number;
}

export function readPods(body: unknown): readonly BuilderPod[] {
  return asItems(body).map(({metadata, spec, status}) => {
    const meta = asObject(metadata);
    const {phase, reason, message, conditions, containerStatuses} = asObject(status);
    const found = readConditions(conditions);
    const ready = findCondition(found, 'Ready', 'True') !== undefined;
    const unscheduled = findCondition(found, 'PodScheduled', 'False');
    const disruption = findCondition(found, 'DisruptionTarget', 'True');
    const owner = asList(meta.ownerReferences)
      .map(asObject)
      .find(({controller}) => controller === true);
    return {
      name: asText(meta.name),
      uid: asText(meta.uid),
      phase: asText(phase),
      ready,
      nodeSilent: !ready && findCondition(found, 'ContainersReady', 'True') !== undefined,
      node: asText(asObject(spec).nodeName) || undefined,
      createdAt: asTime(meta.creationTimestamp),
      deleting: asTime(meta.deletionTimestamp) !== undefined,
      owner: owner && asText(owner.name),
      reason: asText(reason) || undefined,
      message: asText(message) || disruption?.message || disruption?.reason || undefined,
      unschedulable: unscheduled?.message || unscheduled?.reason,
      containers: asList(containerStatuses).map(readContainer),
    };
  });
}

/** Events of the scheduler have `eventTime` and no other time. */
export function readEvents(body: unknown): readonly BuilderEvent[] {
  return asItems(body).map(({type, reason, message, involvedObject, series, ...times}) => {
    const {kind, name, uid} = asObject(involvedObject);
    const {lastObservedTime} = asObject(series);
    return {
      type: asText(type),
      reason: asText(reason),
      message: asText(message),
      object: {kind: asText(kind), name: asText(name), uid: asText(uid)},
      lastSeen: [lastObservedTime, times.lastTimestamp, times.eventTime, times.firstTimestamp]
        .map(asTime)
        .find((time) => time !== undefined),
    };
  });
}

/** Without an ID the name decides: a ReplicaSet never uses a pod's name again. */
export function isSamePod(
  one: Pick<BuilderPod, 'uid' | 'name'>,
  other: Pick<BuilderPod, 'uid' | 'name'>,
): boolean {
  return one.uid && other.uid ? one.uid === other.uid : one.name === other.name;
}

/** Whether no container of it will ever run again. Its ReplicaSet has created another one. */
export function hasEnded({phase}: Pick<BuilderPod, 'phase'>): boolean {
  return phase === 'Failed' || phase === 'Succeeded';
}

/** Whether it runs and is not about to stop. */
export function isStaying({phase, deleting}: Pick<BuilderPod, 'phase' | 'deleting'>): boolean {
  return phase === 'Running' && !deleting;
}

/** The pod's events, the oldest first. */
export function eventsOf(pod: BuilderPod, events: readonly BuilderEvent[]): readonly BuilderEvent[] {
  return events
    .filter(({object}) => object.kind === 'Pod' && isSamePod(object, pod))
    .sort((a, b) => (a.lastSeen ?? 0) - (b.lastSeen ?? 0));
}

export function isDown(container: BuilderContainer | undefined): boolean {
  return container?.terminated !== undefined || container?.waitingReason === 'CrashLoopBackOff';
}

function readContainer(body: unknown): BuilderContainer {
  const {name, image, restartCount, state, lastState} = asObject(body);
  const {waiting, running, terminated} = asObject(state);
  const {reason, message} = asObject(waiting);
  return {
    name: asText(name),
    image: asText(image),
    running: running !== undefined,
    restartCount: asNumber(restartCount),
    waitingReason: asText(reason),
    waitingMessage: asText(message),
    terminated: readEnd(terminated),
    lastTerminated: readEnd(asObject(lastState).terminated),
  };
}

function readEnd(body: unknown): ContainerEnd | undefined {
  if (typeof body !== 'object' || body === null) return undefined;
  const {reason, exitCode, message} = asObject(body);
  return {reason: asText(reason), exitCode: asNumber(exitCode), message: asText(message).trim()};
}
