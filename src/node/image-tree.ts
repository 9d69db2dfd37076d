/** Owns what a node has of an image: its indexes, manifests and configurations, read, and its layers by their digests. */
import {Content} from '../wire/containerd/content.ts';
import {GrpcCode, hasCode} from '../wire/grpc/status.ts';
import type {Descriptor} from './containerd.ts';
import type {ContainerdCall} from './containerd-connection.ts';
import {CopyError, type CopyNode} from './copy-outcome.ts';
import {inParallel} from './in-parallel.ts';
import {type Manifest, readConfig, readManifest} from './manifest.ts';

export interface Layer {
  readonly descriptor: Descriptor;
  readonly size: number;
  /** Those that tell what it is, and where it is from. */
  readonly labels: ReadonlyMap<string, string>;
}

export interface ManifestTree {
  readonly kind: 'manifest';
  readonly digest: string;
  readonly data: Uint8Array;
  readonly config: {readonly digest: string; readonly data: Uint8Array};
  readonly layers: readonly Layer[];
  /** E.g. `linux/amd64`, or `unknown/unknown` for an attestation. */
  readonly platform: string;
  readonly diffIds: readonly string[];
}

export interface IndexTree {
  readonly kind: 'index';
  readonly digest: string;
  readonly data: Uint8Array;
  /** Those that are whole in the node, by their places in the index. */
  readonly children: ReadonlyMap<number, ImageTree>;
}

export type ImageTree = ManifestTree | IndexTree;

/** What platforms an attestation is for. */
const NO_PLATFORM = 'unknown/unknown';
/** An index may lead to indexes. */
const DEEPEST = 4;
/** Of manifests and layers together. overlayfs takes 500 layers, and registries take an index of 4 MB. */
const MOST_BLOBS = 5_000;
/** In bytes, of what is read. */
const MOST_METADATA = 16 * 1024 * 1024;
const AT_ONCE = 32;

/** Throws `CopyError` and `GrpcError`. */
export async function readTree(
  node: CopyNode,
  digest: string,
  call: Omit<ContainerdCall, 'lease'>,
): Promise<ImageTree> {
  const reader = new TreeReader(node, call);
  const tree = await reader.read(digest, 0);
  if (tree !== undefined && findImages(tree).length > 0) return tree;
  throw reader.missing(reader.firstMissing ?? digest);
}

/** All that can run: an attestation cannot. */
export function findImages(tree: ImageTree): readonly ManifestTree[] {
  if (tree.kind === 'index') return [...tree.children.values()].flatMap(findImages);
  return tree.platform === NO_PLATFORM ? [] : [tree];
}

/** What processors run besides what is made for them. */
const ALSO_RUN: Readonly<Record<string, string>> = {'linux/amd64': 'linux/386', 'linux/arm64': 'linux/arm'};
/** A configuration that names none. */
const UNSAID = '/';

/** Whether a node of the platform runs any of it; true where either is not known. */
export function isForPlatform(tree: ImageTree, platform: string | undefined): boolean {
  if (platform === undefined) return true;
  const [os = '', architecture = ''] = platform.split('/');
  const own = `${os}/${architecture}`;
  return findImages(tree).some((image) => [own, ALSO_RUN[own], UNSAID].includes(image.platform));
}

/** What a node of the platform needs of it: the attestations, and other platforms only if its own is not there. */
export function pruneTree(tree: ImageTree, platform: string | undefined): ImageTree {
  const [os, architecture] = (platform ?? '').split('/');
  const own = `${os}/${architecture}`;
  if (!findImages(tree).some((image) => image.platform === own)) return tree;
  const prune = (one: ImageTree): ImageTree | undefined => {
    if (one.kind === 'manifest') return [own, NO_PLATFORM].includes(one.platform) ? one : undefined;
    const children = [...one.children].flatMap(([place, child]): [number, ImageTree][] => {
      const pruned = prune(child);
      return pruned === undefined ? [] : [[place, pruned]];
    });
    return {...one, children: new Map(children)};
  };
  return prune(tree) ?? tree;
}

class TreeReader {
  readonly #node: CopyNode;
  readonly #call: Omit<ContainerdCall, 'lease'>;
  #blobs = 0;
  #metadata = 0;
  firstMissing: string | undefined;

  constructor(node: CopyNode, call: Omit<ContainerdCall, 'lease'>) {
    this.#node = node;
    this.#call = call;
  }

  /** Undefined if the node does not have all of it; of an index, if it does not have any of its manifests. */
  async read(digest: string, depth: number): Promise<ImageTree | undefined> {
    if (depth > DEEPEST) throw this.#malformed(`an index within an index, ${depth} deep`);
    this.#count(1);
    const data = await this.#load(digest);
    if (data === undefined) return undefined;
    const manifest = readManifest(data);
    if (manifest.manifests.length === 0) return await this.#readManifest(digest, data, manifest);
    this.#count(manifest.manifests.length);
    const children = await inParallel([...manifest.manifests.entries()], AT_ONCE, async ([place, child]) => {
      const tree = child.digest === '' ? undefined : await this.read(child.digest, depth + 1);
      return tree === undefined ? [] : ([[place, tree]] as const);
    });
    const found = new Map(children.flat());
    return found.size === 0 ? undefined : {kind: 'index', digest, data, children: found};
  }

  async #readManifest(
    digest: string,
    data: Uint8Array,
    {config, layers: described}: Manifest,
  ): Promise<ManifestTree | undefined> {
    if ([config, ...described].some((blob) => blob.digest === ''))
      throw this.#malformed(`manifest ${digest} describes a blob without a digest`);
    this.#count(described.length);
    const [configData, layers] = await Promise.all([
      this.#load(config.digest),
      inParallel(described, AT_ONCE, (layer) => this.#findLayer(layer)),
    ]);
    const found = layers.filter((layer) => layer !== undefined);
    if (configData === undefined || found.length < layers.length) return undefined;
    const about = readConfig(configData);
    return {kind: 'manifest', digest, data, config: {...config, data: configData}, layers: found, ...about};
  }

  async #load(digest: string): Promise<Uint8Array | undefined> {
    const data = await this.#node.images.read(digest, this.#call);
    if (data === undefined) this.firstMissing ??= digest;
    this.#metadata += data?.length ?? 0;
    if (this.#metadata > MOST_METADATA)
      throw this.#malformed(`its manifests have more than ${MOST_METADATA} bytes`);
    return data;
  }

  async #findLayer(descriptor: Descriptor): Promise<Layer | undefined> {
    const {digest} = descriptor;
    try {
      const {info} = await this.#node.images.containerd.call(Content.info, {digest}, this.#call);
      const labels = [...(info?.labels ?? [])].filter(([label]) => TOLD.test(label));
      return {descriptor, size: Number(info?.size ?? 0n), labels: new Map(labels)};
    } catch (error) {
      if (!hasCode(error, GrpcCode.NOT_FOUND)) throw error;
      this.firstMissing ??= digest;
      return undefined;
    }
  }

  #count(blobs: number): void {
    this.#blobs += blobs;
    if (this.#blobs > MOST_BLOBS) throw this.#malformed(`it has more than ${MOST_BLOBS} blobs`);
  }

  #malformed(why: string): CopyError {
    const {name} = this.#node;
    return new CopyError('malformed', name, `node "${name}" has an image that cannot be copied: ${why}`);
  }

  missing(digest: string): CopyError {
    const {name} = this.#node;
    return new CopyError('missing', name, `node "${name}" does not have ${digest}`);
  }
}

const TOLD = /^containerd\.io\/(?:uncompressed$|distribution\.source\.)/;
