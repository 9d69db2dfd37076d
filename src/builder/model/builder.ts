/** Owns what is known of the builder before a build: its name, and the runtime that an image is exported into. */
import type {Product} from '../../cluster/product.ts';
import {isRootless} from './marks.ts';
import type {BuilderDeployment} from './objects.ts';

/** The name that kubectl build gives its builder. */
export const DEFAULT_BUILDER = 'buildkit';

export interface BuilderName {
  readonly name: string;
  /** Whether it was asked for, and so has to be handed on. */
  readonly given: boolean;
}

/** `--builder`, else `BUILDX_BUILDER`, else the plugin's default. */
export function chooseBuilder(flag: string | undefined, variable: string | undefined): BuilderName {
  const name = flag || variable;
  return name ? {name, given: true} : {name: DEFAULT_BUILDER, given: false};
}

export type BuilderRuntime = 'containerd' | 'other' | 'unknown';

/**
 * The runtime that the builder exports into, by the label that kubectl build itself goes by. Where there is no
 * builder and none is made, the plugin makes one and takes Docker wherever a node has its socket, whatever the
 * kubelet runs on; only on kind is it certain to end on containerd, since its node image has no Docker.
 */
export function builderRuntime(deployment: BuilderDeployment | undefined, product: Product): BuilderRuntime {
  if (deployment === undefined) return product === 'kind' ? 'containerd' : 'unknown';
  const {labels} = deployment;
  return labels.runtime === 'containerd' && !isRootless(labels) ? 'containerd' : 'other';
}
