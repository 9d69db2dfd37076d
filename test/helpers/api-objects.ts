/** Owns finding, putting and removing the stand-in cluster's objects, by resource, namespace and name. */
import type {ResourceName} from './api-resources.ts';
import {type ApiObject, namespaceObject, secretObject} from './api-samples.ts';
import type {ApiState} from './api-state.ts';

/** Resources whose objects are held as they are. */
const held = {
  configmaps: 'configMaps',
  deployments: 'deployments',
  replicasets: 'replicaSets',
  pods: 'pods',
  events: 'events',
  nodes: 'nodes',
} as const;

export type HeldResource = keyof typeof held;

export function isHeld(plural: ResourceName): plural is HeldResource {
  return plural in held;
}

export function objectsOf(plural: ResourceName, state: ApiState): readonly ApiObject[] {
  if (isHeld(plural)) return state[held[plural]];
  return plural === 'secrets' ? state.secrets.map(secretObject) : [...state.namespaces].map(namespaceObject);
}

export function findObject(
  plural: ResourceName,
  state: ApiState,
  namespace: string | undefined,
  name: string,
): ApiObject | undefined {
  return objectsOf(plural, state).find(
    ({metadata}) => metadata.name === name && (namespace === undefined || metadata.namespace === namespace),
  );
}

/** In the place of the one of that namespace and name, else at the end. */
export function putObject(plural: HeldResource, state: ApiState, object: ApiObject): void {
  const index = state[held[plural]].findIndex((other) => isSame(other, object));
  state[held[plural]] =
    index < 0 ? [...state[held[plural]], object] : state[held[plural]].with(index, object);
}

export function removeObject(plural: HeldResource, state: ApiState, object: ApiObject): void {
  state[held[plural]] = state[held[plural]].filter((other) => !isSame(other, object));
}

/** With a namespace all that is in it goes. */
export function removeAllIn(namespace: string, state: ApiState): void {
  for (const list of Object.values(held))
    state[list] = state[list].filter(({metadata}) => metadata.namespace !== namespace);
  state.secrets = state.secrets.filter((secret) => secret.namespace !== namespace);
}

function isSame({metadata: one}: ApiObject, {metadata: other}: ApiObject): boolean {
  return one.name === other.name && one.namespace === other.namespace;
}

/** With the fields of metadata changed. */
export function withMetadata(object: ApiObject, metadata: Partial<ApiObject['metadata']>): ApiObject {
  return {...object, metadata: {...object.metadata, ...metadata}};
}

/** As the API writes times: without fractions of a second. */
export function now(): string {
  return new Date().toISOString().replace(/\.\d+Z$/, 'Z');
}
