/** Owns the preparation that a build and its dry run share: checks, staged inputs, facts of the cluster, decisions. */
import {type BuilderRequest, type BuilderTask, usualBuilderRequest} from '../builder/model/request.ts';
import type {Answer, ClusterFacts, SecretFacts} from '../cluster/api/facts.ts';
import {type Identified, identify, type Product, refuseK3d} from '../cluster/product.ts';
import {type PullSecret, type PullSecretChoice, resolvePullSecret} from '../cluster/pull-secret.ts';
import {type OpenedCluster, withCluster} from '../cluster/with-cluster.ts';
import {TiltbuildError} from '../errors.ts';
import {type QualifiedTag, qualifyTags} from '../image/qualification.ts';
import type {Ports} from '../ports.ts';
import type {Surroundings} from '../surroundings.ts';
import type {BuildRequest} from './build-request.ts';
import {checkResultFile, listResultFiles, type ResultFile} from './build-result.ts';
import {checkContext} from './inputs/context.ts';
import {readBuildSecret} from './inputs/secrets.ts';
import {type StagedInputs, type Staging, stageInputs} from './inputs/stage-inputs.ts';

/** Everything known before the builder is touched. Its `request` names staged files where there are some. */
export interface PreparedBuild extends OpenedCluster, StagedInputs {
  /** The request before staging, as the user typed it. */
  readonly asked: BuildRequest;
  readonly surroundings: Surroundings;
  /** Path of kubectl-build. */
  readonly program: string;
  readonly product: Identified;
  readonly tags: readonly QualifiedTag[];
  readonly pullSecret: PullSecret;
  readonly builder: BuilderTask;
  readonly resultFiles: readonly ResultFile[];
  /** What the user should know before the build. */
  readonly notes: readonly string[];
}

/** Where a build and its dry run differ. */
export interface Preparation {
  readonly attempt: Attempt;
  readonly staging: Staging;
}

/** Runs a step that a build fails without. A dry run collects the error and goes on with `otherwise`. */
export type Attempt = <T, U>(step: () => T | Promise<T>, otherwise: U) => Promise<T | U>;

/**
 * The private directory lasts until `use` ends. Builds and dry runs alike throw `usage`, `build-secret-missing`,
 * `refused-k3d` and `refused-unqualified-tag`, and what `withCluster` throws.
 */
export async function prepareBuild<T>(
  request: BuildRequest,
  surroundings: Surroundings,
  ports: Ports,
  {attempt, staging}: Preparation,
  use: (build: PreparedBuild) => Promise<T>,
): Promise<T> {
  const {files, delegate, interruption} = ports;
  const started = ports.now();
  checkContext(request, files);
  const sources = {env: surroundings.env, exists: (path: string) => files.kindOf(path) !== 'missing'};
  const secrets = request.secrets.map((spec) => readBuildSecret(spec, sources));

  return await withCluster(request.connection, surroundings, ports, async (opened) => {
    const {target, byNames, cluster, privatePath} = opened;
    const {namespace} = target;
    // Names alone can rule a build out before anything starts, even a credential plugin.
    if (byNames.product !== 'unknown') checkProduct(request, byNames);
    const staged = await stageInputs(request, secrets, {...staging, files, surroundings, privatePath});
    const [found, facts] = await Promise.all([
      delegate.find(),
      attempt(() => cluster.read(whatToAsk(request)), NO_FACTS),
    ]);
    const missing = () => {
      throw missingDelegate();
    };
    const program = found ?? (await attempt(missing, 'kubectl-build'));
    interruption.throwIfReceived();

    const product = identify(facts, byNames);
    const tags = checkProduct(request, product);
    const pullSecret: PullSecret = await attempt(
      () => choosePullSecret(request.pullSecret, facts.pullSecret, namespace),
      {
        reason: 'none that can be used',
      },
    );
    const resultFiles = listResultFiles(request);
    for (const file of resultFiles) checkResultFile(file, files);
    const builder = {
      request: requestBuilder(request, namespace, product.product, started),
      product: product.product,
      facts,
      cluster,
      toolVersion: surroundings.toolVersion,
    };
    const notes = [...tags, pullSecret].flatMap(({note}) => note ?? []);
    return await use(
      Object.freeze({
        ...opened,
        ...staged,
        asked: request,
        surroundings,
        program,
        product,
        tags,
        pullSecret,
        builder,
        resultFiles,
        notes,
      }),
    );
  });
}

const NO_FACTS: ClusterFacts = {};

/** One round for all of it. */
function whatToAsk({pullSecret}: BuildRequest) {
  return {
    pullSecret: pullSecret.kind === 'none' ? undefined : pullSecret.name,
    builders: true,
    nodes: true,
  };
}

/** Gives the tags with their canonical names. Throws where a build cannot work on this product. */
function checkProduct(request: BuildRequest, identified: Identified): readonly QualifiedTag[] {
  refuseK3d(identified);
  const {tags, qualify, expectedRef} = request;
  return qualifyTags(tags, {refuseUnqualified: identified.product === 'kind', qualify, expectedRef});
}

/** Only a dry run goes on without an answer: it trusts a name that was given, and leaves the default one out. */
function choosePullSecret(
  choice: PullSecretChoice,
  answer: Answer<SecretFacts> | undefined,
  namespace: string,
): PullSecret {
  if (answer !== undefined || choice.kind === 'none') return resolvePullSecret(choice, answer, namespace);
  return choice.kind === 'named'
    ? {name: choice.name, reason: `named by ${choice.by}; could not check whether it exists`}
    : {reason: `${choice.name} if it exists; could not check`};
}

function requestBuilder(
  {builder, builderOptions, timeout: limit}: BuildRequest,
  namespace: string,
  product: Product,
  started: number,
): BuilderRequest {
  const {policy, timeout, image, replicas, allowNetworkHost} = builderOptions;
  const usual = usualBuilderRequest({name: builder.name, namespace, product});
  return {
    ...usual,
    settings: {...usual.settings, image: image ?? usual.settings.image, replicas, allowNetworkHost},
    policy,
    timeout,
    deadline: limit === undefined ? undefined : started + limit,
  };
}

export function missingDelegate(): TiltbuildError {
  return new TiltbuildError(
    'tool-missing',
    'The kubectl plugin `kubectl build` is not installed: PATH has no kubectl-build.',
    {
      remedy: [
        'Download kubectl-build and kubectl-buildkit from https://github.com/vmware-archive/buildkit-cli-for-kubectl/releases and put them on PATH.',
        'That project is archived and gets no more fixes; kubectl tiltbuild works around its known bugs.',
      ],
    },
  );
}
