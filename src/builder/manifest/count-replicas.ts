/** Owns how many pods a builder gets: what was asked for, or else what suits the kind of cluster, and what its nodes hold. */
import {isLocalCluster, type Product} from '../../cluster/product.ts';
import {TiltbuildError} from '../../errors.ts';
import type {NodeRuntime} from '../model/node-runtimes.ts';
import type {BuilderSettings, Placement} from '../model/settings.ts';
import {selectBuilderNodes} from './nodes.ts';

/** A builder gets more pods only where somebody asked for a number: copying images to more nodes is a registry's work. */
export const MOST_PODS = 8;

type Asked = Pick<BuilderSettings, 'replicas' | 'rootless'>;

/** On a local cluster every node gets images, and nobody else pays for the pods. */
export function chooseReplicas({replicas, rootless}: Asked, product: Product): number | 'nodes' {
  return replicas ?? (isLocalCluster(product) && !rootless ? 'nodes' : 1);
}

/** `busy` counts the nodes that run pods of the builder's namespace. Throws `usage` for more pods than nodes. */
export function countReplicas(
  {replicas = 1, rootless}: Asked,
  {nodeCount, busy = 1}: {readonly nodeCount: number; readonly busy?: number},
): number {
  const nodes = Math.max(1, nodeCount);
  if (replicas === 'nodes') return isCrowded(nodes) ? Math.min(MOST_PODS, Math.max(1, busy)) : nodes;
  if (rootless || replicas <= nodes) return replicas;
  throw new TiltbuildError(
    'usage',
    `${replicas} replicas of the builder need ${replicas} nodes, and only ${nodes} can hold one.`,
    {remedy: ['Use fewer replicas, or "nodes" for one on every node.']},
  );
}

/** The most pods that a new builder may get on these nodes. */
export function foreseeReplicas(
  settings: Asked & Placement,
  product: Product,
  nodes: readonly NodeRuntime[],
): number {
  const replicas = chooseReplicas(settings, product);
  const {length} = replicas === 'nodes' ? selectBuilderNodes(nodes, settings) : [];
  return replicas === 'nodes' ? Math.min(Math.max(1, length), MOST_PODS) : replicas;
}

/** What to know about a builder that does not get a pod on each of its nodes; undefined for any other. */
export function describeCrowd(
  asked: Asked & {readonly namespace: string},
  product: Product,
  nodeCount: number,
): string | undefined {
  if (chooseReplicas(asked, product) !== 'nodes' || !isCrowded(nodeCount)) return undefined;
  return `${nodeCount} nodes can hold a builder, and only those that run pods in namespace "${asked.namespace}" get one, at most ${MOST_PODS}, unless you ask for a number of replicas. For images on so many nodes, use a registry, or let the nodes share their images with Spegel.`;
}

/** Whether there are too many nodes for a pod on each. */
export function isCrowded(nodeCount: number): boolean {
  return nodeCount > MOST_PODS;
}
