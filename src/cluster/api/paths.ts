/** Owns the API server's paths for what belongs to a builder. */

export interface ObjectPlace {
  readonly name: string;
  readonly namespace: string;
}

export function namespacePath(namespace: string): string {
  return `/api/v1/namespaces/${encodeURIComponent(namespace)}`;
}

/** All Deployments of the namespace. */
export function deploymentsPath(namespace: string): string {
  return `/apis/apps/v1/namespaces/${encodeURIComponent(namespace)}/deployments`;
}

export function deploymentPath({name, namespace}: ObjectPlace): string {
  return `${deploymentsPath(namespace)}/${encodeURIComponent(name)}`;
}

/** All pods of the builder. */
export function podsPath({name, namespace}: ObjectPlace): string {
  return `${namespacePath(namespace)}/pods?labelSelector=${encodeURIComponent(`app=${name}`)}`;
}

/** All of the namespace: those of the ReplicaSets are wanted as well. */
export function eventsPath(namespace: string): string {
  return `${namespacePath(namespace)}/events?limit=500`;
}
