/** Owns bringing an image to one node: what it lacks, and then the names. */
import {Content} from '../wire/containerd/content.ts';
import {GrpcCode, GrpcError, hasCode} from '../wire/grpc/status.ts';
import {copyBlob} from './copy-blob.ts';
import {toCopyError} from './copy-faults.ts';
import {type CopiedImage, CopyError, type CopyNode, type CopyOutcome} from './copy-outcome.ts';
import type {CopySource} from './copy-source.ts';
import {findImages, type ImageTree, isForPlatform, pruneTree} from './image-tree.ts';
import {inParallel} from './in-parallel.ts';
import type {Blob, Destination} from './ingest.ts';
import {createLease, deleteLease, nameLease} from './leases.ts';
import {findLackingLabels, listLayers, listMetadata, type Metadata} from './needed-blobs.ts';
import {unpackImage} from './unpack-image.ts';

/** How many blobs a node is sent at once. */
const BLOBS = 4;
/** How many questions a node is asked at once. */
const QUESTIONS = 64;

export interface CopySettings {
  readonly snapshotter: string;
  readonly wallClock: () => number;
  readonly onPlanned: (bytes: number) => void;
  readonly onSent: (bytes: number) => void;
}

export class NodeCopy {
  readonly #to: Omit<Destination, 'lease'>;
  readonly #source: CopySource;
  readonly #image: CopiedImage;
  readonly #settings: CopySettings;
  #sent: readonly number[] = [];
  /** That the source keeps what is read, and that the node's lease is gone. */
  #held: Promise<void> = Promise.resolve();
  #released: Promise<void> = Promise.resolve();

  constructor(
    to: Omit<Destination, 'lease'>,
    source: CopySource,
    image: CopiedImage,
    settings: CopySettings,
  ) {
    this.#to = to;
    this.#source = source;
    this.#image = image;
    this.#settings = settings;
  }

  /** Throws `CopyError` and `GrpcError`. */
  async run(): Promise<CopyOutcome> {
    const {node, signal, patience} = this.#to;
    const {snapshotter, wallClock} = this.#settings;
    const whole = await this.#source.tree;
    if (!isForPlatform(whole, node.platform))
      return {kind: 'foreign', platforms: findImages(whole).map(({platform}) => platform)};
    const tree = pruneTree(whole, node.platform);
    const [metadata, layers] = [listMetadata(tree, snapshotter), listLayers(tree)];
    const [found, lackingNames] = await Promise.all([
      this.#findBlobs([...metadata, ...layers]),
      this.#findLackingNames(),
    ]);
    const isWhole = [...metadata, ...layers].every((blob) => isKept(blob, found));
    if (isWhole && lackingNames.length === 0) return {kind: 'had'};
    const now = wallClock();
    this.#held = this.#source.hold(now);
    // Whoever reads there meets what is wrong.
    this.#held.catch(() => undefined);
    const lease = nameLease();
    const to = {...this.#to, lease};
    try {
      await createLease(node.images.containerd, lease, now, {signal, patience});
      await this.#copyBlobs(metadata, layers, found, to);
      const packed = await this.#unpack(tree, to);
      await this.#name(lackingNames);
      this.#released = deleteLease(node.images.containerd, lease);
      const bytes = this.#sent.reduce((sum, length) => sum + length, 0);
      return {kind: 'copied', blobs: this.#sent.length, bytes, ...(packed !== undefined && {packed})};
    } catch (error) {
      // Another attempt goes on with what is there, which the lease keeps until it expires.
      if (signal?.aborted || !mayPass(error, node))
        this.#released = deleteLease(node.images.containerd, lease);
      throw error;
    }
  }

  async release(): Promise<void> {
    await this.#released;
  }

  /** The labels of those that are there. */
  async #findBlobs(blobs: readonly Blob[]): Promise<Found> {
    const {node, ...call} = this.#to;
    const found = await inParallel(blobs, QUESTIONS, async ({digest}) => {
      try {
        const {info} = await node.images.containerd.call(Content.info, {digest}, call);
        return [[digest, info?.labels ?? new Map<string, string>()]] as const;
      } catch (error) {
        if (hasCode(error, GrpcCode.NOT_FOUND)) return [];
        throw error;
      }
    });
    return new Map(found.flat());
  }

  /** Whether there is such a name already, by the names that the node does not have for the image. */
  async #findLackingNames(): Promise<readonly LackingName[]> {
    const {names, target} = this.#image;
    const {images} = this.#to.node;
    const records = await inParallel(names, QUESTIONS, async (name) => ({
      name,
      record: await images.find(name),
    }));
    return records
      .filter(({record}) => record?.target.digest !== target.digest)
      .map(({name, record}) => ({name, exists: record !== undefined}));
  }

