/** Owns the pods of the stand-in cluster as they come up: pending, ready, and what one asks of them. */
import {randomInt, randomUUID} from 'node:crypto';
import {now, withMetadata} from './api-objects.ts';
import {writeStatus} from './api-representations.ts';
import type {ApiObject} from './api-samples.ts';

export interface PodTemplate {
  readonly metadata?: {readonly labels?: Readonly<Record<string, string>>};
  readonly spec: {
    readonly containers: readonly {readonly name: string; readonly image: string}[];
    readonly [field: string]: unknown;
  };
}

export function ownerOf(object: ApiObject): {kind: string; name: string; uid: string} | undefined {
  const owners = object.metadata.ownerReferences as {kind: string; name: string; uid: string}[] | undefined;
  return owners?.[0];
}

export function isTerminating({metadata}: ApiObject): boolean {
  return metadata.deletionTimestamp !== undefined;
}

export function phaseOf(pod: ApiObject): string {
  return (pod.status as {phase: string}).phase;
}

export function isReady(pod: ApiObject): boolean {
  const {conditions = []} = pod.status as {conditions?: {type: string; status: string}[]};
  return conditions.some(({type, status}) => type === 'Ready' && status === 'True');
}

/** Its one container runs. */
export function isRunning(pod: ApiObject): boolean {
  const {containerStatuses} = pod.status as {containerStatuses?: {state: {running?: object}}[]};
  return phaseOf(pod) === 'Running' && containerStatuses?.[0]?.state.running !== undefined;
}

/** The answer of 400 for a pod that no node has taken yet. */
export function refuseUnscheduled({metadata, spec}: ApiObject) {
  if ((spec as {nodeName?: string}).nodeName !== undefined) return undefined;
  const message = `pod ${metadata.name} does not have a host assigned`;
  return {status: 400, body: writeStatus(400, 'BadRequest', message)};
}

/** As Kubernetes makes the ends of names: no vowels, nothing that looks like another. */
export function randomEnding(): string {
  const letters = 'bcdfghjklmnpqrstvwxz2456789';
  return Array.from({length: 5}, () => letters[randomInt(letters.length)]).join('');
}

export function pendingPod(replicaSet: ApiObject, nodeName: string): ApiObject {
  const {template} = replicaSet.spec as {template: PodTemplate};
  const {name, namespace, uid} = replicaSet.metadata;
  const owner = {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    name,
    uid,
    controller: true,
    blockOwnerDeletion: true,
  };
  return {
    kind: 'Pod',
    apiVersion: 'v1',
    metadata: {
      name: `${name}-${randomEnding()}`,
      generateName: `${name}-`,
      ...(namespace !== undefined && {namespace}),
      uid: randomUUID(),
      generation: 1,
      creationTimestamp: now(),
      labels: {...template.metadata?.labels},
      ownerReferences: [owner],
    },
    spec: {...template.spec, nodeName, serviceAccountName: 'default'},
    status: {
      phase: 'Pending',
      conditions: writeConditions(false, 'ContainersNotReady'),
      hostIP: '10.250.0.1',
      startTime: now(),
      containerStatuses: template.spec.containers.map(({name, image}) => ({
        name,
        state: {waiting: {reason: 'ContainerCreating'}},
        lastState: {},
        ready: false,
        restartCount: 0,
        image,
        imageID: '',
        started: false,
      })),
      qosClass: 'BestEffort',
    },
  };
}

/** A pod of nobody's, that runs one container from an image. */
export function runningPod(of: {
  readonly name: string;
  readonly namespace: string;
  readonly node: string;
  readonly image: string;
}): ApiObject {
  const {name, namespace, node, image} = of;
  const owner = {
    kind: 'ReplicaSet',
    apiVersion: 'apps/v1',
    metadata: {name, namespace, uid: randomUUID()},
    spec: {template: {metadata: {labels: {app: name}}, spec: {containers: [{name: 'main', image}]}}},
  };
  return readyPod(pendingPod(owner as ApiObject, node));
}

/** Running and ready; how often it started again and what ended it before stay. */
export function readyPod(pod: ApiObject): ApiObject {
  return withContainers(pod, 'Running', true, ({state, ...container}) => ({
    ...container,
    state: {running: {startedAt: now()}},
    lastState: (state as {terminated?: object}).terminated
      ? {terminated: (state as {terminated: object}).terminated}
      : container.lastState,
    ready: true,
    started: true,
    imageID: 'sha256:ef2b34687da2e2563aa589632f1b432fd9809beb604d26391f8ecaec1f9dda8f',
    containerID: `containerd://${randomUUID().replaceAll('-', '').repeat(2)}`,
  }));
}

export function terminatingPod(pod: ApiObject, graceMs: number): ApiObject {
  return withMetadata(pod, {
    deletionTimestamp: now(),
    deletionGracePeriodSeconds: Math.ceil(graceMs / 1000),
  });
}

/** In another phase, with each of its containers changed. */
export function withContainers(
  pod: ApiObject,
  phase: string,
  ready: boolean,
  change: (container: Record<string, unknown>) => object,
): ApiObject {
  const status = pod.status as {containerStatuses?: Record<string, unknown>[]};
  const {containers} = pod.spec as PodTemplate['spec'];
  // A pod that was stuck before it was scheduled has no word of its containers.
  const before =
    status.containerStatuses ??
    containers.map(({name, image}) => ({name, image, state: {}, lastState: {}, restartCount: 0}));
  const reason = phase === 'Failed' ? 'PodFailed' : 'ContainersNotReady';
  return {
    ...pod,
    status: {
      ...status,
      phase,
      conditions: writeConditions(ready, reason),
      podIP: '10.244.0.67',
      podIPs: [{ip: '10.244.0.67'}],
      containerStatuses: before.map(change),
    },
  };
}

function writeConditions(ready: boolean, reason: string): object[] {
  const condition = (type: string, status: boolean) => ({
    type,
    status: status ? 'True' : 'False',
    lastProbeTime: null,
    lastTransitionTime: now(),
    ...(!status && {reason, message: 'containers with unready status: [buildkitd]'}),
  });
  return [
    condition('PodReadyToStartContainers', ready),
    condition('Initialized', true),
    condition('Ready', ready),
    condition('ContainersReady', ready),
    condition('PodScheduled', true),
  ];
}
