/** Owns reading the builder's Deployment, ConfigMap, pods, events and nodes out of the API server's JSON. */
import {MANAGED_BY, PLUGIN_ANNOTATION} from './builder-manifest.ts';

export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

/** A volume mount of the builder's container. */
export interface BuilderMount {
  readonly path: string;
  /** Where on the node it comes from; none where it is not the node's (a ConfigMap, an emptyDir). */
  readonly hostPath?: string;
  /** `Bidirectional`, `HostToContainer`; none means private. */
  readonly propagation?: string;
}

export interface BuilderDeployment {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation: number;
  readonly observedGeneration: number;
  /** Epoch milliseconds, by the server's clock, as all times here. */
  readonly createdAt?: number;
  readonly deletionTimestamp?: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** How many are wanted. */
  readonly replicas: number;
  readonly readyReplicas: number;
  readonly updatedReplicas: number;
  readonly conditions: readonly Condition[];
  readonly image: string;
  /** The command where one is given, and the arguments. */
  readonly args: readonly string[];
  readonly mounts: readonly BuilderMount[];
  readonly managedByUs: boolean;
  /** It carries the plugin's annotation, and not our label. (Ours has the annotation too: it is what the plugin adopts by.) */
  readonly madeByPlugin: boolean;
}

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

export interface NodeRuntime {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** E.g. `containerd://2.1.9`. */
  readonly containerRuntimeVersion: string;
  readonly kubeletVersion: string;
  readonly architecture: string;
  readonly ready: boolean;
  readonly unschedulable: boolean;
  readonly taints: readonly {readonly key: string; readonly value: string; readonly effect: string}[];
}

type Json = Readonly<Record<string, unknown>>;

export function readBuilderDeployment(body: unknown): BuilderDeployment {
  const {metadata, spec, status} = asObject(body);
  const meta = asObject(metadata);
  const {replicas, template} = asObject(spec);
  const {readyReplicas, updatedReplicas, observedGeneration, conditions} = asObject(status);
  const pod = asObject(asObject(template).spec);
  const container = pickBuildkitd(asList(pod.containers).map(asObject));
  const labels = readStrings(meta.labels);
  const annotations = readStrings(meta.annotations);
  const managedByUs = labels['app.kubernetes.io/managed-by'] === MANAGED_BY;
  return {
    name: asText(meta.name),
    namespace: asText(meta.namespace),
    uid: asText(meta.uid),
    resourceVersion: asText(meta.resourceVersion),
    generation: asNumber(meta.generation),
    observedGeneration: asNumber(observedGeneration),
    ...optional('createdAt', asTime(meta.creationTimestamp)),
    ...optional('deletionTimestamp', asTime(meta.deletionTimestamp)),
    labels,
    annotations,
    // The API server fills it in; a manifest that was never sent may leave it out.
    replicas: typeof replicas === 'number' ? replicas : 1,
    readyReplicas: asNumber(readyReplicas),
    updatedReplicas: asNumber(updatedReplicas),
    conditions: readConditions(conditions),
    image: asText(container.image),
    args: [...asList(container.command), ...asList(container.args)].map(asText),
    mounts: readMounts(container, asList(pod.volumes).map(asObject)),
    managedByUs,
    madeByPlugin: PLUGIN_ANNOTATION in annotations && !managedByUs,
  };
}

/** The buildkitd.toml in the builder's ConfigMap. The plugin writes it as binary data. */
export function readBuilderToml(body: unknown): string | undefined {
  const {data, binaryData} = asObject(body);
  const {'buildkitd.toml': text} = readStrings(data);
  if (text !== undefined) return text;
  const {'buildkitd.toml': encoded} = readStrings(binaryData);
  return encoded === undefined ? undefined : decodeBase64(encoded);
}

export function readPods(body: unknown): readonly BuilderPod[] {
  return readItems(body).map(({metadata, spec, status}) => {
    const meta = asObject(metadata);
    const {phase, reason, message, conditions, containerStatuses} = asObject(status);
    const found = readConditions(conditions);
    const isTrue = (wanted: string) => found.some(({type, status}) => type === wanted && status === 'True');
    const unscheduled = found.find(({type, status}) => type === 'PodScheduled' && status === 'False');
    const disruption = found.find(({type, status}) => type === 'DisruptionTarget' && status === 'True');
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
  return readItems(body).map(({type, reason, message, involvedObject, count, series, ...times}) => {
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

export function readNodeRuntimes(body: unknown): readonly NodeRuntime[] {
  return readItems(body).map(({metadata, spec, status}) => {
    const {name, labels} = asObject(metadata);
    const {unschedulable, taints} = asObject(spec);
    const {conditions, nodeInfo} = asObject(status);
    const {containerRuntimeVersion, kubeletVersion, architecture} = asObject(nodeInfo);
    return {
      name: asText(name),
      labels: readStrings(labels),
      containerRuntimeVersion: asText(containerRuntimeVersion),
      kubeletVersion: asText(kubeletVersion),
      architecture: asText(architecture),
      ready: readConditions(conditions).some(({type, status}) => type === 'Ready' && status === 'True'),
      unschedulable: unschedulable === true,
      taints: asList(taints).map((taint) => {
        const {key, value, effect} = asObject(taint);
        return {key: asText(key), value: asText(value), effect: asText(effect)};
      }),
    };
  });
}

/** The plugin execs into the first container (driver.go, buildNodeClient), whatever its name; a sidecar may have gone before it. */
function pickBuildkitd(containers: readonly Json[]): Json {
  return containers.find(({name}) => name === 'buildkitd') ?? containers[0] ?? {};
}

function readMounts(container: Json, volumes: readonly Json[]): readonly BuilderMount[] {
  const hostPaths = new Map(
    volumes.map(({name, hostPath}) => [asText(name), asText(asObject(hostPath).path)] as const),
  );
  return asList(container.volumeMounts).map((mount) => {
    const {name, mountPath, subPath, mountPropagation} = asObject(mount);
    const path = hostPaths.get(asText(name));
    const hostPath = path && asText(subPath) ? `${path.replace(/\/+$/, '')}/${asText(subPath)}` : path;
    const propagation = asText(mountPropagation);
    return {
      path: asText(mountPath),
      ...optional('hostPath', hostPath || undefined),
      ...optional('propagation', propagation && propagation !== 'None' ? propagation : undefined),
    };
  });
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

function readConditions(body: unknown): readonly Condition[] {
  return asList(body).map((condition) => {
    const {type, status, reason, message} = asObject(condition);
    return {type: asText(type), status: asText(status), reason: asText(reason), message: asText(message)};
  });
}

/** The items of a List, or of an array that was taken from one. */
function readItems(body: unknown): readonly Json[] {
  return asList(Array.isArray(body) ? body : asObject(body).items).map(asObject);
}

function readStrings(body: unknown): Record<string, string> {
  return Object.fromEntries(
    Object.entries(asObject(body)).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

function decodeBase64(text: string): string | undefined {
  try {
    return new TextDecoder().decode(Uint8Array.from(atob(text), (character) => character.charCodeAt(0)));
  } catch {
    // No base64: nothing that the API server would have stored.
    return undefined;
  }
}

/** The field, or none at all where there is nothing to say. */
function optional<K extends string, V>(key: K, value: V | undefined): {readonly [P in K]?: V} {
  return value === undefined ? {} : ({[key]: value} as {readonly [P in K]: V});
}

function asTime(value: unknown): number | undefined {
  const time = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isNaN(time) ? undefined : time;
}

function asObject(value: unknown): Json {
  return typeof value === 'object' && value !== null ? (value as Json) : {};
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function asNumber(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}
