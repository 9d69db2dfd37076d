/** Owns unpacking an image's layers in a node into snapshots, as containerd's own clients do it (core/unpack). */
import {createHash, randomUUID} from 'node:crypto';
import {Content} from '../wire/containerd/content.ts';
import {GrpcCode, GrpcError, hasCode} from '../wire/grpc/status.ts';
import {Diff, Snapshots} from './containerd.ts';
import type {Layer, ManifestTree} from './image-tree.ts';
import {inParallel} from './in-parallel.ts';
import {allowForDisk, type Destination} from './ingest.ts';

const AT_ONCE = 32;
const UNCOMPRESSED = 'containerd.io/uncompressed';

/** What a snapshot of these layers is named, for each number of them from one (OCI image specification, ChainID). */
export function findChainIds(diffIds: readonly string[]): readonly string[] {
  const chain: string[] = [];
  for (const diffId of diffIds) {
    const below = chain.at(-1);
    const hash = () => createHash('sha256').update(`${below} ${diffId}`).digest('hex');
    chain.push(below === undefined ? diffId : `sha256:${hash()}`);
  }
  return chain;
}

/** What labels begin with that keep a snapshot; then comes the snapshotter. */
export const SNAPSHOT = 'containerd.io/gc.ref.snapshot.';

/** The label by which a configuration keeps the snapshot of its layers. */
export function snapshotLabels({diffIds}: ManifestTree, snapshotter: string): ReadonlyMap<string, string> {
  const top = findChainIds(diffIds).at(-1);
  return new Map(top === undefined ? [] : [[`${SNAPSHOT}${snapshotter}`, top]]);
}

/** Unpacks what is not yet. Throws `GrpcError`. */
export async function unpackImage(image: ManifestTree, snapshotter: string, to: Destination): Promise<void> {
  const {layers, diffIds} = image;
  if (layers.length !== diffIds.length) {
    const words = `its configuration has ${diffIds.length} layers, and its manifest ${layers.length}`;
    throw new GrpcError(GrpcCode.FAILED_PRECONDITION, words);
  }
  const chainIds = findChainIds(diffIds);
  const {containerd} = to.node.images;
  const call = {lease: to.lease, signal: to.signal, patience: to.patience};
  const areThere = await inParallel(chainIds, AT_ONCE, async (key) => {
    try {
      await containerd.call(Snapshots.stat, {snapshotter, key}, call);
      return true;
    } catch (error) {
      if (hasCode(error, GrpcCode.NOT_FOUND)) return false;
      throw error;
    }
  });
  for (let at = areThere.lastIndexOf(true) + 1; at < layers.length; at++) {
    const [layer, diffId, chainId] = [layers[at], diffIds[at], chainIds[at]];
    if (layer === undefined || diffId === undefined || chainId === undefined) return;
    await unpackLayer(layer, {diffId, chainId, parent: chainIds[at - 1] ?? ''}, snapshotter, to);
  }
}

interface Place {
  readonly diffId: string;
  readonly chainId: string;
  readonly parent: string;
}

async function unpackLayer(
  {descriptor, size, labels: layerLabels}: Layer,
  {diffId, chainId, parent}: Place,
  snapshotter: string,
  {node, lease, signal, patience}: Destination,
): Promise<void> {
  const {containerd} = node.images;
  const call = {lease, signal, patience};
  const key = `extract-${randomUUID()} ${chainId}`;
  const labels = new Map([['containerd.io/snapshot.ref', chainId]]);
  try {
    const {mounts} = await containerd.call(Snapshots.prepare, {snapshotter, key, parent, labels}, call);
    const slowest = {...call, patience: allowForDisk(size, patience)};
    const {applied} = await containerd.call(Diff.apply, {layer: descriptor, mounts}, slowest);
    if (applied?.digest !== diffId) {
      const words = `layer ${descriptor.digest} unpacks to ${applied?.digest}, not to ${diffId}`;
      throw new GrpcError(GrpcCode.FAILED_PRECONDITION, words);
    }
    await containerd.call(Snapshots.commit, {snapshotter, name: chainId, key, labels}, slowest);
  } catch (error) {
    await containerd.call(Snapshots.remove, {snapshotter, key}, {patience}).catch(() => undefined);
    // Another copy or the kubelet has unpacked it at the same time.
    if (!hasCode(error, GrpcCode.ALREADY_EXISTS)) throw error;
  }
  if (descriptor.digest === diffId || layerLabels.has(UNCOMPRESSED)) return;
  const info = {digest: descriptor.digest, labels: new Map([[UNCOMPRESSED, diffId]])};
  await containerd.call(Content.update, {info, mask: {paths: [`labels.${UNCOMPRESSED}`]}}, call);
}
