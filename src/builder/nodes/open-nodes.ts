/** Owns connections to the containerd of the nodes that a builder's pods run on. */
import {findConnectionFault} from '../../buildkit/connection-fault.ts';
import type {Cluster, Tunnel} from '../../cluster/ports.ts';
import {NodeImages} from '../../node/node-images.ts';
import type {GrpcError} from '../../wire/grpc/status.ts';
import {demandRunningPods} from '../ensure/inspect-builder.ts';
import {readContainerdSocket} from '../model/buildkitd-settings.ts';
import {CONTAINER} from '../model/marks.ts';
import {observeBuilder} from '../model/observed-builder.ts';

export interface BuilderPlace {
  readonly name: string;
  readonly namespace: string;
}

export interface BuilderNode {
  readonly name: string;
  readonly images: NodeImages;
  /** How the connection to its containerd ended. */
  readonly ended: Tunnel['ended'];
}

/** One for each node with a running pod. Throws as `demandRunningPods`, and if one cannot be reached. */
export async function openNodes(place: BuilderPlace, cluster: Cluster): Promise<readonly BuilderNode[]> {
  const {name, namespace} = place;
  const [facts, running] = await Promise.all([
    cluster.read({builders: true}),
    demandRunningPods(place, cluster),
  ]);
  const {deployment, toml = ''} = observeBuilder(facts, name);
  const socket = readContainerdSocket(deployment?.args ?? [], toml);
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
