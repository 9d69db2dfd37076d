/** Owns asking the cluster whether an image is on the builder's nodes already, which saves naming it there. */
import {ALL_PODS_PATH, namespacePodsPath, type ObjectPlace} from '../../cluster/api/paths.ts';
import type {Cluster} from '../../cluster/ports.ts';
import type {Product} from '../../cluster/product.ts';
import {isLocalCluster} from '../../cluster/product.ts';
import {TiltbuildError} from '../../errors.ts';
import {canonicalReference, parseReference} from '../../image/reference.ts';
import {isImageInUse} from '../verdict/image-in-use.ts';

export interface PresenceQuestion {
  readonly canonical: string;
  readonly builder: ObjectPlace;
  readonly product: Product;
}

/**
 * True only where a container that runs proves it (`isImageInUse`); false where it is not known, which costs one
 * cached pass. A local cluster is asked for all its pods, since Tilt may deploy to any namespace; a shared one, whose
 * pods are many and often not ours to list, for those of the builder's namespace.
 */
export async function isOnItsNodes(
  {canonical, builder, product}: PresenceQuestion,
  cluster: Cluster,
): Promise<boolean> {
  const path = isLocalCluster(product) ? ALL_PODS_PATH : namespacePodsPath(builder.namespace);
  const pods = await cluster.get(path).catch(() => undefined);
  if (pods?.kind !== 'found') return false;
  return isImageInUse({pods: pods.value, builder, isImage: (image) => isSame(image, canonical)});
}

function isSame(image: string, canonical: string): boolean {
  try {
    return canonicalReference(parseReference(image)) === canonical;
  } catch (error) {
    if (error instanceof TiltbuildError) return false;
    throw error;
  }
}
