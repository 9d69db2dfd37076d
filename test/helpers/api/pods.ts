/** Owns pods of the stand-in cluster and the events about them, shaped as the recorded ones are. */
import {randomUUID} from 'node:crypto';
import {type ApiObject, type Json, readBuilderRecording} from '../api-samples.ts';
import {type ApiState, now, putObject} from './state.ts';

const readPod = () => readBuilderRecording('builder-by-plugin-pods').body.items[0];

/** A ReplicaSet's template made a pod, with the recorded status of another one. */
export function makePod(
  {name, namespace, set}: {readonly name: string; readonly namespace: string; readonly set: string},
  {metadata, spec}: Json,
  {containerStatuses, ...status}: Json = readPod().status,
): ApiObject {
  const [owner] = readPod().metadata.ownerReferences;
  const [{name: container, image}] = spec.containers;
  const states = containerStatuses && {
    containerStatuses: [{...containerStatuses[0], name: container, image}],
  };
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
    status: {...status, ...states},
  };
}

/** A pod of nobody's, that runs one container from an image. */
export function runningPod(of: Readonly<Record<'name' | 'namespace' | 'node' | 'image', string>>): ApiObject {
  const containers = [{name: 'main', image: of.image}];
  return makePod({...of, set: of.name}, {spec: {nodeName: of.node, containers}});
}

export interface ApiEvent {
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  /** null: in the scheduler's newer form, with a time of the event and no count. */
  readonly count?: number | null;
}

export function recordEvent(
  state: ApiState,
  {kind, metadata: {name, namespace, uid}}: ApiObject,
  {type, reason, message, count = 1}: ApiEvent,
): void {
  putObject(state, 'events', {
    metadata: {name: `${name}.${randomUUID()}`, namespace},
    involvedObject: {kind, namespace, name, uid},
    ...{type, reason, message},
    ...(count === null ? {eventTime: now()} : {lastTimestamp: now(), count}),
  });
}
