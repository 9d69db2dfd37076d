/** Owns the node that an image is copied from, for all nodes that get it. */
import type {ContainerdConnection} from './containerd-connection.ts';
import {type ReadBlob, readFrom} from './copy-blob.ts';
import {toCopyError} from './copy-faults.ts';
import type {CopyNode} from './copy-outcome.ts';
import {type ImageTree, readTree} from './image-tree.ts';
import type {Destination} from './ingest.ts';
import {createLease, deleteLease, keepContent, nameLease} from './leases.ts';

export class CopySource {
  /** What the node has of the image. Rejects with a `CopyError`. */
  readonly tree: Promise<ImageTree>;
  readonly read: ReadBlob;
  readonly #node: CopyNode;
  readonly #digest: string;
  readonly #call: Pick<Destination, 'signal' | 'patience'>;
  readonly #lease = nameLease();
  #held: Promise<void> | undefined;

  constructor(node: CopyNode, digest: string, call: Pick<Destination, 'signal' | 'patience'>) {
    this.#node = node;
    this.#digest = digest;
    this.#call = call;
    this.read = readFrom(node, call);
    this.tree = readTree(node, digest, call).catch((error) => {
      throw toCopyError(error, node);
    });
    // There may be nobody to copy to.
    this.tree.catch(() => undefined);
  }

  /** Keeps there what is read, until `release`. `now` is in epoch milliseconds. Throws `CopyError`. */
  async hold(now: number): Promise<void> {
    this.#held ??= this.#createLease(now);
    try {
      await this.#held;
    } catch (error) {
      throw toCopyError(error, this.#node);
    }
  }

  async release(): Promise<void> {
    if (this.#held === undefined) return;
    await this.#held.catch(() => undefined);
    await deleteLease(this.#containerd, this.#lease);
  }

  get #containerd(): ContainerdConnection {
    return this.#node.images.containerd;
  }

  async #createLease(now: number): Promise<void> {
    await createLease(this.#containerd, this.#lease, now, this.#call);
    await keepContent(this.#containerd, this.#lease, this.#digest, this.#call);
  }
}
