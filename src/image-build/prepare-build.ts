/** Owns the preparation that a build and its dry run share: checks, staged inputs, facts of the cluster, decisions. */

import {PodList} from '../builder/ensure/pod-list.ts';
import {foreseeReplicas} from '../builder/manifest/count-replicas.ts';
import {isInRegistry, type LocalRegistry, readLocalRegistry} from '../builder/model/local-registry.ts';
import {listKnownBuilders, type ObservedBuilder, observeBuilder} from '../builder/model/observed-builder.ts';
import {type BuilderRequest, type BuilderTask, usualBuilderRequest} from '../builder/model/request.ts';
import {followsNodes, listWantedNodes} from '../builder/verdict/follow-nodes.ts';
import type {StepNumbers} from '../buildkit/progress/plain.ts';
import type {Answer, ClusterFacts, ClusterQuery, SecretFacts} from '../cluster/api/facts.ts';
import {type Identified, identify, type Product, refuseK3d} from '../cluster/product.ts';
import {type PullSecret, type PullSecretChoice, resolvePullSecret} from '../cluster/pull-secret.ts';
import {type OpenedCluster, withCluster} from '../cluster/with-cluster.ts';
import {estimateArchive} from '../context/survey.ts';
import {type QualifiedTag, qualifyTags} from '../image/qualification.ts';
import {canonicalName} from '../image/reference.ts';
import type {FoundPlugin, Ports} from '../ports.ts';
import type {Surroundings} from '../surroundings.ts';
import type {Advice} from '../text/advice.ts';
import {noteBuild} from './build-notes.ts';
import type {BuildRequest} from './build-request.ts';
import {chooseEngine, type EngineChoice, type EngineQuestion} from './engines/choose-engine.ts';
import {checkContext} from './inputs/context.ts';
import {openLocalContext} from './inputs/local-context.ts';
import {localizeRequest, namesRegistry, writesCache} from './inputs/localize-request.ts';
import {listOpenDirectories} from './inputs/open-directories.ts';
import {checkOutput, isPushed} from './inputs/outputs.ts';
import {type BuildSecret, readBuildSecrets} from './inputs/secrets.ts';
import {type BuildInputs, keepSecrets, readInputs, type Staging} from './inputs/stage-inputs.ts';

/** Everything known before the builder is touched. */
export interface PreparedBuild extends OpenedCluster {
  readonly request: BuildRequest;
  readonly surroundings: Surroundings;
  readonly secrets: readonly BuildSecret[];
  readonly inputs: BuildInputs;
  readonly engine: EngineChoice;
  /** The choice once the plugin turned out not to work. Throws as the choice before it. */
  readonly chooseWithout: (flaw: string) => EngineChoice;
  /** Path of kubectl-build, whether it can be used or not; undefined where PATH has none. */
  readonly program: string | undefined;
  readonly product: Identified;
  readonly tags: readonly QualifiedTag[];
  readonly pullSecret: PullSecret;
  readonly builder: BuilderTask;
  /** The registry that the image is pushed to, if the cluster announces it. */
  readonly localRegistry?: LocalRegistry;
  /** Those that follow, such as of the copies to nodes, go on from there. */
  readonly numbers: StepNumbers;
  /** What the user should know before the build. */
  readonly notes: readonly Advice[];
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
  const {files, delegate} = ports;
  checkContext(request, files);
  const {env, cwd} = surroundings;
  const sources = {env, cwd, exists: (path: string) => files.kindOf(path) !== 'missing'};
  const asked = readBuildSecrets(request.secrets, sources);

  const prepare = async (opened: OpenedCluster) => {
    const {target, byNames, cluster, privatePath, spoolPath} = opened;
    const {namespace} = target;
    // Names alone can rule a build out before anything starts, even a credential plugin.
    if (byNames.product !== 'unknown') checkProduct(request, byNames, {mayBeRootless: true});
    const place = {...staging, files, privatePath, spoolPath};
    const [plugin, facts, inputs, secrets] = await Promise.all([
      delegate.find(),
      attempt(() => cluster.read(whatToAsk(request)), NO_FACTS),
      readAllInputs(request, surroundings, ports, place),
      keepSecrets(asked, place),
    ]);

    const product = identify(facts, byNames);
    const observed = observeBuilder(facts, request.builder.name);
    const tags = checkProduct(request, product, {mayBeRootless: observed.deployment?.rootless === true});
    const pullSecret: PullSecret = await attempt(
      () => choosePullSecret(request.pullSecret, facts.pullSecret, namespace),
      {
        reason: 'none that can be used',
      },
    );
    if (request.output !== undefined) checkOutput(request.output, files);
    const localRegistry = findRegistry(facts, product.product, request, tags);
    const isImagePushed = isPushed(request.output, request.push);
    const builderRequest = requestBuilder(request, namespace, product.product);
    const builder = {
      localRegistry,
      request: builderRequest,
      pods: new PodList(builderRequest.settings, cluster),
      product: product.product,
      facts,
      cluster,
      toolVersion: surroundings.toolVersion,
    };
    const choose = (found: FoundPlugin | undefined) =>
      chooseEngine(
        engineQuestion(request, surroundings, {plugin: found, inputs, ...countPods(builder, observed)}),
      );
    const engine = await attempt(() => choose(plugin), {
      name: 'kubectl-build',
      reason: 'cannot be used',
    } as const);
    if (engine.name === 'builtin') {
      const {checkInputs} = await import('./engines/builtin/check-inputs.ts');
      await attempt(() => checkInputs(request, surroundings.env, ports), undefined);
    }
    const notes = [
      ...[...tags, pullSecret].flatMap(({note}) => note ?? []),
      ...(await noteBuild(request, surroundings, {
        product: product.product,
        tags,
        facts,
        survey: inputs.local?.survey,
      })),
    ];
    return await use(
      Object.freeze({
        ...opened,
        request: localizeRequest(request, localRegistry),
        surroundings,
        secrets,
        inputs,
        engine,
        chooseWithout: (flaw: string) => choose(plugin && {...plugin, flaw}),
        program: plugin?.path,
        product,
        tags,
        pullSecret,
        builder,
        numbers: new Map(),
        ...(isImagePushed && {localRegistry}),
        notes,
      }),
    );
  };
  const outside = listOpenDirectories(request);
  return await withCluster(request.connection, surroundings, ports, prepare, outside);
}

