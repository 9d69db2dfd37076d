/** Owns what changes the stand-in cluster through its API: create, replace, patch, apply, delete. */
import {randomUUID} from 'node:crypto';
import {isDeepStrictEqual} from 'node:util';
import {refuse} from './api-access.ts';
import {refuseInvalid, withDefaults} from './api-deployments.ts';
import {mergeFields} from './api-fields.ts';
import {applyFields, type Conflict, updateFields} from './api-managers.ts';
import {
  findObject,
  type HeldResource,
  isHeld,
  now,
  putObject,
  removeAllIn,
  removeObject,
  withMetadata,
} from './api-objects.ts';
import {randomEnding} from './api-pods.ts';
import {writeStatus} from './api-representations.ts';
import type {ApiObject} from './api-samples.ts';
import type {Cluster} from './api-state.ts';
import type {Answer, ApiRequest, Target} from './api-targets.ts';

const NOT_ALLOWED: Answer = {
  status: 405,
  body: writeStatus(
    405,
    'MethodNotAllowed',
    'the server does not allow this method on the requested resource',
    {},
  ),
};

export function answerWrite(request: ApiRequest, target: Target, cluster: Cluster): Answer {
  const {state} = cluster;
  const {plural, namespace, qualified, details} = target;
  if (plural === 'namespaces') return writeNamespace(request, target, cluster);
  if (!isHeld(plural)) return NOT_ALLOWED;
  const given = request.method === 'POST' ? nameOf(request.body) : target.name;
  if (given === undefined) {
    return {status: 400, body: writeStatus(400, 'BadRequest', 'name or generateName is required')};
  }
  const live = findObject(plural, state, namespace, given);
  const named = {...details, name: given};
  const missing = () => {
    return {status: 404, body: writeStatus(404, 'NotFound', `${qualified} "${given}" not found`, named)};
  };
  const makes = live === undefined && request.method !== 'DELETE';
  if (makes && namespace !== undefined && !state.namespaces.has(namespace)) {
    const message = `namespaces "${namespace}" not found`;
    return {status: 404, body: writeStatus(404, 'NotFound', message, {name: namespace, kind: 'namespaces'})};
  }
  switch (request.method) {
    case 'DELETE':
      return live === undefined ? missing() : remove(request, target, live, cluster);
    case 'POST': {
      const message = `${qualified} "${given}" already exists`;
      if (live !== undefined) return {status: 409, body: writeStatus(409, 'AlreadyExists', message, named)};
      return store(
        undefined,
        updateFields(undefined, complete(request.body as ApiObject, given), managerOf(request)),
      );
    }
    case 'PUT': {
      if (live === undefined) return missing();
      const sent = request.body as ApiObject;
      const {resourceVersion} = sent.metadata;
      if (resourceVersion !== undefined && resourceVersion !== live.metadata.resourceVersion) {
        const message = `Operation cannot be fulfilled on ${qualified} "${given}": the object has been modified; please apply your changes to the latest version and try again`;
        return {status: 409, body: writeStatus(409, 'Conflict', message, named)};
      }
      return store(live, updateFields(live, complete(sent, given), managerOf(request)));
    }
    case 'PATCH': {
      const applies = request.contentType.startsWith('application/apply-patch');
      if (!applies) {
        if (live === undefined) return missing();
        const merged = mergeFields(live, request.body) as ApiObject;
        return store(live, updateFields(live, merged, managerOf(request)));
      }
      if (live === undefined) {
        const who = request.impersonate.user ?? request.user;
        const refusal = refuse(state, {who, verb: 'create', plural, namespace, name: given});
        if (refusal !== undefined) return refusal;
      }
      const options = {manager: managerOf(request), force: request.query.force === 'true'};
      const applied = applyFields(live, request.body as ApiObject, options);
      return Array.isArray(applied) ? refuseConflicts(applied) : store(live, applied as ApiObject);
    }
    default:
      return NOT_ALLOWED;
  }

  function complete(sent: ApiObject, name: string): ApiObject {
    return withMetadata(sent, {name, ...(namespace !== undefined && {namespace})});
  }

  function store(before: ApiObject | undefined, sent: ApiObject): Answer {
    const held = plural as HeldResource;
    if (plural === 'deployments') {
      const invalid = refuseInvalid(before, sent);
      if (invalid !== undefined) return {status: 422, body: invalid};
    }
    const filled = plural === 'deployments' ? withDefaults(sent) : sent;
    const changed = !isDeepStrictEqual(filled.spec, before?.spec);
    const generation = (before?.metadata.generation ?? 0) + (changed ? 1 : 0);
    const {resourceVersion: _, ...metadata} = filled.metadata;
    const next: ApiObject = {
      ...filled,
      metadata: {
        ...metadata,
        ...(namespace !== undefined && {namespace}),
        uid: before?.metadata.uid ?? randomUUID(),
        creationTimestamp: before?.metadata.creationTimestamp ?? now(),
        ...(before?.metadata.resourceVersion && {resourceVersion: before.metadata.resourceVersion}),
        ...(filled.spec !== undefined && {generation}),
      },
      ...(before?.status !== undefined && {status: before.status}),
    };
    const status = before === undefined ? 201 : 200;
    if (request.query.dryRun !== undefined) return {status, body: next};
    if (!isDeepStrictEqual(next, before)) {
      putObject(held, state, next);
      cluster.history.observe();
    }
    const stored = findObject(held, state, namespace, next.metadata.name) ?? next;
    if (plural === 'deployments' && changed)
      cluster.controller.reconcile(namespace ?? '', next.metadata.name);
    return {status, body: stored};
  }
}

