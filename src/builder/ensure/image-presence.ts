/** Owns whether the builder's nodes have an image already, which saves giving it a name there. */
import {asItems, asList, asObject, asText} from '../../cluster/api/json-values.ts';
import {ALL_PODS_PATH, namespacePodsPath, type ObjectPlace} from '../../cluster/api/paths.ts';
import type {Cluster} from '../../cluster/ports.ts';
import {isLocalCluster, type Product} from '../../cluster/product.ts';
import {TiltbuildError} from '../../errors.ts';
import {canonicalReference, parseReference} from '../../image/reference.ts';

export interface PresenceQuestion {
  readonly canonical: string;
  readonly builder: ObjectPlace;
  readonly product: Product;
}

/**
 * True only if a running container proves it; false if it is not known, which costs one cached pass. On a local
 * cluster the question covers all pods, since Tilt may deploy to any namespace. On a shared cluster, whose pods are
 * many and often not ours to list, it covers those of the builder's namespace.
 */
export async function isOnItsNodes(
  {canonical, builder, product}: PresenceQuestion,
  cluster: Cluster,
): Promise<boolean> {
  const path = isLocalCluster(product) ? ALL_PODS_PATH : namespacePodsPath(builder.namespace);
  const pods = await cluster.get(path).catch(() => undefined);
  return pods?.kind === 'found' && isImageInUse(pods.value, builder, canonical);
}

/**
 * Whether each node with a pod of the builder runs a container of the image. The kubelet collects no image that a
 * container uses, so the node has it under this name, unless somebody removed it by hand.
 */
function isImageInUse(body: unknown, builder: ObjectPlace, canonical: string): boolean {
  const pods = asItems(body).map(readPod);
  const builderNodes = pods
    .filter(({namespace, app}) => namespace === builder.namespace && app === builder.name)
    .map(({node}) => node);
  return (
    builderNodes.length > 0 &&
    builderNodes.every(
      (node) =>
        node !== '' &&
        pods.some((pod) => pod.node === node && pod.images.some((image) => isSame(image, canonical))),
    )
  );
}

function readPod({metadata, spec, status}: Readonly<Record<string, unknown>>) {
  const {namespace, labels} = asObject(metadata);
  const {nodeName, containers} = asObject(spec);
  const running = asList(asObject(status).containerStatuses)
    .map(asObject)
    .filter(({state}) => asObject(state).running !== undefined)
    .map(({name}) => asText(name));
  return {
    namespace: asText(namespace),
    app: asText(asObject(labels).app),
    node: asText(nodeName),
    /** Of its running containers, as their specification names them. */
    images: asList(containers)
      .map(asObject)
      .filter(({name}) => running.includes(asText(name)))
      .map(({image}) => asText(image)),
  };
}

function isSame(image: string, canonical: string): boolean {
  try {
    return canonicalReference(parseReference(image)) === canonical;
  } catch (error) {
    if (error instanceof TiltbuildError) return false;
    throw error;
  }
}