/** The context is looked through while the cluster answers. */
async function readAllInputs(
  request: BuildRequest,
  surroundings: Surroundings,
  {files, builtin: {contexts}}: Ports,
  place: Omit<Parameters<typeof readInputs>[2], 'contexts'>,
): Promise<PreparedBuild['inputs']> {
  const read = await readInputs(request, surroundings, {...place, contexts});
  if (files.kindOf(request.context) !== 'directory' || request.context === '-') return read;
  const local = await openLocalContext(request, {files, contexts, platform: surroundings.platform});
  if (request.baseImages.length === 0) return {...read, local};
  const {replaceBaseImages} = await import('./inputs/base-images.ts');
  const {directory = '', name = ''} = local.dockerfile ?? {};
  const text = read.dockerfile ?? (await files.readText(files.join(directory, name))) ?? '';
  return {...read, local, dockerfile: replaceBaseImages(text, request, surroundings.env)};
}

/** The most pods that the builder may have, which are those that it has or that a new one gets, and whether there are others. */
function countPods(
  {request: {settings}, product, facts}: BuilderTask,
  {deployment, nodes = []}: ObservedBuilder,
): Pick<EngineQuestion, 'replicas' | 'hasOthers'> {
  const hasOthers = listKnownBuilders(facts).some(({name}) => name !== settings.name);
  if (deployment === undefined) return {hasOthers, replicas: foreseeReplicas(settings, product, nodes)};
  const wanted = followsNodes(deployment) ? listWantedNodes(deployment, nodes) : undefined;
  return {hasOthers, replicas: Math.max(deployment.replicas, wanted?.length ?? 0)};
}

function engineQuestion(
  request: BuildRequest,
  {env}: Surroundings,
  {
    inputs,
    ...question
  }: Pick<PreparedBuild, 'inputs'> & Pick<EngineQuestion, 'plugin' | 'replicas' | 'hasOthers'>,
): EngineQuestion {
  const {local} = inputs;
  return {
    request,
    ...question,
    archiveSize: local === undefined ? 0 : estimateArchive(local.survey),
    dockerfileIsSent: local?.dockerfile?.sentAs !== undefined && inputs.dockerfile === undefined,
    env,
  };
}

const NO_FACTS: ClusterFacts = {};

/** One round for all of it. */
function whatToAsk(request: BuildRequest): ClusterQuery {
  const {pullSecret} = request;
  return {
    pullSecret: pullSecret.kind === 'none' ? undefined : pullSecret.name,
    builders: true,
    localRegistry: isPushed(request.output, request.push) || writesCache(request),
    nodes: 'some',
  };
}

function findRegistry(
  {localRegistry}: ClusterFacts,
  product: Product,
  request: BuildRequest,
  tags: readonly QualifiedTag[],
): LocalRegistry | undefined {
  const found = readLocalRegistry(localRegistry, product);
  if (found === undefined || namesRegistry(request, found)) return found;
  if (!isPushed(request.output, request.push)) return undefined;
  const {contentName} = request;
  const names = [
    ...tags.map(({canonical}) => canonical),
    ...(contentName === undefined ? [] : [canonicalName(contentName.reference)]),
  ];
  return names.some((name) => isInRegistry(found, name)) ? found : undefined;
}

/**
 * Gives the tags with their canonical names. Throws where a build cannot work on this product. A rootless builder does
 * not need the runtime of its node.
 */
function checkProduct(
  request: BuildRequest,
  identified: Identified,
  {mayBeRootless}: {readonly mayBeRootless: boolean},
): readonly QualifiedTag[] {
  const {tags, qualify, expectedRef, allowK3d, destination, check} = request;
  const needsRuntime = destination.kind === 'runtime' && !check;
  refuseK3d(identified, {allowed: allowK3d || (mayBeRootless && !needsRuntime)});
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

/** A new builder gets a single pod where only kubectl build will do: with several, that is refused. */
function requestBuilder(
  {builder, builderOptions, engine, passthrough}: BuildRequest,
  namespace: string,
  product: Product,
): BuilderRequest {
  const {policy, timeout, image, allowNetworkHost} = builderOptions;
  const needsPlugin = engine === 'kubectl-build' || passthrough.length > 0;
  const {replicas = needsPlugin ? 1 : undefined} = builderOptions;
  const usual = usualBuilderRequest({name: builder.name, namespace, product});
  return {
    ...usual,
    settings: {...usual.settings, image: image ?? usual.settings.image, replicas, allowNetworkHost},
    policy,
    timeout,
  };
}
