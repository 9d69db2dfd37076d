/** Owns pods of the stand-in cluster and the events about them, shaped as the recorded ones are. */
import {randomUUID} from 'node:crypto';
import {type ApiObject, type Json, readBuilderRecording} from '../api-samples.ts';
import type {SceneEvent} from './scenes.ts';
import {type ApiState, now, putObject} from './state.ts';

/** A Deployment's template and the status of its pod's one container, made a pod. */
export function makePod(
  {name, namespace, set}: {readonly name: string; readonly namespace: string; readonly set: string},
  {metadata, spec}: Json,
  {containerStatuses, ...status}: Json,
): ApiObject {
  const [recorded] = readBuilderRecording('builder-by-plugin-pods').body.items;
  const [owner] = recorded.metadata.ownerReferences;
  const [{name: container, image}] = spec.containers;
  return {
    kind: 'Pod',
    apiVersion: 'v1',
    metadata: {
      name,
      namespace,
      uid: randomUUID(),
      creationTimestamp: now(),
      labels: {...metadata?.labels},
      ownerReferences: [{...owner, name: set}],
    },
    spec,
    status: {
      ...status,
      ...(containerStatuses && {containerStatuses: [{...containerStatuses[0], name: container, image}]}),
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
  const [{status}] = readBuilderRecording('builder-by-plugin-pods').body.items;
  const spec = {nodeName: of.node, containers: [{name: 'main', image: of.image}]};
  return makePod({...of, set: of.name}, {spec}, status);
}

interface Changes {
  /** By their type. */
  readonly conditions?: Readonly<Record<string, object>>;
  readonly container?: object;
  readonly status?: object;
}

/** With parts of its status changed. */
export function changePod(pod: ApiObject, {conditions = {}, container, status}: Changes): ApiObject {
  const {conditions: before, containerStatuses} = pod.status;
  const kept = before.filter(({type}: {type: string}) => !(type in conditions));
  const changed = Object.entries(conditions).map(([type, fields]) => ({type, ...fields}));
  const parts = {
    conditions: [...kept, ...changed],
    containerStatuses: [{...containerStatuses[0], ...container}],
  };
  return {...pod, status: {...pod.status, ...parts, ...status}};
}

export function recordEvent(
  state: ApiState,
  namespace: string,
  {involvedObject, count, ...told}: SceneEvent,
): void {
  const metadata = {name: `${involvedObject.name}.${randomUUID()}`, namespace};
  const times = count === null ? {eventTime: now()} : {lastTimestamp: now(), count};
  putObject(state, 'events', {metadata, involvedObject: {...involvedObject, namespace}, ...told, ...times});
}

/** What somebody told of the pod, once. */
export function tellOf(
  state: ApiState,
  {kind, metadata: {name, namespace = '', uid}}: ApiObject,
  [type, reason, message]: readonly ['Normal' | 'Warning', string, string],
): void {
  const involvedObject = {kind, name, uid};
  recordEvent(state, namespace, {type, reason, message, involvedObject, count: 1});
}
