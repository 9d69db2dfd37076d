/** Owns what is known of the builder before a build: its name, and the runtime that an image is exported into. */
import {TiltbuildError} from '../errors.ts';
import type {Answer, BuilderFacts} from './facts.ts';
import type {Product} from './product.ts';

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
 * builder yet the plugin makes one and takes Docker wherever a node has its socket, whatever the kubelet runs
 * on; only on kind is it certain to end on containerd, since its node image has no Docker.
 */
export function builderRuntime(answer: Answer<BuilderFacts> | undefined, product: Product): BuilderRuntime {
  switch (answer?.kind) {
    case 'found':
      return answer.value.labels.runtime === 'containerd' && answer.value.labels.rootless !== 'true'
        ? 'containerd'
        : 'other';
    case 'missing':
      return product === 'kind' ? 'containerd' : 'unknown';
    default:
      return 'unknown';
  }
}

/**
 * Throws `cluster-denied` where the builder's Deployment must not be read: kubectl build needs to as well, and
 * without that right it retries for ever.
 */
export function demandBuilderAccess(answer: Answer<BuilderFacts> | undefined, namespace: string): void {
  if (answer?.kind !== 'forbidden') return;
  throw new TiltbuildError(
    'cluster-denied',
    `You may not read Deployments in namespace "${namespace}", and kubectl build needs to, to find its builder.`,
    {
      detail: [answer.message],
      remedy: [
        `Ask for the verbs get, list and watch on deployments.apps in "${namespace}", or name another namespace with --namespace.`,
      ],
    },
  );
}
