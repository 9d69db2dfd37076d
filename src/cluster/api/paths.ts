/** Owns the paths on the API server that we ask for, and the selectors in them. */
import {PULL_SECRET_TYPE} from '../pull-secret.ts';

export interface ObjectPlace {
  readonly name: string;
  readonly namespace: string;
}

export const VERSION_PATH = '/version';
export const NAMESPACES_PATH = '/api/v1/namespaces?limit=500';
export const NODES_PATH = '/api/v1/nodes?limit=500';
/** A few nodes show the product and the runtime, and a node takes 10 kB. */
export const SOME_NODES_PATH = '/api/v1/nodes?limit=50';
export const RULES_REVIEW_PATH = '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews';
export const SELF_REVIEW_PATH = '/apis/authentication.k8s.io/v1/selfsubjectreviews';

/** Where a cluster announces its registry (KEP-1755). */
export const LOCAL_REGISTRY_NAME = 'local-registry-hosting';
export const LOCAL_REGISTRY_PATH = `/api/v1/namespaces/kube-public/configmaps/${LOCAL_REGISTRY_NAME}`;

/** The labels that kubectl build gives to its builders, and finds them by. */
export const BUILDER_SELECTOR = 'rootless,runtime,worker';
/** The Secrets that hold registry logins. */
export const PULL_SECRET_SELECTOR = `type=${PULL_SECRET_TYPE}`;

const LABELLED_AS_BUILDER = `labelSelector=${encodeURIComponent(BUILDER_SELECTOR)}`;
/** Leaves out even the metadata of a Table's rows. */
const ROWS_ONLY = 'includeObject=None';

export function namespacePath(namespace: string): string {
  return `/api/v1/namespaces/${encodeURIComponent(namespace)}`;
}

/** For `ACCEPT_TABLE`. */
export function secretPath({name, namespace}: ObjectPlace): string {
  return `${namespacePath(namespace)}/secrets/${encodeURIComponent(name)}?${ROWS_ONLY}`;
}

/** With its data: a secret. */
export function secretDataPath({name, namespace}: ObjectPlace): string {
  return `${namespacePath(namespace)}/secrets/${encodeURIComponent(name)}`;
}

/** For `ACCEPT_TABLE`. */
export function pullSecretsPath(namespace: string): string {
  return `${namespacePath(namespace)}/secrets?fieldSelector=${encodeURIComponent(PULL_SECRET_SELECTOR)}&${ROWS_ONLY}`;
}

/** The Deployments of all builders in the namespace. */
export function buildersPath(namespace: string): string {
  return `${deploymentsPath(namespace)}?${LABELLED_AS_BUILDER}`;
}

/** The ConfigMaps of all builders in the namespace. */
export function builderConfigsPath(namespace: string): string {
  return `${namespacePath(namespace)}/configmaps?${LABELLED_AS_BUILDER}`;
}

export function deploymentPath({name, namespace}: ObjectPlace): string {
  return `${deploymentsPath(namespace)}/${encodeURIComponent(name)}`;
}

function deploymentsPath(namespace: string): string {
  return `/apis/apps/v1/namespaces/${encodeURIComponent(namespace)}/deployments`;
}

export function podsPath(namespace: string, selector: string): string {
  return `${namespacePodsPath(namespace)}?labelSelector=${encodeURIComponent(selector)}`;
}

export function nodePath(node: string): string {
  return `/api/v1/nodes/${encodeURIComponent(node)}`;
}

/** What the node's kubelet reports of itself. */
export function nodeStatsPath(node: string): string {
  return `${nodePath(node)}/proxy/stats/summary`;
}

/** The pods of a node in all namespaces; without a name, those that no node has taken yet. */
export function nodePodsPath(node: string): string {
  return `/api/v1/pods?fieldSelector=${encodeURIComponent(`spec.nodeName=${node}`)}`;
}

export function namespacePodsPath(namespace: string): string {
  return `${namespacePath(namespace)}/pods`;
}

export function podPath({name, namespace}: ObjectPlace): string {
  return `${namespacePodsPath(namespace)}/${encodeURIComponent(name)}`;
}

/** What a kubelet reports of containers that it cannot start, the pull of their images included. */
export function failedPodEventsPath(namespace: string): string {
  const selector = 'involvedObject.kind=Pod,reason=Failed';
  return `${namespacePath(namespace)}/events?fieldSelector=${encodeURIComponent(selector)}&limit=500`;
}

export function quotasPath(namespace: string): string {
  return `${namespacePath(namespace)}/resourcequotas`;
}

/** All events of the namespace: those of ReplicaSets matter as well. */
export function eventsPath(namespace: string): string {
  return `${namespacePath(namespace)}/events?limit=500`;
}
