/** Owns what an image in a node consists of: its blobs, and which of them no other image has. */
import {asList, asNumber, asObject, asText} from '../cluster/api/json-values.ts';
import type {NodeImage, NodeImages} from './node-images.ts';

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
  images: NodeImages,
): Promise<ReadonlyMap<NodeImage, ImageSize>> {
  const read = readOnce(images);
  const blobs = await Promise.all(all.map(async (image) => await listBlobs(image.target.digest, read)));
  const uses = new Map<string, number>();
  for (const digest of blobs.flatMap((one) => [...one.keys()])) uses.set(digest, (uses.get(digest) ?? 0) + 1);
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

type Read = (digest: string) => Promise<Uint8Array | undefined>;

/** Images have many manifests in common. */
function readOnce(images: NodeImages): Read {
  const started = new Map<string, Promise<Uint8Array | undefined>>();
  return (digest) => {
    const reading = started.get(digest) ?? images.read(digest);
    started.set(digest, reading);
    return reading;
  };
}

/** Of a manifest, or of all manifests of an index as far as the node has them (OCI image specification). */
async function listBlobs(digest: string, read: Read): Promise<Blobs> {
  const bytes = await read(digest);
  if (bytes === undefined) return new Map();
  const {manifests, config, layers} = parse(bytes);
  const children = await Promise.all(asList(manifests).map((child) => listBlobs(digestOf(child), read)));
  return new Map([
    [digest, bytes.length],
    ...children.flatMap((child) => [...child]),
    ...[config, ...asList(layers)]
      .filter((blob) => digestOf(blob) !== '')
      .map((blob): [string, number] => [digestOf(blob), asNumber(asObject(blob).size)]),
  ]);
}

function digestOf(descriptor: unknown): string {
  return asText(asObject(descriptor).digest);
}

function parse(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    return asObject(JSON.parse(Buffer.from(bytes).toString()));
  } catch {
    return {};
  }
}
