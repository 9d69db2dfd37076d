/** Owns which resources the stand-in API server has: what kubectl learns of them, and what a path is about. */
import {readApiRecording} from '../api-samples.ts';
import {type Answer, type ApiRequest, failure} from './requests.ts';

export const resources = {
  namespaces: {kind: 'Namespace', group: '', namespaced: false},
  nodes: {kind: 'Node', group: '', namespaced: false},
  secrets: {kind: 'Secret', group: '', namespaced: true},
  configmaps: {kind: 'ConfigMap', group: '', namespaced: true},
  pods: {kind: 'Pod', group: '', namespaced: true},
  events: {kind: 'Event', group: '', namespaced: true},
  deployments: {kind: 'Deployment', group: 'apps', namespaced: true},
} as const;

export type ResourceName = keyof typeof resources;
export const resourceNames = Object.keys(resources) as readonly ResourceName[];

export const verbs = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'] as const;
export type Verb = (typeof verbs)[number];

const apiVersionOf = (group: string) => (group === '' ? 'v1' : `${group}/v1`);

/** What a request is about. */
export type Target = NonNullable<ReturnType<typeof findTarget>>;

const resourcePath =
  /^\/(?:api|apis\/(?<group>\w+))\/v1(?:\/namespaces\/(?<namespace>[^/]+))?\/(?<plural>[a-z]+)(?:\/(?<name>[^/]+)(?:\/(?<subresource>log|exec|proxy\/stats\/summary))?)?$/;
const writing: Record<string, Verb> = {POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete'};

/** Undefined for what no server has. */
export function findTarget({method, path, query}: ApiRequest) {
  const {group = '', namespace, name, subresource, ...found} = resourcePath.exec(path)?.groups ?? {};
  const plural = resourceNames.find((each) => each === found.plural);
  if (!plural || (subresource && plural !== (subresource.startsWith('proxy') ? 'nodes' : 'pods')))
    return undefined;
  const {kind, namespaced, ...resource} = resources[plural];
  if (resource.group !== group || (namespaced ? name && !namespace : namespace)) return undefined;
  const verb: Verb = writing[method] ?? (name ? 'get' : query.watch ? 'watch' : 'list');
  return {
    ...{plural, kind, apiVersion: apiVersionOf(group)},
    ...{namespace, name: name && decodeURIComponent(name), subresource, verb},
    /** `deployments.apps` */
    qualified: group === '' ? plural : `${plural}.${group}`,
    /** Of a Status. */
    details: {...(name && {name}), ...(group && {group}), kind: plural},
  };
}

export function notFound({qualified, details}: Target, name: string): Answer {
  return failure(404, 'NotFound', `${qualified} "${name}" not found`, {...details, name});
}

/** What kubectl asks before it asks for anything: the version, the resources, and who checks the fields of objects. */
export function discover(path: string): Answer | undefined {
  switch (path) {
    case '/version':
      return {status: 200, body: readApiRecording('version').body};
    case '/api':
      return listResources('');
    case '/apis':
      return listResources('apps');
    case '/openapi/v3': {
      const serverRelativeURL = '/openapi/v3/all';
      return {
        status: 200,
        body: {paths: {'api/v1': {serverRelativeURL}, 'apis/apps/v1': {serverRelativeURL}}},
      };
    }
    case '/openapi/v3/all':
      return {status: 200, body: describeWrites()};
    default:
      return undefined;
  }
}

function listResources(group: string): Answer {
  const list = resourceNames
    .filter((plural) => resources[plural].group === group)
    .map((plural) => {
      const {kind, namespaced} = resources[plural];
      const responseKind = {group, version: 'v1', kind};
      const scope = namespaced ? 'Namespaced' : 'Cluster';
      return {resource: plural, responseKind, scope, singularResource: kind.toLowerCase(), verbs};
    });
  const versions = [{version: 'v1', freshness: 'Current', resources: list}];
  const head = {kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', metadata: {}};
  return {
    status: 200,
    body: {...head, items: [{metadata: {name: group}, versions}]},
    contentType: 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList',
  };
}

/** Just enough for kubectl to see that the server checks fields itself, so that it does not. */
function describeWrites(): unknown {
  const parameters = [{name: 'fieldValidation', in: 'query', schema: {type: 'string'}}];
  const paths = resourceNames.map((plural) => {
    const {kind, group} = resources[plural];
    const patch = {parameters, 'x-kubernetes-group-version-kind': {group, version: 'v1', kind}};
    return [`/${group}/${plural}/{name}`, {patch}];
  });
  return {openapi: '3.0.0', info: {title: 'Kubernetes', version: 'v1'}, paths: Object.fromEntries(paths)};
}
