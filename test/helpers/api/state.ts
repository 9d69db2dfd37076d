/** Owns what the stand-in cluster holds and how it behaves: all that a test may change while the server runs. */
import {randomUUID} from 'node:crypto';
import {isDeepStrictEqual} from 'node:util';
import {type ApiObject, type Json, type SecretSample, secretObject} from '../api-samples.ts';
import {answerQuietly, type ExecAnswer, type PipedExec} from './exec-answers.ts';
import type {Answer} from './requests.ts';
import type {ResourceName, Verb} from './resources.ts';

type Subject = ResourceName | 'pods/exec' | 'pods/log';

/** How a builder's pods come up: well, not at all, or stuck as in the recording of that name. */
export type BuilderOutcome = 'ready' | 'never' | `stuck-${string}`;

/** Change it at any time: each request sees it as it then is, and a watch soon tells of it. */
export type ApiState = ReturnType<typeof makeState>;

/** The state, and a way to have things happen to it, for as long as the server runs. */
export interface Cluster {
  readonly state: ApiState;
  readonly later: (ms: number, action: () => void) => void;
}

export function makeState() {
  return {
    namespaces: new Set(['default']),
    /** The UID of the namespace kube-system, for those who can get it. */
    clusterId: undefined as string | undefined,
    secrets: [] as SecretSample[],
    configmaps: [] as ApiObject[],
    deployments: [] as ApiObject[],
    pods: [] as ApiObject[],
    events: [] as ApiObject[],
    nodes: [] as ApiObject[],
    /** Resources that nobody may touch in any way, with one verb, or with one verb in all namespaces at once. */
    forbidden: new Set<Subject | `${Verb} ${Subject}` | `${Verb} all ${Subject}`>(),
    delayMs: 0,
    /** How many tokens for a next page will be too old. */
    expiredTokens: 0,
    /** So many requests fail with this status, or this answer, or a torn connection. */
    failWith: undefined as undefined | number | 'destroy' | Answer,
    failures: Infinity,
    builder: {
      startMs: 50,
      terminateMs: 50,
      outcome: 'ready' as BuilderOutcome,
      /** On single nodes, by their names. */
      outcomes: {} as Readonly<Record<string, BuilderOutcome>>,
    },
    exec: answerQuietly as (
      command: readonly string[],
      pod: ApiObject,
    ) => ExecAnswer | PipedExec | Promise<ExecAnswer | PipedExec>,
    /** Of each node's, from 0 to 1. */
    diskUsed: 0.5,
    /** Versions of the exec protocol over a WebSocket, the preferred one first. */
    execProtocols: ['v5.channel.k8s.io', 'v4.channel.k8s.io'],
    /** What every container that runs has printed. */
    logs: 'time="2026-11-24T02:06:31Z" level=info msg="running server on /run/buildkit/buildkitd.sock"\n',
    /** Of the last change. */
    resourceVersion: 5000,
  };
}

type HeldResource = Exclude<ResourceName, 'namespaces' | 'secrets'>;

export function objectsOf(state: ApiState, plural: ResourceName): readonly ApiObject[] {
  if (plural === 'secrets') return state.secrets.map(secretObject);
  if (plural !== 'namespaces') return state[plural];
  const own = state.clusterId === undefined ? [] : [{name: 'kube-system', uid: state.clusterId}];
  return [...[...state.namespaces].map((name) => ({name})), ...own].map((metadata) => ({
    kind: 'Namespace',
    apiVersion: 'v1',
    metadata,
  }));
}

type Place = {readonly name: string; readonly namespace?: string | undefined};

const isAt = ({name, namespace}: Place, {metadata}: ApiObject) =>
  metadata.name === name && metadata.namespace === namespace;

export function findObject(state: ApiState, plural: ResourceName, place: Place): ApiObject | undefined {
  return objectsOf(state, plural).find((object) => isAt(place, object));
}

export function removeObject(state: ApiState, plural: HeldResource, place: Place): void {
  state[plural] = state[plural].filter((object) => !isAt(place, object));
}

/** In the place of the one of that namespace and name, else at the end. */
export function putObject(state: ApiState, plural: HeldResource, object: ApiObject): ApiObject {
  state.resourceVersion += 1;
  const put = {...object, metadata: {...object.metadata, resourceVersion: String(state.resourceVersion)}};
  const index = state[plural].findIndex((other) => isAt(object.metadata, other));
  state[plural] = index < 0 ? [...state[plural], put] : state[plural].with(index, put);
  return put;
}

/** What was sent, with what the server adds. Of all that have set fields it knows the last one. */
export function storeObject(
  state: ApiState,
  plural: HeldResource,
  {status: _, ...sent}: ApiObject,
  manager: string,
): ApiObject {
  const before: Json = findObject(state, plural, sent.metadata);
  const {uid = randomUUID(), creationTimestamp = now(), generation = 0} = before?.metadata ?? {};
  const spec = sent.spec && {replicas: 1, progressDeadlineSeconds: 600, ...sent.spec};
  const counted = spec && {generation: isDeepStrictEqual(spec, before?.spec) ? generation : generation + 1};
  const managedFields = [{manager, apiVersion: sent.apiVersion}];
  return putObject(state, plural, {
    ...sent,
    metadata: {...sent.metadata, uid, creationTimestamp, ...counted, managedFields},
    ...(spec && {spec}),
    ...(before?.status && {status: before.status}),
  });
}

/** As the API writes times: without fractions of a second. */
export function now(): string {
  return new Date().toISOString().replace(/\.\d+Z$/, 'Z');
}
