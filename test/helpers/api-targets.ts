/** Owns what a request to the stand-in API server is about: the resource, the object, the verb. */
import type {ServerResponse} from 'node:http';
import {type Resource, type ResourceName, resources} from './api-resources.ts';
import type {Verb} from './api-state.ts';

export interface ApiRequest {
  readonly method: string;
  readonly path: string;
  /** The last value of each; of an exec's command, see `command`. */
  readonly query: Readonly<Record<string, string>>;
  readonly accept: string;
  readonly contentType: string;
  readonly userAgent: string;
  /** What was sent, parsed; a text where it is neither JSON nor YAML. */
  readonly body: unknown;
  /** What an exec is to run. */
  readonly command: readonly string[];
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
  /** Writes the answer itself instead, for as long as it takes. */
  readonly stream?: (response: ServerResponse) => void;
}

export interface Target {
  readonly plural: ResourceName;
  readonly resource: Resource;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly subresource: string | undefined;
  readonly verb: Verb;
  /** `deployments.apps` */
  readonly qualified: string;
  /** Of a Status. */
  readonly details: object;
}

const resourcePath =
  /^(?:\/api\/v1|\/apis\/apps\/v1)(?:\/namespaces\/(?<namespace>[^/]+))?\/(?<plural>[a-z]+)(?:\/(?<name>[^/]+)(?:\/(?<subresource>log|exec))?)?$/;

export function findTarget({method, path, query}: ApiRequest): Target | undefined {
  const groups = resourcePath.exec(path)?.groups;
  const plural = groups?.plural as ResourceName | undefined;
  const resource = plural && resources[plural];
  if (!resource || !path.startsWith(resource.group === '' ? '/api/' : '/apis/')) return undefined;
  const {namespace, subresource} = groups ?? {};
  const name = groups?.name && decodeURIComponent(groups.name);
  const watches = query.watch === 'true' || query.watch === '1';
  const verbs: Readonly<Record<string, Verb>> = {
    POST: 'create',
    PUT: 'update',
    PATCH: 'patch',
    DELETE: 'delete',
  };
  const verb = verbs[method] ?? (name ? 'get' : watches ? 'watch' : 'list');
  return {
    plural,
    resource,
    namespace,
    name: name || undefined,
    subresource,
    verb,
    qualified: resource.group === '' ? plural : `${plural}.${resource.group}`,
    details: {...(name && {name}), ...(resource.group && {group: resource.group}), kind: plural},
  };
}
