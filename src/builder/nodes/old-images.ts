/** Owns removing images that were named by earlier builds, and that no pod uses, from a builder's nodes. */
import {nodePodsPath} from '../../cluster/api/paths.ts';
import type {Cluster} from '../../cluster/ports.ts';
import {TiltbuildError} from '../../errors.ts';
import {findOld, type ImageOrigin, isSameOrigin, NAME_LABEL, readOrigin} from '../../node/image-labels.ts';
import {type FindUsers, findUsersIn} from '../../node/images-in-use.ts';
import type {BuilderNode} from './open-nodes.ts';

/**
 * Keeps the newest `keep` images of the origin on a node; all of them if `keep` is 0. `current` counts as the newest
 * by whatever clock the others were built.
 */
export async function removeOldImages(
  {name: node, images}: BuilderNode,
  origin: ImageOrigin,
  current: string,
  keep: number,
  cluster: Cluster,
): Promise<void> {
  if (keep === 0) return;
  const ofName = await images.list(NAME_LABEL, origin.name);
  const others = ofName.filter((image) => image.name !== current && isSameOrigin(readOrigin(image), origin));
  const old = findOld(others, keep - 1);
  if (old.length === 0) return;
  const usersOf = await findImageUsers(node, cluster);
  const unused = old.filter((image) => usersOf(image).length === 0);
  await Promise.all(unused.map((image) => images.removeImage(image)));
}

/** By the pods on the node, and those that no node has taken yet. Throws `cluster-denied`. */
export async function findImageUsers(node: string, cluster: Cluster): Promise<FindUsers> {
  const answers = await Promise.all([node, ''].map((name) => cluster.get(nodePodsPath(name))));
  return findUsersIn(
    answers.map((answer) => {
      if (answer.kind === 'found') return answer.value;
      throw new TiltbuildError(
        'cluster-denied',
        'You do not have permission to list pods in all namespaces.',
      );
    }),
  );
}
