/** Owns the registry for development that a cluster announces (KEP-1755), under its names on this machine and in pods. */
import {parse} from 'yaml';
import type {Answer, ApiObject} from '../../cluster/api/facts.ts';
import {asObject, asText} from '../../cluster/api/json-values.ts';
import type {Product} from '../../cluster/product.ts';

export interface LocalRegistry {
  /** As in an image reference: `localhost:5001`. */
  readonly host: string;
  /** What pods call it. */
  readonly inCluster: string;
}

/** The script in kind's documentation gives the container this name and port, and announces only `localhost:5001`. */
const KIND_REGISTRY = 'kind-registry:5000';
const HOST = /^[A-Za-z0-9][A-Za-z0-9.-]*(?::\d{1,5})?$/;
const LOOPBACK = /^(?:localhost|127\.[\d.]+)(?::|$)/;

/** By the ConfigMap; undefined where none is announced, or nothing shows what pods call it. */
export function readLocalRegistry(
  answer: Answer<ApiObject> | undefined,
  product: Product,
): LocalRegistry | undefined {
  if (answer?.kind !== 'found') return undefined;
  const text = asText(asObject(asObject(answer.value).data)['localRegistryHosting.v1']);
  const {host, hostFromClusterNetwork, hostFromContainerRuntime} = readHosting(text);
  if (!isHost(host)) return undefined;
  const named = [hostFromClusterNetwork, hostFromContainerRuntime, host].find(isReachable);
  const inCluster = named ?? (product === 'kind' ? KIND_REGISTRY : undefined);
  return inCluster === undefined ? undefined : {host, inCluster};
}

/** Whether an image of this canonical name is in that registry. */
export function isInRegistry({host, inCluster}: LocalRegistry, canonical: string): boolean {
  return [host, inCluster].includes(canonical.split('/', 1)[0] as string);
}

/** The same image as pods call it. */
export function nameInCluster(canonical: string, registry: LocalRegistry | undefined): string {
  const isLocal = registry !== undefined && canonical.startsWith(`${registry.host}/`);
  return isLocal ? registry.inCluster + canonical.slice(registry.host.length) : canonical;
}

/** It was written by hand, or by a script. */
function readHosting(text: string): ReturnType<typeof asObject> {
  try {
    return asObject(parse(text));
  } catch {
    return {};
  }
}

function isHost(value: unknown): value is string {
  return typeof value === 'string' && HOST.test(value);
}

function isReachable(value: unknown): value is string {
  return isHost(value) && !LOOPBACK.test(value);
}