function writeNamespace(
  {method, body}: ApiRequest,
  {name = nameOf(body) ?? '', details}: Target,
  {state, history}: Cluster,
): Answer {
  const live = findObject('namespaces', state, undefined, name);
  if (method === 'POST') {
    if (live !== undefined) {
      const message = `namespaces "${name}" already exists`;
      return {status: 409, body: writeStatus(409, 'AlreadyExists', message, {...details, name})};
    }
    state.namespaces.add(name);
    return {status: 201, body: findObject('namespaces', state, undefined, name)};
  }
  if (method !== 'DELETE') return NOT_ALLOWED;
  if (live === undefined) {
    const message = `namespaces "${name}" not found`;
    return {status: 404, body: writeStatus(404, 'NotFound', message, details)};
  }
  state.namespaces.delete(name);
  removeAllIn(name, state);
  history.observe();
  return {status: 200, body: live};
}

interface DeleteOptions {
  readonly propagationPolicy?: string;
  readonly gracePeriodSeconds?: number;
}

function remove(
  request: ApiRequest,
  {plural, namespace, details}: Target,
  live: ApiObject,
  cluster: Cluster,
): Answer {
  const {state, controller, history} = cluster;
  const {propagationPolicy, gracePeriodSeconds} = {
    ...request.query,
    ...(request.body ?? {}),
  } as DeleteOptions;
  const {name, uid} = live.metadata;
  if (request.query.dryRun === undefined) {
    if (plural === 'deployments') controller.removeDeployment(live, propagationPolicy ?? 'Background');
    else if (plural === 'pods') {
      const graceMs = Number(gracePeriodSeconds) === 0 ? 0 : state.builder.terminateMs;
      controller.terminatePod(namespace ?? '', name, graceMs);
      history.observe();
      return {status: 200, body: findObject('pods', state, namespace, name) ?? live};
    } else removeObject(plural as HeldResource, state, live);
    history.observe();
  }
  const success = {kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success'};
  return {status: 200, body: {...success, details: {...details, uid}}};
}

function refuseConflicts(conflicts: readonly Conflict[]): Answer {
  const count = `${conflicts.length} conflict${conflicts.length === 1 ? '' : 's'}`;
  const describe = ({manager, apiVersion}: Conflict) => `conflict with "${manager}" using ${apiVersion}`;
  const first = conflicts[0] as Conflict;
  const text =
    conflicts.length === 1
      ? `${describe(first)}: ${first.field}`
      : `conflicts with "${first.manager}" using ${first.apiVersion}:\n${conflicts.map(({field}) => `- ${field}`).join('\n')}`;
  const causes = conflicts.map((conflict) => ({
    reason: 'FieldManagerConflict',
    message: describe(conflict),
    field: conflict.field,
  }));
  return {status: 409, body: writeStatus(409, 'Conflict', `Apply failed with ${count}: ${text}`, {causes})};
}

function nameOf(body: unknown): string | undefined {
  const metadata = (body as ApiObject | undefined)?.metadata;
  const {name, generateName} = (metadata ?? {}) as {name?: string; generateName?: string};
  return name ?? (generateName === undefined ? undefined : `${generateName}${randomEnding()}`);
}

function managerOf({query, userAgent}: ApiRequest): string {
  return query.fieldManager ?? (userAgent.split('/')[0] || 'unknown');
}
