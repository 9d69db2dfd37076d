/** Owns the steps that a build and its dry run have in common, before anything is started that changes something. */
import type {BuilderRequest} from '../builder/model/request.ts';
import {usualBuilderRequest} from '../builder/model/request.ts';
import type {ClusterQuery} from '../cluster/api/facts.ts';
import type {Product} from '../cluster/product.ts';
import {TiltbuildError} from '../errors.ts';
import type {Files} from '../ports.ts';
import type {Surroundings} from '../surroundings.ts';
import type {BuildRequest} from './build-request.ts';
import {checkContext} from './inputs/context.ts';
import {type BuildSecret, readBuildSecret} from './inputs/secrets.ts';

/** Checks the context and reads the secrets. Throws `usage` and `build-secret-missing`. */
export function readInputs(
  request: BuildRequest,
  {env}: Pick<Surroundings, 'env'>,
  files: Files,
): readonly BuildSecret[] {
  checkContext(request, files);
  return request.secrets.map((spec) =>
    readBuildSecret(spec, {env, exists: (path) => files.kindOf(path) !== 'missing'}),
  );
}

/** One round for all of it; what is not needed is not asked. */
export function whatToAsk({pullSecret}: BuildRequest): ClusterQuery {
  return {
    pullSecret: pullSecret.kind === 'none' ? undefined : pullSecret.name,
    builders: true,
    nodes: true,
  };
}

export function requestBuilder(
  {builder, builderOptions}: BuildRequest,
  namespace: string,
  product: Product,
): BuilderRequest {
  const {policy, timeout, image, replicas, allowNetworkHost} = builderOptions;
  const usual = usualBuilderRequest({name: builder.name, namespace, product});
  const settings = {...usual.settings, image: image ?? usual.settings.image, replicas, allowNetworkHost};
  return {...usual, settings, policy, timeout};
}

export function missingDelegate(): TiltbuildError {
  return new TiltbuildError(
    'tool-missing',
    'The kubectl plugin `kubectl build` is not installed: PATH has no kubectl-build.',
    {
      remedy: [
        'Put kubectl-build and kubectl-buildkit on PATH, from https://github.com/vmware-archive/buildkit-cli-for-kubectl/releases',
        'That project is archived and gets no more fixes; kubectl tiltbuild works around what is broken in it.',
      ],
    },
  );
}
