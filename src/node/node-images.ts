/** Owns the images in a node's containerd, asked over one connection: find, list, tag and remove. */
import type {Duplex} from 'node:stream';
import {Content} from '../wire/containerd/content.ts';
import {GrpcCode, hasCode} from '../wire/grpc/status.ts';
import {type Descriptor, type Image, Images} from './containerd.ts';
import {type ContainerdCall, ContainerdConnection} from './containerd-connection.ts';

/** How long freeing what nothing needs any more may take, in milliseconds: it may be a cache of many gigabytes. */
const LONGEST_COLLECTION = 120_000;

/** In bytes. Registries take 4 MB; an image may lead to anything, such as a layer. */
const LONGEST_MANIFEST = 8 * 1024 * 1024;

/** A name of an image in a node. */
export interface NodeImage {
  /** The canonical reference, for which the kubelet asks. */
  readonly name: string;
  readonly target: Descriptor;
  readonly labels: ReadonlyMap<string, string>;
  /** Epoch milliseconds, by the node's clock. */
  readonly createdAt: number;
}

/** containerd's CRI plugin (1.7, 2.3) names every image by the digest of its configuration as well: `sha256:…`. */
export function isImageId({name}: Pick<NodeImage, 'name'>): boolean {
  return name.startsWith('sha256:');
}

/** Every method throws `GrpcError`. */
export class NodeImages {
  readonly containerd: ContainerdConnection;

  /** `stream` is a connection to containerd's socket. */
  constructor(stream: Duplex) {
    this.containerd = new ContainerdConnection(stream);
  }

  async find(name: string): Promise<NodeImage | undefined> {
    const answer = await this.containerd.call(Images.get, {name}).catch((error) => {
      if (hasCode(error, GrpcCode.NOT_FOUND)) return undefined;
      throw error;
    });
    return answer?.image && readImage(answer.image);
  }

  /** Those with a label of this value. */
  async list(label: string, value: string): Promise<readonly NodeImage[]> {
    return await this.#listBy(`labels.${JSON.stringify(label)}==${JSON.stringify(value)}`);
  }

  async #listBy(...filters: readonly string[]): Promise<readonly NodeImage[]> {
    const {images} = await this.containerd.call(Images.list, {filters});
    return images.flatMap((image) => readImage(image) ?? []);
  }

  /**
   * Gives an image a name, and takes it from another image that may have it. Labels of others on that name stay, such
   * as the kubelet's. `exists` is whether there is such a name already, as far as it is known.
   */
  async tag(
    name: string,
    target: Descriptor,
    labels: ReadonlyMap<string, string>,
    exists = false,
  ): Promise<void> {
    const image = {name, target, labels};
    const paths = ['target', ...[...labels.keys()].map((label) => `labels.${label}`)];
    const ways = [
      () => this.containerd.call(Images.create, {image}),
      () => this.containerd.call(Images.update, {image, mask: {paths}}),
    ];
    const [first, second] = exists ? ways.toReversed() : ways;
    try {
      await first?.();
    } catch (error) {
      if (!hasCode(error, exists ? GrpcCode.NOT_FOUND : GrpcCode.ALREADY_EXISTS)) throw error;
      await second?.();
    }
  }

  /** Every image in the node, whoever named it. */
  async listAll(): Promise<readonly NodeImage[]> {
    return await this.#listBy();
  }

  /** The bytes of a manifest or an index; undefined where the node does not have it, or it is too long for one. */
  async read(digest: string, call: Omit<ContainerdCall, 'lease'> = {}): Promise<Uint8Array | undefined> {
    const pieces: Uint8Array[] = [];
    let length = 0;
    try {
      for await (const {data} of this.containerd.stream(Content.read, {digest}, call)) {
        length += data.length;
        if (length > LONGEST_MANIFEST) return undefined;
        pieces.push(Buffer.from(data));
      }
      return Buffer.concat(pieces);
    } catch (error) {
      if (hasCode(error, GrpcCode.NOT_FOUND)) return undefined;
      throw error;
    }
  }

  /** The size of all content in the node, in bytes. */
  async measure(): Promise<number> {
    let total = 0;
    for await (const {infos} of this.containerd.stream(Content.list, {}))
      for (const {size} of infos) total += Number(size);
    return total;
  }

  /**
   * Removes the name; containerd frees what no other name or snapshot needs, and `sync` waits for that. A missing name
   * is no error.
   */
  async remove(name: string, sync = false): Promise<void> {
    const options = sync ? {patience: LONGEST_COLLECTION} : {};
    await this.containerd.call(Images.delete, {name, sync}, options).catch((error) => {
      if (!hasCode(error, GrpcCode.NOT_FOUND)) throw error;
    });
  }

  /** Removes a name, and with the last one its ID, which would keep the image for ever. */
  async removeImage({name, target}: Pick<NodeImage, 'name' | 'target'>, sync = false): Promise<void> {
    await this.remove(name, sync);
    const left = await this.#listBy(`target.digest==${JSON.stringify(target.digest)}`);
    if (left.every(isImageId)) await Promise.all(left.map((id) => this.remove(id.name, sync)));
  }

  close(): void {
    this.containerd.close();
  }
}

function readImage({name, target, labels, createdAt}: Image): NodeImage | undefined {
  return target && {name, target, labels, createdAt: Number(createdAt?.seconds ?? 0n) * 1000};
}
