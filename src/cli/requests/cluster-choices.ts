/** Owns the choice of the builder and the pull secret, by flags and environment. */
import {type BuilderName, chooseBuilder} from '../../builder/model/builder.ts';
import {demandObjectName} from '../../cluster/api/object-name.ts';
import {choosePullSecret, type PullSecretChoice} from '../../cluster/pull-secret.ts';
import type {Surroundings} from '../../surroundings.ts';

export interface ClusterChoices {
  readonly builder: BuilderName;
  readonly pullSecret: PullSecretChoice;
}

/** Throws `usage` for a name that no object can have. */
export function readClusterChoices(
  flags: {readonly builder?: string; readonly 'registry-secret'?: string},
  env: Surroundings['env'],
): ClusterChoices {
  const builder = chooseBuilder(flags.builder, env.BUILDX_BUILDER);
  const pullSecret = choosePullSecret(flags['registry-secret'], env.KUBECTL_BUILD_REGISTRY_SECRET);
  demandObjectName(builder.name, flags.builder ? '--builder' : 'BUILDX_BUILDER');
  if (pullSecret.kind === 'named') demandObjectName(pullSecret.name, pullSecret.by);
  return {builder, pullSecret};
}
