/** Owns which builder a command wants, and what it knows when it asks for it. */
import type {ClusterFacts} from '../../cluster/api/facts.ts';
import type {ObjectPlace} from '../../cluster/api/paths.ts';
import type {Cluster} from '../../cluster/ports.ts';
import type {Product} from '../../cluster/product.ts';
import {isLocalCluster} from '../../cluster/product.ts';
import type {BuilderPolicy} from '../verdict/decision.ts';
import type {BuilderSettings} from './settings.ts';
import {BUILDER_TIMEOUT, defaultBuilderSettings} from './settings.ts';
export interface BuilderRequest {
  readonly settings: BuilderSettings;
  readonly policy: BuilderPolicy;
  /** How long a builder may take to start, in milliseconds. */
  readonly timeout: number;
  /** When all of it has to be done, by `ports.now`; undefined for no limit. */
  readonly deadline?: number;
  /** Whether no node will ever join by itself, as on a local development cluster. */
  readonly fixedNodes: boolean;
}

export interface BuilderSurroundings {
  readonly request: BuilderRequest;
  readonly product: Product;
  readonly facts: ClusterFacts;
  readonly cluster: Cluster;
  readonly toolVersion: string;
}

/** The builder that a build makes where nothing else is said. */
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
  };
}
