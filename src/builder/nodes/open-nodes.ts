/** Owns connections to the containerd of the nodes that a builder's pods run on. */
import type {Cluster} from '../../cluster/ports.ts';
import {TiltbuildError} from '../../errors.ts';
import {NodeImages} from '../../node/node-images.ts';
import {listPods} from '../ensure/inspect-builder.ts';
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
}

/** One for each node with a running pod. Throws `builder-failed` where one cannot be reached. */
export async function openNodes(place: BuilderPlace, cluster: Cluster): Promise<readonly BuilderNode[]> {
  const {name, namespace} = place;
  const [facts, pods] = await Promise.all([cluster.read({builders: true}), listPods(place, cluster)]);
  const {deployment, toml = ''} = observeBuilder(facts, name);
  const socket = readContainerdSocket(deployment?.args ?? [], toml);
  const running = (pods ?? []).filter(({phase, deleting}) => phase === 'Running' && !deleting);
  if (running.length === 0)
    throw new TiltbuildError('builder-failed', `The builder "${name}" has no running pod.`);
  const byNode = new Map(running.map((pod) => [pod.node ?? '', pod.name]));
  return await Promise.all(
    [...byNode].map(async ([node, pod]) => {
      const command = ['buildctl', '--addr', `unix://${socket}`, 'dial-stdio'];
      const {stream} = await cluster.openTunnel({namespace, pod, container: CONTAINER, command});
      return {name: node, images: new NodeImages(stream)};
    }),
  );
}

export function closeNodes(nodes: readonly BuilderNode[]): void {
  for (const {images} of nodes) images.close();
}
