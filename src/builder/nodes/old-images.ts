/** Owns removing images that were named by earlier builds, and that no pod uses, from a builder's nodes. */
import {nodePodsPath} from '../../cluster/api/paths.ts';
import type {Cluster} from '../../cluster/ports.ts';
import {TiltbuildError} from '../../errors.ts';
import {findOld, type ImageOrigin, isOf, NAME_LABEL} from '../../node/image-labels.ts';
import {type ImagesInUse, readImagesInUse} from '../../node/images-in-use.ts';
import type {BuilderNode} from './open-nodes.ts';

/** Keeps the newest `keep` images of the origin on each node; all of them if `keep` is 0. */
export async function removeOldImages(
  nodes: readonly BuilderNode[],
  origin: ImageOrigin,
  keep: number,
  cluster: Cluster,
): Promise<void> {
  if (keep === 0) return;
  for (const {name: node, images} of nodes) {
    const ofName = await images.list(NAME_LABEL, origin.name);
    const old = findOld(
      ofName.filter((image) => isOf(image, origin)),
      keep,
    );
    if (old.length === 0) continue;
    const {names, digests} = await findImagesInUse(node, cluster);
    const unused = old.filter(({name, target}) => !names.has(name) && !digests.has(target.digest));
    await Promise.all(unused.map(({name}) => images.remove(name)));
  }
}

/** By the pods on the node, and those that no node has taken yet. Throws `cluster-denied`. */
export async function findImagesInUse(node: string, cluster: Cluster): Promise<ImagesInUse> {
  const answers = await Promise.all([node, ''].map((name) => cluster.get(nodePodsPath(name))));
  return readImagesInUse(
    answers.map((answer) => {
      if (answer.kind === 'found') return answer.value;
      throw new TiltbuildError(
        'cluster-denied',
        'You do not have permission to list pods in all namespaces.',
      );
    }),
  );
}
