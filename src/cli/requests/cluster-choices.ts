/** Owns the choice of the engine, the builder and the pull secret, by flags and environment. */
import {type BuilderName, chooseBuilder} from '../../builder/model/builder.ts';
import {demandObjectName} from '../../cluster/api/object-name.ts';
import {choosePullSecret, type PullSecretChoice} from '../../cluster/pull-secret.ts';
import {TiltbuildError} from '../../errors.ts';
import type {EngineName} from '../../image-build/build-request.ts';
import type {Surroundings} from '../../surroundings.ts';

export interface ClusterChoices {
  readonly engine: EngineName | 'auto';
  readonly builder: BuilderName;
  readonly pullSecret: PullSecretChoice;
}

/** Throws `usage` for a name that no object can have, and an unknown engine. */
export function readClusterChoices(
  flags: {
    readonly engine?: EngineName | 'auto';
    readonly builder?: string;
    readonly 'registry-secret'?: string;
  },
  env: Surroundings['env'],
): ClusterChoices {
  const builder = chooseBuilder(flags.builder, env.BUILDX_BUILDER);
  const pullSecret = choosePullSecret(flags['registry-secret'], env.KUBECTL_BUILD_REGISTRY_SECRET);
  demandObjectName(builder.name, flags.builder ? '--builder' : 'BUILDX_BUILDER');
  if (pullSecret.kind === 'named') demandObjectName(pullSecret.name, pullSecret.by);
  return {engine: flags.engine ?? readEngine(env.KUBECTL_TILTBUILD_ENGINE), builder, pullSecret};
}

function readEngine(text: string | undefined): ClusterChoices['engine'] {
  if (!text) return 'auto';
  if (text === 'auto' || text === 'kubectl-build' || text === 'builtin') return text;
  throw new TiltbuildError(
    'usage',
    `KUBECTL_TILTBUILD_ENGINE must be auto, kubectl-build or builtin, not "${text}".`,
  );
}
