/** Owns connections to the containerd of the nodes that a builder's pods run on. */
import {findConnectionFault} from '../../buildkit/connection-fault.ts';
import type {ObjectPlace} from '../../cluster/api/paths.ts';
import type {Cluster, Tunnel} from '../../cluster/ports.ts';
import {TiltbuildError} from '../../errors.ts';
import {NodeImages} from '../../node/node-images.ts';
import {reasonOf} from '../../system-error.ts';
import {GrpcError} from '../../wire/grpc/status.ts';
import {demandPods, listPods} from '../ensure/inspect-builder.ts';
import {readContainerdSocket} from '../model/buildkitd-settings.ts';
import {CONTAINER} from '../model/marks.ts';
import type {NodeRuntime} from '../model/node-runtimes.ts';
import {type BuilderPod, hasEnded} from '../model/pods.ts';
import {findReachable, rankPods} from '../model/rank-pods.ts';

/** A builder, and what says where the containerd is that it works with. */
export interface BuilderOnNodes extends ObjectPlace {
  readonly args: readonly string[];
  /** Its buildkitd.toml, wherever that is kept. */
  readonly toml?: string | undefined;
  /** Those of the cluster, as far as they are known. */
  readonly nodes?: readonly NodeRuntime[] | undefined;
}

export interface BuilderNode {
  readonly name: string;
  readonly images: NodeImages;
  /** How the connection to its containerd ended. */
  readonly ended: Tunnel['ended'];
}

/** A node with a pod of the builder, which is being connected to. */
export interface NodeLink {
  readonly name: string;
  /** Whether it may be reached; a node that is not ready is not asked. */
  readonly isReady: boolean;
  /** Rejects if the node cannot be reached. */
  readonly node: Promise<BuilderNode>;
}

/** One for each node that has a pod of the builder. Throws as `demandPods`. */
export async function linkNodes(
  {name, namespace, args, toml = '', nodes}: BuilderOnNodes,
  cluster: Cluster,
  listed = listPods({name, namespace}, cluster),
): Promise<readonly NodeLink[]> {
  const pods = await demandPods({name, namespace}, listed);
  const socket = readContainerdSocket(args, toml);
  const command = ['buildctl', '--addr', `unix://${socket}`, 'dial-stdio'];
  const connect = async (node: string, ofNode: readonly BuilderPod[]): Promise<BuilderNode> => {
    const [pod] = rankPods(ofNode, node);
    if (pod === undefined) throw unreachable(`the builder's pod on node "${node}" is not running`);
    if (!reachable.includes(pod)) throw unreachable(`node "${node}" is not ready`);
    const {stream, ended} = await cluster.openTunnel({
      namespace,
      pod: pod.name,
      container: CONTAINER,
      command,
    });
    return {name: node, images: new NodeImages(stream), ended};
  };
  const living = pods.filter((pod) => !hasEnded(pod));
  const reachable = findReachable(living, nodes);
  // A pod that is stopping leads to its node until another one does; where the node is gone, it never stops.
  const known = living.filter((pod) => !pod.deleting || reachable.includes(pod));
  const byNode = Map.groupBy(known, ({node}) => node);
  return [...byNode].flatMap(([node, ofNode]) => {
    if (node === undefined) return [];
    const opened = connect(node, ofNode);
    // Nobody may ask for it.
    opened.catch(() => undefined);
    return [{name: node, isReady: ofNode.some((pod) => reachable.includes(pod)), node: opened}];
  });
}

function unreachable(why: string): TiltbuildError {
  return new TiltbuildError('builder-failed', `${why[0]?.toUpperCase()}${why.slice(1)}.`);
}

/** Why a node could not be asked, as a clause. */
export async function explainNodeFault(error: unknown, nodes: readonly BuilderNode[] = []): Promise<string> {
  if (!(error instanceof GrpcError)) return reasonOf(error).replace(/\.$/, '');
  if (nodes.length === 0) return error.message;
  const ended = Promise.race(nodes.map((node) => node.ended));
  return (await findConnectionFault(error, {ended}))?.words ?? error.message;
}

/** Those that can be reached, at least one. Throws as the first of them fails if all do. */
export async function openNodes(
  links: readonly NodeLink[],
  onFailure: (name: string, error: unknown) => void,
): Promise<readonly BuilderNode[]> {
  const opened = await Promise.allSettled(links.map(({node}) => node));
  const nodes = opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  for (const [index, one] of opened.entries()) {
    if (one.status === 'fulfilled') continue;
    if (nodes.length === 0) throw one.reason;
    onFailure(links[index]?.name ?? '', one.reason);
  }
  return nodes;
}

export function closeLinks(links: readonly NodeLink[]): void {
  for (const {node} of links)
    node.then(
      ({images}) => images.close(),
      () => undefined,
    );
}
