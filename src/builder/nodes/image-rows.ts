/** Owns the images that this program named on a builder's nodes, with their sizes and who uses them. */
import type {Cluster} from '../../cluster/ports.ts';
import {TiltbuildError} from '../../errors.ts';
import {type ImageSize, measureImages} from '../../node/image-content.ts';
import {NAME_LABEL} from '../../node/image-labels.ts';
import type {NodeImage} from '../../node/node-images.ts';
import {findImageUsers} from './old-images.ts';
import type {BuilderNode} from './open-nodes.ts';

export interface ImageRow {
  readonly node: BuilderNode;
  readonly image: NodeImage;
  readonly size: ImageSize;
  /** The pods on the node that use it; undefined without permission to list them. */
  readonly users: readonly string[] | undefined;
}

/** Throws `GrpcError`. */
export async function listImageRows(
  nodes: readonly BuilderNode[],
  cluster: Cluster,
): Promise<readonly ImageRow[]> {
  const rows = await Promise.all(
    nodes.map(async (node) => {
      const [all, usersOf] = await Promise.all([
        node.images.listAll(),
        findImageUsers(node.name, cluster).catch(withoutPermission),
      ]);
      const sizes = await measureImages(all, node.images);
      return all
        .filter(({labels}) => labels.has(NAME_LABEL))
        .map((image) => ({node, image, size: sizes.get(image) ?? NOTHING, users: usersOf?.(image)}));
    }),
  );
  return rows.flat();
}

const NOTHING: ImageSize = {own: 0, shared: 0};

function withoutPermission(error: unknown): undefined {
  if (error instanceof TiltbuildError && error.code === 'cluster-denied') return undefined;
  throw error;
}
