/** Owns the events of the stand-in cluster, written as the scheduler, the kubelet and the controllers do. */
import {randomUUID} from 'node:crypto';
import {now, putObject, withMetadata} from './api-objects.ts';
import type {ApiObject} from './api-samples.ts';
import type {ApiState} from './api-state.ts';

export interface EventSample {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  /** null: in the scheduler's newer form, with a time of the event and no count. */
  readonly count?: number | null;
}

const components: Readonly<Record<string, string>> = {
  Scheduled: 'default-scheduler',
  FailedScheduling: 'default-scheduler',
  ScalingReplicaSet: 'deployment-controller',
  SuccessfulCreate: 'replicaset-controller',
  FailedCreate: 'replicaset-controller',
  SuccessfulDelete: 'replicaset-controller',
  NodeNotReady: 'node-controller',
  TaintManagerEviction: 'taint-eviction-controller',
};

/** One like it is counted once more instead. */
export function recordEvent(state: ApiState, involved: ApiObject, sample: EventSample): void {
  const {type, reason, message, count = 1} = sample;
  const {name, namespace = 'default', uid, resourceVersion} = involved.metadata;
  const same = state.events.find(
    (event) =>
      event.reason === reason &&
      event.message === message &&
      event.metadata.namespace === namespace &&
      (event.involvedObject as {name: string}).name === name,
  );
  const time = now();
  if (same !== undefined && count !== null) {
    const {resourceVersion: _, ...metadata} = same.metadata;
    const total = Number(same.count ?? 1) + 1;
    putObject('events', state, {...same, metadata, count: total, lastTimestamp: time});
    return;
  }
  const component = components[reason] ?? 'kubelet';
  const host = component === 'kubelet' ? (involved.spec as {nodeName?: string})?.nodeName : undefined;
  const event: ApiObject = {
    kind: 'Event',
    apiVersion: 'v1',
    metadata: {
      name: `${name}.${randomUUID().replaceAll('-', '').slice(0, 16)}`,
      namespace,
      uid: randomUUID(),
      creationTimestamp: time,
    },
    involvedObject: {
      kind: involved.kind,
      namespace,
      name,
      uid,
      apiVersion: involved.apiVersion,
      resourceVersion,
      ...(component === 'kubelet' && {fieldPath: 'spec.containers{buildkitd}'}),
    },
    reason,
    message,
    source: count === null ? {} : {component, ...(host && {host})},
    firstTimestamp: count === null ? null : time,
    lastTimestamp: count === null ? null : time,
    ...(count !== null && {count}),
    type,
    eventTime: count === null ? new Date().toISOString().replace('Z', '000Z') : null,
    ...(count === null && {action: 'Binding'}),
    reportingComponent: component,
    reportingInstance: host ?? '',
  };
  putObject('events', state, withMetadata(event, {}));
}
