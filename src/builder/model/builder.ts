/** Owns which builder is meant: its name, the command that creates it, and where its images end up. */
import type {ObjectPlace} from '../../cluster/api/paths.ts';
import type {Product} from '../../cluster/product.ts';
import {type Advice, type Command, command} from '../../text/advice.ts';
import type {BuilderDeployment} from './objects.ts';

export interface BuilderName {
  readonly name: string;
  /** Whether a flag or a variable named it; it is passed on to kubectl build then. */
  readonly given: boolean;
}

/** `--builder`, else `BUILDX_BUILDER`, else the plugin's default. */
export function chooseBuilder(flag: string | undefined, variable: string | undefined): BuilderName {
  const name = flag || variable;
  return name ? {name, given: true} : {name: 'buildkit', given: false};
}

/** The command that creates the builder, with more words such as `--replace`. */
export function createCommand({name, namespace}: ObjectPlace, ...words: readonly string[]): Command {
  return command('kubectl', 'tiltbuild', 'builder', 'create', name, ...words, '--namespace', namespace);
}

/** What to do about a snapshotter that the nodes' containerd does not have. */
export function adviseSnapshotter(place: ObjectPlace): readonly Advice[] {
  return [
    'Use the one that the node has: native on kind with ZFS, fuse-overlayfs on rootless Kubernetes. For example:',
    createCommand(place, '--replace', '--containerd-snapshotter', 'native'),
  ];
}

export type BuilderRuntime = 'containerd' | 'other';

/**
 * The runtime that the builder exports into, by the label that kubectl build itself reads. Without a builder the
 * plugin creates one, and takes Docker wherever a node has its socket, whatever the kubelet runs on; only on kind is
 * it certain to end up with containerd, because kind's node image has no Docker.
 */
export function builderRuntime(deployment: BuilderDeployment | undefined, product: Product): BuilderRuntime {
  if (deployment === undefined) return product === 'kind' ? 'containerd' : 'other';
  return keepsImages(deployment) ? 'containerd' : 'other';
}

/** Whether its images are in the containerd of its nodes. */
export function keepsImages({runtime, rootless}: BuilderDeployment): boolean {
  return runtime === 'containerd' && !rootless;
}
