/** Owns the blobs that an image consists of, each with the labels by which a node keeps what it leads to. */
import type {ImageTree} from './image-tree.ts';
import type {Blob} from './ingest.ts';
import {SNAPSHOT, snapshotLabels} from './unpack-image.ts';

/** Those that lead to others, and are read already. */
export interface Metadata extends Blob {
  readonly data: Uint8Array;
}

const REFERENCE = 'containerd.io/gc.ref.content';

/** Indexes, manifests and configurations, what leads to others first. The names of labels are containerd's own. */
export function listMetadata(tree: ImageTree, snapshotter: string): readonly Metadata[] {
  const metadata = (
    {digest, data}: Pick<ImageTree, 'digest' | 'data'>,
    labels: Metadata['labels'],
  ): Metadata => ({digest, data, size: data.length, labels});
  if (tree.kind === 'index') {
    const labels = [...tree.children].map(
      ([place, child]) => [`${REFERENCE}.m.${place}`, child.digest] as const,
    );
    const below = [...tree.children.values()].flatMap((child) => listMetadata(child, snapshotter));
    return unique([metadata(tree, new Map(labels)), ...below]);
  }
  const layers = tree.layers.map(
    ({descriptor}, place) => [`${REFERENCE}.l.${place}`, descriptor.digest] as const,
  );
  const labels = new Map([[`${REFERENCE}.config`, tree.config.digest], ...layers]);
  return [metadata(tree, labels), metadata(tree.config, snapshotLabels(tree, snapshotter))];
}

export function listLayers(tree: ImageTree): readonly Blob[] {
  const list = (one: ImageTree): readonly Blob[] =>
    one.kind === 'index'
      ? [...one.children.values()].flatMap(list)
      : one.layers.map(({descriptor, size, labels}) => ({digest: descriptor.digest, size, labels}));
  return unique(list(tree));
}

/** The labels that a blob in a node lacks to keep what it leads to, whatever they are named there. */
export function findLackingLabels(
  {labels}: Blob,
  there: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const kept = new Set([...there].filter(([name]) => name.startsWith(REFERENCE)).map(([, digest]) => digest));
  return new Map(
    [...labels].filter(([name, value]) => {
      if (name.startsWith(REFERENCE)) return !kept.has(value);
      return name.startsWith(SNAPSHOT) && there.get(name) !== value;
    }),
  );
}

/** Manifests have layers in common, and an image may have a layer twice. */
function unique<T extends Blob>(blobs: readonly T[]): readonly T[] {
  return [...new Map(blobs.map((blob) => [blob.digest, blob])).values()];
}
