/** Owns what the stand-in API server answers to reads: an object, a list, a watch, a container's log. */
import type {ServerResponse} from 'node:http';
import {type ApiObject, type Json, readApiRecording} from '../api-samples.ts';
import {refuseContainer} from './exec.ts';
import {type Answer, type ApiRequest, badRequest, failure} from './requests.ts';
import {notFound, type Target} from './resources.ts';
import {readRecorded} from './scenes.ts';
import {type ApiState, findObject, objectsOf} from './state.ts';

export function answerRead(state: ApiState, request: ApiRequest, target: Target): Answer {
  const {name, namespace, plural, verb} = target;
  if (verb === 'watch') return answerWatch(state, request, target);
  if (name === undefined) return answerList(state, request, target);
  const found = findObject(state, plural, {namespace, name});
  if (found === undefined) return notFound(target, name);
  if (target.subresource === 'log') return answerLog(state, request, found);
  if (target.subresource !== undefined) {
    const fs = {capacityBytes: 1e12, availableBytes: 1e12 * (1 - state.diskUsed)};
    return {status: 200, body: {node: {nodeName: name, fs, runtime: {imageFs: fs}}}};
  }
  const metadata = {resourceVersion: found.metadata.resourceVersion};
  return writeAs(request, target, {metadata, items: [found], whole: found});
}

/** `key` and `key=value`, at commas. */
export function matches(object: ApiObject, query: ApiRequest['query']): boolean {
  const {labelSelector = '', fieldSelector = ''} = query;
  const every = (selector: string, valueAt: (key: string) => unknown) =>
    selector === '' ||
    selector.split(',').every((requirement) => {
      const [key = '', wanted] = requirement.split('=', 2);
      const value = valueAt(key);
      return value !== undefined && (wanted === undefined || value === wanted);
    });
  return (
    every(labelSelector, (key) => object.metadata.labels?.[key]) &&
    every(fieldSelector, (path) => path.split('.').reduce<Json>((value, step) => value?.[step], object) ?? '')
  );
}

function select(state: ApiState, {query}: ApiRequest, {plural, namespace}: Target): readonly ApiObject[] {
  const isIn = ({metadata}: ApiObject) => namespace === undefined || metadata.namespace === namespace;
  return objectsOf(state, plural).filter((object) => isIn(object) && matches(object, query));
}

function answerList(state: ApiState, request: ApiRequest, target: Target): Answer {
  const {labelSelector = '', fieldSelector = '', limit, continue: token} = request.query;
  if (/[!() ]|==/.test(labelSelector + fieldSelector)) {
    return badRequest('the stand-in reads selectors of the forms "key" and "key=value" alone');
  }
  if (token !== undefined && state.expiredTokens > 0) {
    state.expiredTokens -= 1;
    return failure(
      410,
      'Expired',
      'The provided continue parameter is too old to display a consistent list result.',
    );
  }
  const all = select(state, request, target);
  const start = Number(token ?? 0);
  const end = start + Number(limit ?? all.length);
  const items = all.slice(start, end);
  const rest = end < all.length ? {continue: String(end), remainingItemCount: all.length - end} : {};
  const metadata = {resourceVersion: String(state.resourceVersion), ...rest};
  // As a real server: no kind on the items of a list.
  const bare = items.map(({kind: _, apiVersion: __, ...object}) => object);
  const whole = {kind: `${target.kind}List`, apiVersion: target.apiVersion, metadata, items: bare};
  return writeAs(request, target, {metadata, items, whole});
}

/** As it is, or in the table for people, which the stand-in has of Secrets alone. */
function writeAs(
  {accept, query}: ApiRequest,
  {plural}: Target,
  {metadata, items, whole}: {metadata: object; items: readonly ApiObject[]; whole: object},
): Answer {
  const forms = accept.split(/, ?/);
  if (plural !== 'secrets' || !forms[0]?.includes('as=Table')) {
    if (forms.some((form) => /^(application\/json|\*\/\*)$/.test(form))) return {status: 200, body: whole};
    return failure(406, 'NotAcceptable', `the stand-in does not write ${plural} as ${accept}`);
  }
  const {kind, apiVersion, columnDefinitions} = readApiRecording('secret-table').body;
  const rows = items.map(({metadata, type, data}) => ({
    cells: [metadata.name, type, Object.keys(data).length, '1s'],
    object: query.includeObject === 'None' ? null : {kind: 'PartialObjectMetadata', apiVersion, metadata},
  }));
  return {status: 200, body: {kind, apiVersion, metadata, columnDefinitions, rows}};
}

/** In the one form that kubectl uses: all that is there, a bookmark, and from then on what changes. */
function answerWatch(state: ApiState, request: ApiRequest, target: Target): Answer {
  if (request.query.sendInitialEvents !== 'true' || request.accept !== 'application/json') {
    return badRequest('the stand-in knows watches with sendInitialEvents, in JSON, alone');
  }
  const {kind, apiVersion} = target;
  const stream = (response: ServerResponse) => {
    const send = (type: string, object: object) =>
      response.write(`${JSON.stringify({type, object: {kind, apiVersion, ...object}})}\n`);
    let known = new Map<string, ApiObject>();
    const look = () => {
      const selected = select(state, request, target);
      const current = new Map(selected.map((object) => [object.metadata.name, object]));
      for (const [name, object] of current) {
        if (known.get(name) !== object) send(known.has(name) ? 'MODIFIED' : 'ADDED', object);
      }
      for (const [name, object] of known) if (!current.has(name)) send('DELETED', object);
      known = current;
    };
    look();
    const annotations = {'k8s.io/initial-events-end': 'true'};
    send('BOOKMARK', {metadata: {resourceVersion: String(state.resourceVersion), annotations}});
    const timer = setInterval(look, 10);
    response.on('close', () => clearInterval(timer));
  };
  return {status: 200, body: undefined, stream};
}

/** What its container printed, and where that ended at once, its last words. */
function answerLog(state: ApiState, {query}: ApiRequest, pod: ApiObject): Answer {
  const refusal = refuseContainer(pod, query.container);
  if (refusal !== undefined) return refusal;
  if (query.follow === 'true') return badRequest('the stand-in has no logs that go on');
  const [{name, state: status}] = pod.status.containerStatuses;
  if (status.waiting && query.previous !== 'true') {
    const why = `is waiting to start: ${status.waiting.reason}`;
    return badRequest(`container "${name}" in pod "${pod.metadata.name}" ${why}`);
  }
  const printed = status.running ? state.logs : (readRecorded(state.builder.outcome).logs ?? '');
  const lines = printed.split(/(?<=\n)/).slice(-Number(query.tailLines ?? 0));
  return {status: 200, body: lines.join(''), contentType: 'text/plain'};
}
