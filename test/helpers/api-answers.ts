/** Owns what the stand-in API server answers: the cluster's state and a request in, a status and a body out. */
import {discover, type ResourceName, resources, writeAccepted, writeStatus} from './api-resources.ts';
import {
  type ApiObject,
  namespaceObject,
  readApiRecording,
  type SecretSample,
  secretObject,
} from './api-samples.ts';

/** What the cluster holds and how the server behaves. Change it at any time: each request sees it as it then is. */
export interface ApiState {
  namespaces: Set<string>;
  secrets: SecretSample[];
  deployments: ApiObject[];
  nodes: ApiObject[];
  forbidden: Set<ResourceName>;
  delayMs: number;
  /** Every request fails with this status, or this answer, or a torn connection. */
  failWith: undefined | number | 'destroy' | {status: number; contentType: string; body: string};
}

export interface ApiRequest {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly accept: string;
  readonly userAgent: string;
  /** Who was authenticated, before any impersonation; undefined for nobody. */
  readonly user: string | undefined;
  readonly impersonate: {
    readonly user: string | undefined;
    readonly groups: readonly string[];
    readonly uid: string | undefined;
    readonly extra: Readonly<Record<string, string>>;
  };
}

export interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly contentType?: string;
}

export function failAsTold({failWith}: ApiState): Answer | undefined {
  if (typeof failWith === 'object') return failWith;
  if (typeof failWith !== 'number') return undefined;
  const [reason, message] =
    failWith === 503
      ? ['ServiceUnavailable', 'the server is currently unable to handle the request']
      : ['InternalError', 'Internal error occurred: the stand-in was told to fail'];
  return {status: failWith, body: writeStatus(failWith, reason as string, message as string)};
}

const resourcePath =
  /^(?:\/api\/v1|\/apis\/apps\/v1)(?:\/namespaces\/(?<namespace>[^/]+))?\/(?<plural>[a-z]+)(?:\/(?<name>[^/]+))?$/;

export function answerRequest(request: ApiRequest, state: ApiState): Answer {
  if (request.user === undefined) return readApiRecording('unauthorized');
  const {method, path, query, accept} = request;
  const discovery = discover(path);
  if (discovery !== undefined) return {status: 200, body: discovery};
  const groups = resourcePath.exec(path)?.groups;
  const plural = groups?.plural as ResourceName | undefined;
  const resource = plural && resources[plural];
  if (method !== 'GET' || !resource || !path.startsWith(resource.group === '' ? '/api/' : '/apis/')) {
    return {
      status: 404,
      body: writeStatus(404, 'NotFound', 'the server could not find the requested resource', {}),
    };
  }
  const namespace = groups?.namespace;
  const name = groups?.name && decodeURIComponent(groups.name);
  const qualified = resource.group === '' ? plural : `${plural}.${resource.group}`;
  const details = {...(name && {name}), ...(resource.group && {group: resource.group}), kind: plural};

  if (state.forbidden.has(plural as ResourceName)) {
    const who = request.impersonate.user ?? request.user;
    const scope = namespace === undefined ? 'at the cluster scope' : `in the namespace "${namespace}"`;
    const what = `${name ? `${qualified} "${name}"` : qualified} is forbidden`;
    const deed = `cannot ${name ? 'get' : 'list'} resource "${plural}" in API group "${resource.group}" ${scope}`;
    return {status: 403, body: writeStatus(403, 'Forbidden', `${what}: User "${who}" ${deed}`, details)};
  }
  const inNamespace = objectsOf(plural as ResourceName, state).filter(
    ({metadata}) => namespace === undefined || metadata.namespace === namespace,
  );
  const write = (content: Parameters<typeof writeAccepted>[2]): Answer => ({
    status: 200,
    body: writeAccepted(accept, query.includeObject, content, resource),
  });
  if (name) {
    const found = inNamespace.find(({metadata}) => metadata.name === name);
    if (found) return write(found);
    return {status: 404, body: writeStatus(404, 'NotFound', `${qualified} "${name}" not found`, details)};
  }
  const selected = inNamespace.filter((object) => matches(object, query));
  const limit = Number(query.limit ?? 0) || selected.length;
  return write({
    kind: `${resource.kind}List`,
    apiVersion: resource.group === '' ? 'v1' : 'apps/v1',
    metadata: {
      resourceVersion: '4186',
      ...(limit < selected.length && {continue: 'more', remainingItemCount: selected.length - limit}),
    },
    // As a real server: no kind on the items of a list.
    items: selected.slice(0, limit).map(({kind: _, apiVersion: __, ...object}) => object as ApiObject),
  });
}

function objectsOf(plural: ResourceName, state: ApiState): ApiObject[] {
  switch (plural) {
    case 'namespaces':
      return [...state.namespaces].map(namespaceObject);
    case 'nodes':
      return state.nodes;
    case 'secrets':
      return state.secrets.map(secretObject);
    case 'deployments':
      return state.deployments;
  }
}

/** Equality selectors alone, on fields that a real server selects by: anything else matches nothing. */
function matches(
  object: ApiObject,
  {fieldSelector = '', labelSelector = ''}: Readonly<Record<string, string>>,
) {
  const fields: Record<string, unknown> = {type: object.type, 'metadata.name': object.metadata.name};
  const pairs = (selector: string) =>
    selector === '' ? [] : selector.split(',').map((pair) => pair.split(/==?/) as [string, string]);
  return (
    pairs(fieldSelector).every(([field, value]) => fields[field] === value) &&
    pairs(labelSelector).every(([label, value]) => object.metadata.labels?.[label] === value)
  );
}
