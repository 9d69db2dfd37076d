/** Owns asking a cluster for the registry that it announces. */
import {LOCAL_REGISTRY_PATH} from '../../cluster/api/paths.ts';
import type {Cluster} from '../../cluster/ports.ts';
import {type LocalRegistry, readLocalRegistry} from '../model/local-registry.ts';
import type {BuilderPlan} from '../model/request.ts';

/** The one that is known already, else by one request. */
export async function findLocalRegistry({
  localRegistry,
  product,
  cluster,
}: BuilderPlan & {readonly cluster: Cluster}): Promise<LocalRegistry | undefined> {
  return localRegistry ?? readLocalRegistry(await cluster.get(LOCAL_REGISTRY_PATH), product);
}
