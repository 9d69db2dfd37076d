/** Owns what an image in a node consists of: its blobs, and which of them no other image has. */
import type {Descriptor} from './containerd.ts';
import {readManifest} from './manifest.ts';
import {isImageId, type NodeImage, type NodeImages} from './node-images.ts';

/** Sizes in bytes, by digests. */
type Blobs = ReadonlyMap<string, number>;

export interface ImageSize {
  /** Of blobs that no other name in the node leads to. */
  readonly own: number;
  readonly shared: number;
}

/** `all` are the images in the node, those to be measured among them. Throws `GrpcError`. */
export async function measureImages(
  all: readonly NodeImage[],
  images: Pick<NodeImages, 'read'>,
): Promise<ReadonlyMap<NodeImage, ImageSize>> {
  const list = makeList(images);
  const blobs = await Promise.all(all.map(async (image) => await list(image.target.digest)));
  const uses = new Map<string, number>();
  const named = new Set(all.filter((image) => !isImageId(image)).map(({target}) => target.digest));
  // An ID beside a name goes with the name.
  const counted = blobs.filter((_, index) => {
    const image = all[index];
    return image !== undefined && !(isImageId(image) && named.has(image.target.digest));
  });
  for (const digest of counted.flatMap((one) => [...one.keys()]))
    uses.set(digest, (uses.get(digest) ?? 0) + 1);
  return new Map(
    all.map((image, index) => {
      const entries = [...(blobs[index] ?? [])];
      const sum = (isOwn: boolean) =>
        entries
          .filter(([digest]) => (uses.get(digest) === 1) === isOwn)
          .reduce((total, [, size]) => total + size, 0);
      return [image, {own: sum(true), shared: sum(false)}];
    }),
  );
}

type List = (digest: string) => Promise<Blobs>;

/** Images have many manifests in common. */
function makeList(images: Pick<NodeImages, 'read'>): List {
  const started = new Map<string, Promise<Blobs>>();
  const list: List = (digest) => {
    const listing = started.get(digest) ?? listBlobs(digest, images, list);
    started.set(digest, listing);
    return listing;
  };
  return list;
}

/** Of a manifest, or of all manifests of an index as far as the node has them (OCI image specification). */
async function listBlobs(digest: string, images: Pick<NodeImages, 'read'>, list: List): Promise<Blobs> {
  const bytes = await images.read(digest);
  if (bytes === undefined) return new Map();
  const {manifests, config, layers} = readManifest(bytes);
  const isThere = ({digest}: Descriptor) => digest !== '';
  const children = await Promise.all(manifests.filter(isThere).map((child) => list(child.digest)));
  return new Map([
    [digest, bytes.length],
    ...children.flatMap((child) => [...child]),
    ...[config, ...layers].filter(isThere).map((blob): [string, number] => [blob.digest, Number(blob.size)]),
  ]);
}
