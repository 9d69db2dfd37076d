/** Owns connections to the containerd of the nodes that a builder's pods run on. */
import {findConnectionFault} from '../../buildkit/connection-fault.ts';
import type {ObjectPlace} from '../../cluster/api/paths.ts';
import type {Cluster, Tunnel} from '../../cluster/ports.ts';
import {NodeImages} from '../../node/node-images.ts';
import type {GrpcError} from '../../wire/grpc/status.ts';
import {demandRunningPods} from '../ensure/inspect-builder.ts';
import {readContainerdSocket} from '../model/buildkitd-settings.ts';
import {CONTAINER} from '../model/marks.ts';

/** A builder, and what says where the containerd is that it works with. */
export interface BuilderOnNodes extends ObjectPlace {
  readonly args: readonly string[];
  /** Its buildkitd.toml, wherever that is kept. */
  readonly toml?: string | undefined;
}

export interface BuilderNode {
  readonly name: string;
  readonly images: NodeImages;
  /** How the connection to its containerd ended. */
  readonly ended: Tunnel['ended'];
}

/** One for each node with a running pod. Throws as `demandRunningPods`, and if one cannot be reached. */
export async function openNodes(
  {name, namespace, args, toml = ''}: BuilderOnNodes,
  cluster: Cluster,
): Promise<readonly BuilderNode[]> {
  const running = await demandRunningPods({name, namespace}, cluster);
  const socket = readContainerdSocket(args, toml);
  const byNode = new Map(running.map((pod) => [pod.node ?? '', pod.name]));
  return await Promise.all(
    [...byNode].map(async ([node, pod]) => {
      const command = ['buildctl', '--addr', `unix://${socket}`, 'dial-stdio'];
      const {stream, ended} = await cluster.openTunnel({namespace, pod, container: CONTAINER, command});
      return {name: node, images: new NodeImages(stream), ended};
    }),
  );
}

/** What one of the nodes failed at, without a full stop. */
export async function explainNodeFault(error: GrpcError, nodes: readonly BuilderNode[]): Promise<string> {
  const ended = Promise.race(nodes.map((node) => node.ended));
  return (await findConnectionFault(error, {ended}))?.words ?? error.message;
}

export function closeNodes(nodes: readonly BuilderNode[]): void {
  for (const {images} of nodes) images.close();
}
