/** Owns how full the disks of nodes are, as their kubelets report it. */
import type {Cluster} from '../ports.ts';
import {asNumber, asObject} from './json-values.ts';
import {nodeStatsPath} from './paths.ts';

export interface NodeDisk {
  readonly node: string;
  /** Of the file system that has the images, from 0 to 1. */
  readonly used: number;
}

/** Without those whose kubelet cannot be asked. */
export async function readNodeDisks(
  nodes: readonly string[],
  cluster: Cluster,
): Promise<readonly NodeDisk[]> {
  const disks = await Promise.all(nodes.map((node) => readNodeDisk(node, cluster).catch(() => undefined)));
  return disks.filter((disk) => disk !== undefined);
}

/** The kubelet's summary (k8s.io/kubelet, pkg/apis/stats/v1alpha1). */
async function readNodeDisk(node: string, cluster: Cluster): Promise<NodeDisk | undefined> {
  const answer = await cluster.get(nodeStatsPath(node));
  if (answer.kind !== 'found') return undefined;
  const {fs, runtime} = asObject(asObject(answer.value).node);
  const {capacityBytes, availableBytes} = asObject(asObject(runtime).imageFs ?? fs);
  const capacity = asNumber(capacityBytes);
  // A kubelet leaves out what it does not know.
  if (capacity === 0 || typeof availableBytes !== 'number') return undefined;
  return {node, used: 1 - availableBytes / capacity};
}
