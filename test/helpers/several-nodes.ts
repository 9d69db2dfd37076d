/** Owns a cluster of several nodes with a builder on each, whose BuildKit puts images into the containerd of its node. */

import {node} from './api-server.ts';
import type {BuildkitStandIn, SeenSolve} from './buildkit-stand-in.ts';
import {ContainerdStandIn} from './containerd-stand-in.ts';
import {storeImage} from './image-samples.ts';
import {spreadBuilder, type World} from './world.ts';

export interface SeveralNodes {
  readonly nodes: ReadonlyMap<string, ContainerdStandIn>;
  /** The layers of what is built; change them at any time. */
  readonly layers: string[];
  /** Answers in place of the node's containerd, if it gives anything. */
  refuse: (node: string) => ReturnType<World['api']['state']['exec']> | undefined;
}

const SOCKET = '/run/containerd/containerd.sock';

export function serveSeveralNodes(
  world: Pick<World, 'api'>,
  buildkit: BuildkitStandIn,
  names: readonly string[],
): SeveralNodes {
  spreadBuilder(
    world,
    names.map((name) => node({name})),
  );
  const nodes = new Map(names.map((name) => [name, new ContainerdStandIn()]));
  const several: SeveralNodes = {nodes, layers: ['base', 'code'], refuse: () => undefined};
  buildkit.make = (solve) => build(solve, several);
  const {state} = world.api;
  const {exec} = state;
  state.exec = (command, pod) => {
    const name = pod.spec.nodeName;
    if (command.join(' ') !== `buildctl --addr unix://${SOCKET} dial-stdio`) return exec(command, pod);
    return several.refuse(name) ?? {pipe: (nodes.get(name) as ContainerdStandIn).connect()};
  };
  return several;
}

function build({node: name, exporter: {attributes, type}}: SeenSolve, {nodes, layers}: SeveralNodes): string {
  const containerd = nodes.get(name) as ContainerdStandIn;
  const digest = storeImage(containerd, layers);
  const isInNode = type === 'image' && !attributes.has('push');
  const prefix = attributes.get('dangling-name-prefix');
  const given = attributes.get('name')?.split(',') ?? [];
  const tags = given.length > 0 || prefix === undefined ? given : [`${prefix}@${digest}`];
  for (const tag of isInNode ? tags : []) containerd.add(tag, digest);
  return digest;
}
