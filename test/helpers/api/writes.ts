/** Owns what changes the stand-in cluster through its API: namespaces, and builders' ConfigMaps and Deployments. */
import {isDeepStrictEqual} from 'node:util';
import type {ApiObject, Json} from '../api-samples.ts';
import {refuse} from './access.ts';
import {type Answer, type ApiRequest, badRequest, failure} from './requests.ts';
import {notFound, type Target} from './resources.ts';
import {endPods, rollOut, scale} from './rollout.ts';
import {type Cluster, findObject, removeObject, storeObject} from './state.ts';

const notAllowed = () =>
  failure(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {});
const conflict = (message: string, details: object) => failure(409, 'Conflict', message, details);
const alreadyExists = ({qualified, details}: Target, name: string) =>
  failure(409, 'AlreadyExists', `${qualified} "${name}" already exists`, {...details, name});

export function answerWrite(cluster: Cluster, request: ApiRequest, target: Target): Answer {
  const {method, contentType, body} = request;
  const {plural, subresource} = target;
  const name: string | undefined = method === 'POST' ? (body as Json)?.metadata?.name : target.name;
  if (contentType !== (method === 'PATCH' ? 'application/apply-patch+yaml' : 'application/json')) {
    return failure(415, 'UnsupportedMediaType', `the stand-in reads no ${contentType} of a ${method}`);
  }
  if (subresource !== undefined || name === undefined) return notAllowed();
  if (plural === 'namespaces') return writeNamespace(cluster, method, {...target, name});
  if (plural !== 'configmaps' && plural !== 'deployments') return notAllowed();
  return writeObject(cluster, request, {...target, plural, name});
}

function writeNamespace({state}: Cluster, method: string, target: Target & {readonly name: string}): Answer {
  const {name} = target;
  const live = findObject(state, 'namespaces', {name});
  switch (method) {
    case 'POST':
      if (live !== undefined) return alreadyExists(target, name);
      state.namespaces.add(name);
      return {status: 201, body: findObject(state, 'namespaces', {name})};
    case 'DELETE':
      if (live === undefined) return notFound(target, name);
      state.namespaces.delete(name);
      // With it all goes that is in it.
      for (const list of ['configmaps', 'deployments', 'pods', 'events'] as const)
        state[list] = state[list].filter(({metadata}) => metadata.namespace !== name);
      return {status: 200, body: live};
    default:
      return notAllowed();
  }
}

function writeObject(
  cluster: Cluster,
  request: ApiRequest,
  target: Target & {readonly plural: 'configmaps' | 'deployments'; readonly name: string},
): Answer {
  const {state} = cluster;
  const {plural, namespace = '', name, qualified, details, apiVersion} = target;
  const {method, query, body} = request;
  const live = findObject(state, plural, {namespace, name});
  if (method === 'DELETE') return live ? remove(live) : notFound(target, name);
  const sent: ApiObject = {...(body as Json), metadata: {namespace, ...(body as Json).metadata}};
  if (sent.metadata.name !== name || sent.metadata.namespace !== namespace) {
    return badRequest('the object does not match the name and the namespace on the URL');
  }
  if (!state.namespaces.has(namespace)) {
    const missing = {name: namespace, kind: 'namespaces'};
    return failure(404, 'NotFound', `namespaces "${namespace}" not found`, missing);
  }
  const manager = query.fieldManager ?? '';
  switch (method) {
    case 'POST':
      return live ? alreadyExists(target, name) : store(sent);
    case 'PUT': {
      if (live === undefined) return notFound(target, name);
      const {resourceVersion = live.metadata.resourceVersion} = sent.metadata;
      if (resourceVersion === live.metadata.resourceVersion) return store(sent);
      const why =
        'the object has been modified; please apply your changes to the latest version and try again';
      return conflict(`Operation cannot be fulfilled on ${qualified} "${name}": ${why}`, {...details, name});
    }
    case 'PATCH': {
      if (live === undefined) return refuse(state, request, {...target, verb: 'create'}) ?? store(sent);
      // A real one knows who set which field, and keeps the others'. This one knows who wrote last, and keeps nothing.
      const [{manager: other}] = live.metadata.managedFields;
      if (other === manager || query.force === 'true') return store(sent);
      const message = `Apply failed with 1 conflict: conflict with "${other}" using ${apiVersion}`;
      return conflict(message, {causes: [{reason: 'FieldManagerConflict', message}]});
    }
    default:
      return notAllowed();
  }

  function store(object: ApiObject): Answer {
    const invalid = plural === 'deployments' ? findInvalid(live, object) : undefined;
    if (invalid !== undefined) {
      const causes = [{reason: 'FieldValueInvalid', message: invalid}];
      const message = `Deployment.apps "${name}" is invalid: ${invalid}`;
      return failure(422, 'Invalid', message, {name, group: 'apps', kind: 'Deployment', causes});
    }
    const stored = storeObject(state, plural, object, manager);
    const hasSamePods = isDeepStrictEqual(live?.spec?.template, stored.spec?.template);
    if (stored.metadata.generation !== live?.metadata.generation)
      (hasSamePods ? scale : rollOut)(cluster, stored);
    return {status: live ? 200 : 201, body: stored};
  }

  function remove({metadata: {uid}}: ApiObject): Answer {
    if (live && plural === 'deployments') endPods(cluster, live);
    removeObject(state, plural, {namespace, name});
    const status = {kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success'};
    return {status: 200, body: {...status, details: {...details, uid}}};
  }
}

/** What of a Deployment cannot be, and why. */
function findInvalid(live: ApiObject | undefined, {spec: {selector, template}}: ApiObject) {
  const labels = template.metadata?.labels ?? {};
  const matched = Object.entries(selector?.matchLabels ?? {});
  switch (true) {
    case matched.length === 0:
      return 'spec.selector: Required value';
    case matched.some(([label, value]) => labels[label] !== value):
      return 'spec.template.metadata.labels: Invalid value: `selector` does not match template `labels`';
    case live !== undefined && !isDeepStrictEqual(live.spec.selector, selector):
      return `spec.selector: Invalid value: ${JSON.stringify(selector)}: field is immutable`;
    default:
      return undefined;
  }
}
