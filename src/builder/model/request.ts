/** Owns which builder a command needs, and what is known when the command asks for it. */
import type {ClusterFacts} from '../../cluster/api/facts.ts';
import type {ObjectPlace} from '../../cluster/api/paths.ts';
import type {Cluster} from '../../cluster/ports.ts';
import {isLocalCluster, type Product} from '../../cluster/product.ts';
import type {PodList} from '../ensure/pod-list.ts';
import type {LocalRegistry} from './local-registry.ts';
import {BUILDER_TIMEOUT, type BuilderSettings, defaultBuilderSettings} from './settings.ts';

/** `ensure` creates and replaces builders, `check` only warns, `never` leaves builders to kubectl build. */
export type BuilderPolicy = 'ensure' | 'check' | 'never';

export interface BuilderRequest {
  readonly settings: BuilderSettings;
  readonly policy: BuilderPolicy;
  /** How long a builder may take to start, in milliseconds. */
  readonly timeout: number;
  /** Whether no node ever joins by itself, as on a local development cluster. */
  readonly fixedNodes: boolean;
  /** What kind of cluster it is, for the advice; undefined where nobody has looked. */
  readonly product?: Product;
}

/** What a new builder's manifest is made from. */
export interface BuilderPlan {
  readonly request: BuilderRequest;
  readonly product: Product;
  readonly toolVersion: string;
  /** In a build, only the one that it pushes to. */
  readonly localRegistry?: LocalRegistry;
}

export interface BuilderTask extends BuilderPlan {
  readonly facts: ClusterFacts;
  readonly cluster: Cluster;
  /** Of the builder. */
  readonly pods: PodList;
}

/** The builder that a build creates unless it is given other settings. */
export function usualBuilderRequest({
  name,
  namespace,
  product,
}: ObjectPlace & {readonly product: Product}): BuilderRequest {
  return {
    settings: defaultBuilderSettings(name, namespace),
    policy: 'ensure',
    timeout: BUILDER_TIMEOUT,
    fixedNodes: isLocalCluster(product),
    product,
  };
}
