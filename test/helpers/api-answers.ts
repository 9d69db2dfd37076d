/** Owns what the stand-in API server answers: the cluster's state and a request in, a status and a body out. */
import {refuse, review} from './api-access.ts';
import {discover} from './api-discovery.ts';
import type {ApiHistory} from './api-history.ts';
import {answerLogs} from './api-logs.ts';
import {findObject, objectsOf} from './api-objects.ts';
import {writeAccepted, writeStatus} from './api-representations.ts';
import {type ApiObject, readApiRecording} from './api-samples.ts';
import {matches} from './api-selectors.ts';
import type {ApiState, Cluster} from './api-state.ts';
import {type Answer, type ApiRequest, findTarget, type Target} from './api-targets.ts';
import {streamWatch} from './api-watch.ts';
import {answerWrite} from './api-writes.ts';

export function failAsTold({failWith}: ApiState): Answer | undefined {
  if (typeof failWith === 'object') return failWith;
  if (typeof failWith !== 'number') return undefined;
  const [reason, message] =
    failWith === 503
      ? ['ServiceUnavailable', 'the server is currently unable to handle the request']
      : ['InternalError', 'Internal error occurred: the stand-in was told to fail'];
  return {status: failWith, body: writeStatus(failWith, reason as string, message as string)};
}

export function answerRequest(
  request: ApiRequest,
  cluster: Cluster & {readonly history: ApiHistory},
): Answer {
  if (request.user === undefined) return readApiRecording('unauthorized');
  const {state, history} = cluster;
  const {method, path} = request;
  const discovery = discover(path);
  if (discovery !== undefined) return {status: 200, body: discovery};
  const who = request.impersonate.user ?? request.user;
  const reviewed = method === 'POST' ? review(path, request.body, state, who) : undefined;
  if (reviewed !== undefined) return reviewed;
  const target = findTarget(request);
  if (target === undefined) {
    const message = 'the server could not find the requested resource';
    return {status: 404, body: writeStatus(404, 'NotFound', message, {})};
  }
  const refusal = refuse(state, {...target, who});
  if (refusal !== undefined) return refusal;
  history.observe();
  if (target.subresource === 'log') return answerLogs(request, target, state);
  if (method !== 'GET') {
    const answer = answerWrite(request, target, cluster);
    history.observe();
    if (answer.status >= 300 || (answer.body as ApiObject).kind === 'Status') return answer;
    return {...answer, body: writeAs(request, target, answer.body as ApiObject)};
  }
  if (target.verb === 'watch') {
    const watched = {...target, accept: request.accept, query: request.query};
    return {status: 200, body: '', stream: (response) => streamWatch(watched, cluster, response)};
  }
  return target.name === undefined
    ? answerList(request, target, state, history.version)
    : answerGet(request, target, state);
}

function answerGet(request: ApiRequest, target: Target, state: ApiState): Answer {
  const {plural, namespace, name = '', qualified, details} = target;
  const found = findObject(plural, state, namespace, name);
  if (found !== undefined) return {status: 200, body: writeAs(request, target, found)};
  return {status: 404, body: writeStatus(404, 'NotFound', `${qualified} "${name}" not found`, details)};
}

function answerList(request: ApiRequest, target: Target, state: ApiState, resourceVersion: string): Answer {
  const {plural, namespace, resource} = target;
  const selected = objectsOf(plural, state).filter(
    (object) =>
      (namespace === undefined || object.metadata.namespace === namespace) && matches(object, request.query),
  );
  const limit = Number(request.query.limit ?? 0) || selected.length;
  const list = {
    kind: `${resource.kind}List`,
    apiVersion: resource.group === '' ? 'v1' : 'apps/v1',
    metadata: {
      resourceVersion,
      ...(limit < selected.length && {continue: 'more', remainingItemCount: selected.length - limit}),
    },
    // As a real server: no kind on the items of a list.
    items: selected.slice(0, limit).map(({kind: _, apiVersion: __, ...object}) => object as ApiObject),
  };
  return {status: 200, body: writeAs(request, target, list)};
}

function writeAs(
  {accept, query}: ApiRequest,
  {resource}: Target,
  content: Parameters<typeof writeAccepted>[2],
): unknown {
  return writeAccepted(accept, query.includeObject, content, resource);
}