  async #copyBlobs(
    metadata: readonly Metadata[],
    layers: readonly Blob[],
    found: Found,
    to: Destination,
  ): Promise<void> {
    const areThere = layers.filter(({digest}) => found.has(digest));
    const complete = async (within: Destination) => {
      // The metadata keeps the layers that are there, some of which may have been collected until then.
      await this.#copyMetadata(metadata, found, within);
      const kept = await this.#findBlobs(areThere);
      await this.#copyLayers(areThere, kept, within);
    };
    const ways = [(within: Destination) => this.#copyLayers(layers, found, within), complete];
    await inParallel(ways, ways.length, (way, stop) => way(withStop(to, stop)));
  }

  async #copyMetadata(metadata: readonly Metadata[], found: Found, to: Destination): Promise<void> {
    await inParallel(metadata, BLOBS, async (blob) => {
      await this.#copy(blob, to, async function* (_, offset) {
        yield blob.data.subarray(offset);
      });
      const there = found.get(blob.digest);
      const labels = there === undefined ? NONE : findLackingLabels(blob, there);
      if (labels.size === 0) return;
      const paths = [...labels.keys()].map((label) => `labels.${label}`);
      const {node, ...call} = to;
      await node.images.containerd.call(
        Content.update,
        {info: {digest: blob.digest, labels}, mask: {paths}},
        call,
      );
    });
  }

  async #copyLayers(layers: readonly Blob[], found: Found, to: Destination): Promise<void> {
    const lacking = layers.filter(({digest}) => !found.has(digest));
    this.#settings.onPlanned(lacking.reduce((sum, {size}) => sum + size, 0));
    const [{read}, held] = [this.#source, this.#held];
    await inParallel(lacking, BLOBS, async (layer, stop) => {
      await this.#copy(layer, withStop(to, stop), async function* (blob, offset) {
        await held;
        yield* read(blob, offset);
      });
    });
  }

  async #copy(blob: Blob, to: Destination, read: CopySource['read']): Promise<void> {
    const {onSent} = this.#settings;
    const sent = await copyBlob(blob, read, to, onSent);
    if (sent > 0) this.#sent = [...this.#sent, sent];
  }

  /** Why it is not, as a clause. */
  async #unpack(tree: ImageTree, to: Destination): Promise<string | undefined> {
    const [image, ...others] = findImages(tree);
    if (image === undefined || others.length > 0) return 'the image is for several platforms';
    try {
      await unpackImage(image, this.#settings.snapshotter, to);
      return undefined;
    } catch (error) {
      if (to.signal?.aborted || !(error instanceof GrpcError)) throw error;
      return error.message;
    }
  }

  async #name(lacking: readonly LackingName[]): Promise<void> {
    const {target, labels} = this.#image;
    const {images} = this.#to.node;
    await Promise.all(lacking.map(({name, exists}) => images.tag(name, target, labels, exists)));
  }
}

function withStop(to: Destination, stop: AbortSignal): Destination {
  return {...to, signal: to.signal === undefined ? stop : AbortSignal.any([to.signal, stop])};
}

/** Labels by digests. */
type Found = ReadonlyMap<string, ReadonlyMap<string, string>>;

interface LackingName {
  readonly name: string;
  readonly exists: boolean;
}

const NONE: ReadonlyMap<string, string> = new Map();

function isKept(blob: Blob, found: Found): boolean {
  const labels = found.get(blob.digest);
  return labels !== undefined && findLackingLabels(blob, labels).size === 0;
}

function mayPass(error: unknown, node: CopyNode): boolean {
  const failure = toCopyError(error, node);
  return failure instanceof CopyError && ['lost', 'stalled', 'missing'].includes(failure.fault);
}
