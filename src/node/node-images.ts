/** Owns the images in a node's containerd, asked over one connection: find, list, tag and remove. */
import type {Duplex} from 'node:stream';
import {Content} from '../wire/containerd/content.ts';
import {callUnary, callWithOne} from '../wire/grpc/client.ts';
import type {Method} from '../wire/grpc/messages.ts';
import {GrpcCode, GrpcError} from '../wire/grpc/status.ts';
import {Http2Connection} from '../wire/http2/connection.ts';
import {type Descriptor, type Image, Images} from './containerd.ts';

/** The namespace in which the kubelet looks for images. */
const METADATA = [['containerd-namespace', 'k8s.io']] as const;

/** How long containerd may take to answer, in milliseconds; it usually takes less than 10. */
const PATIENCE = 10_000;
/** The same for freeing what nothing needs any more, which may be a cache of many gigabytes. */
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

/** Every method throws `GrpcError`. */
export class NodeImages {
  readonly #connection: Http2Connection;

  /** `stream` is a connection to containerd's socket. */
  constructor(stream: Duplex) {
    this.#connection = new Http2Connection(stream, 'client');
  }

  async find(name: string): Promise<NodeImage | undefined> {
    const answer = await this.#call(Images.get, {name}).catch((error) => {
      if (hasCode(error, GrpcCode.NOT_FOUND)) return undefined;
      throw error;
    });
    return answer?.image && readImage(answer.image);
  }

  /** Those with a label of this value. */
  async list(label: string, value: string): Promise<readonly NodeImage[]> {
    const filter = `labels.${JSON.stringify(label)}==${JSON.stringify(value)}`;
    const {images} = await this.#call(Images.list, {filters: [filter]});
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
      () => this.#call(Images.create, {image}),
      () => this.#call(Images.update, {image, mask: {paths}}),
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
    const {images} = await this.#call(Images.list, {});
    return images.flatMap((image) => readImage(image) ?? []);
  }

  /** The bytes of a manifest or an index; undefined where the node does not have it, or it is too long for one. */
  async read(digest: string): Promise<Uint8Array | undefined> {
    const pieces: Uint8Array[] = [];
    let length = 0;
    try {
      for await (const {data} of this.#stream(Content.read, {digest})) {
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
    for await (const {infos} of this.#stream(Content.list, {}))
      for (const {size} of infos) total += Number(size);
    return total;
  }

  /**
   * Removes the name; containerd frees what no other name or snapshot needs, and `sync` waits for that. A missing name
   * is no error.
   */
  async remove(name: string, sync = false): Promise<void> {
    await this.#call(Images.delete, {name, sync}, sync ? LONGEST_COLLECTION : PATIENCE).catch((error) => {
      if (!hasCode(error, GrpcCode.NOT_FOUND)) throw error;
    });
  }

  close(): void {
    this.#connection.destroy();
  }

  #stream<RequestIn, Response>(
    method: Method<unknown, RequestIn, Response, never>,
    request: RequestIn,
  ): AsyncIterable<Response> {
    const signal = AbortSignal.timeout(PATIENCE);
    return callWithOne(this.#connection, method, request, {metadata: METADATA, signal});
  }

  async #call<RequestIn, Response>(
    method: Method<unknown, RequestIn, Response, never>,
    request: RequestIn,
    patience = PATIENCE,
  ): Promise<Response> {
    const signal = AbortSignal.timeout(patience);
    try {
      return await callUnary(this.#connection, method, request, {metadata: METADATA, signal});
    } catch (cause) {
      if (!signal.aborted) throw cause;
      throw new GrpcError(GrpcCode.UNAVAILABLE, `no answer within ${patience / 1000} s`, {cause});
    }
  }
}

function readImage({name, target, labels, createdAt}: Image): NodeImage | undefined {
  return target && {name, target, labels, createdAt: Number(createdAt?.seconds ?? 0n) * 1000};
}

function hasCode(error: unknown, code: number): boolean {
  return error instanceof GrpcError && error.code === code;
}
