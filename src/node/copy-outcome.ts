/** Owns what copying an image from one node to others is asked, and how it ends on each of them. */
import type {Descriptor} from './containerd.ts';
import type {NodeImages} from './node-images.ts';

/** Brings an image from a node to others, each of which may fail on its own. */
export type OpenCopy = (from: CopyNode, image: CopiedImage, options?: CopyOptions) => ImageCopy;

export interface ImageCopy {
  /** To several nodes at once, if it is called for them. Rejects only if the signal is aborted. */
  to(node: CopyNode): Promise<CopyOutcome>;
  /** Once every copy has ended. Then the nodes hold nothing for it any more. Never rejects. */
  close(): Promise<void>;
}

/** A node by its containerd; a `BuilderNode` is one. */
export interface CopyNode {
  readonly name: string;
  readonly images: NodeImages;
  /** What runs there, e.g. `linux/arm64`: no other image is copied. Undefined where that is not known. */
  readonly platform?: string | undefined;
}

export interface CopiedImage {
  /** Canonical references, all of which the nodes have in the end. */
  readonly names: readonly string[];
  /** As the source has it. */
  readonly target: Descriptor;
  /** Of the names. Labels of others on a name stay. */
  readonly labels: ReadonlyMap<string, string>;
}

export interface CopyOptions {
  readonly signal?: AbortSignal;
  /** How long a node may take without any progress, in milliseconds. */
  readonly patience?: number;
  /** Where layers are unpacked; containerd's default is `overlayfs`. */
  readonly snapshotter?: string | undefined;
  /** Epoch milliseconds. */
  readonly wallClock?: () => number;
  /** Told how many bytes of layers a node lacks, before they are sent. */
  readonly onPlanned?: (node: string, bytes: number) => void;
  /** Told of content that has been sent to a node, with how many bytes more. */
  readonly onSent?: (node: string, bytes: number) => void;
}

export type CopyOutcome =
  /** Everything was there, names as well. */
  | {readonly kind: 'had'}
  /** The node runs none of the platforms that the image is for, and nothing was sent. */
  | {readonly kind: 'foreign'; readonly platforms: readonly string[]}
  | {
      readonly kind: 'copied';
      /** How many blobs were sent, and their bytes: no more than the node lacked. */
      readonly blobs: number;
      readonly bytes: number;
      /** Why the image is not unpacked yet, as a clause. The kubelet does that when a pod starts. */
      readonly packed?: string;
    }
  | {readonly kind: 'failed'; readonly error: CopyError};

/**
 * `lost` (a connection ended), `stalled` and `missing` (the source does not have a blob any more) may pass: a copy that
 * is tried again goes on where this one ended. `full` is the node's disk, `spoilt` a blob that has another digest.
 */
export type CopyFault = 'lost' | 'stalled' | 'missing' | 'full' | 'spoilt' | 'refused' | 'malformed';

/** The message is a clause that names the node, the blob if there is one, and the reason. */
export class CopyError extends Error {
  override readonly name = 'CopyError';
  readonly fault: CopyFault;
  /** Which is at fault: the source, or the one that was copied to. */
  readonly node: string;

  constructor(fault: CopyFault, node: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : {cause});
    this.fault = fault;
    this.node = node;
  }
}
