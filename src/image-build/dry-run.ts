/** Owns the dry run: all that a build finds out and decides, told, and nothing started that changes something. */
import {type BuilderChoice, chooseBuilderAction, noteOtherBuilders} from '../builder/ensure/choose-action.ts';
import {planBuilder} from '../builder/ensure/make-builder.ts';
import {builderRuntime} from '../builder/model/builder.ts';
import {type BuilderDeployment, readBuilderDeployment} from '../builder/model/objects.ts';
import type {BuilderRequest} from '../builder/model/request.ts';
import type {Answer, SecretFacts} from '../cluster/api/facts.ts';
import type {Identified} from '../cluster/product.ts';
import {identify} from '../cluster/product.ts';
import {type PullSecret, type PullSecretChoice, resolvePullSecret} from '../cluster/pull-secret.ts';
import type {Target} from '../cluster/target/target.ts';
import {type OpenedCluster, withCluster} from '../cluster/with-cluster.ts';
import {TiltbuildError} from '../errors.ts';
import type {QualifiedTag} from '../image/qualification.ts';
import type {Files, Ports} from '../ports.ts';
import type {Surroundings} from '../surroundings.ts';
import type {BuildRequest} from './build-request.ts';
import {checkProduct} from './check-product.ts';
import {type BuildPass, firstPass, nameWithTag, taggingPass} from './delegate/build-passes.ts';
import {planBuild} from './delegate/plan.ts';
import {stageInputs} from './inputs/stage-inputs.ts';
import {missingDelegate, readInputs, requestBuilder, whatToAsk} from './prepare-build.ts';
import {checkResultFile, resultFiles} from './result-files.ts';

/** What a build would do, as far as it can be known. */
export interface DryRun {
  readonly request: BuildRequest;
  readonly target: Target;
  readonly product: Identified;
  readonly tags: readonly QualifiedTag[];
  /** `NAME:PREFIX<digest>`; undefined where no tag is made from the digest. */
  readonly contentReference: string | undefined;
  readonly pullSecret: PullSecret;
  /** Undefined where the cluster did not tell. */
  readonly builder: BuilderChoice | undefined;
  /** The image of a builder that would be made. */
  readonly builderImage: string;
  readonly commands: readonly PlannedCommand[];
  readonly notes: readonly string[];
  /** Because of what the build would fail, or could not be foreseen. */
  readonly problems: readonly TiltbuildError[];
}

export interface PlannedCommand {
  /** The program first. */
  readonly words: readonly string[];
  /** Changes to the environment; undefined takes a variable away. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** What stands for the directory of a build's own that is made for it and removed after it. */
export const PRIVATE = '<private>';
/** What stands in a tag for what the digest will be. */
const DIGEST = '<digest>';

/** Throws what a build would refuse before it asks anybody, and `refused-k3d` and `refused-unqualified-tag`. */
export async function dryRunBuild(
  request: BuildRequest,
  surroundings: Surroundings,
  ports: Ports,
): Promise<DryRun> {
  const secrets = readInputs(request, surroundings, ports.files);
  return await withCluster(request.connection, surroundings, ports, async (opened) => {
    const {target, byNames, cluster, pinArgs, privatePath} = opened;
    const problems: TiltbuildError[] = [];
    const attempt = async <T>(work: () => T | Promise<T>): Promise<T | undefined> => {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof TiltbuildError)) throw error;
        problems.push(error);
        return undefined;
      }
    };
    if (byNames.product !== 'unknown') checkProduct(request, byNames);
    const place = {surroundings, privatePath};
    const staged = await stageInputs({request, secrets}, place, writeNothing(ports.files));
    const program = await ports.delegate.find();
    if (program === undefined) problems.push(missingDelegate());
    const facts = await attempt(() => cluster.read(whatToAsk(request)));
    ports.interruption.throwIfReceived();

    const product = identify(facts ?? {}, byNames);
    const tags = checkProduct(request, product);
    const pullSecret = (await attempt(() =>
      choosePullSecret(request.pullSecret, facts?.pullSecret, target.namespace),
    )) ?? {reason: 'none that can be used'};
    for (const file of resultFiles(request)) checkResultFile(file, ports.files);
    const builderRequest = requestBuilder(request, target.namespace, product.product);
    const {toolVersion} = surroundings;
    const making = {request: builderRequest, product: product.product, toolVersion};
    const builder = facts && (await attempt(() => chooseBuilderAction({...making, facts, cluster})));
    const deployment = builder && (await attempt(() => foreseeBuilder(builder, making)));

    const {contentName} = request;
    const named = contentName && nameWithTag(contentName, `${contentName.tagForm.prefix}${DIGEST}`);
    const passes = [firstPass(staged.request, tags), ...(named ? [taggingPass(staged.request, named)] : [])];
    const runtime = builderRuntime(deployment, product.product);
    const plan = (pass: BuildPass) =>
      planBuild({
        ...pass,
        pinArgs,
        privatePath,
        runtime,
        pullSecret: pullSecret.name,
        secretSpecs: staged.secretSpecs,
      });
    const others =
      facts && request.builderOptions.policy !== 'never' && noteOtherBuilders(facts, request.builder.name);
    return {
      request,
      target,
      product,
      tags,
      contentReference: named?.reference,
      pullSecret,
      builder,
      builderImage: builderRequest.settings.image,
      commands: passes.map(plan).map(({argv, env}) => ({
        words: [program ?? 'kubectl-build', ...argv].map((word) => hidePrivate(word, opened)),
        env: mapValues(env, (value) => hidePrivate(value, opened)),
      })),
      notes: [...tags.map(({note}) => note), pullSecret.note, others || undefined].filter(
        (note) => note !== undefined,
      ),
      problems,
    };
  });
}

/** Without an answer nothing is refused: a name that was given is used, the usual one only if it is there. */
function choosePullSecret(
  choice: PullSecretChoice,
  answer: Answer<SecretFacts> | undefined,
  namespace: string,
): PullSecret {
  if (answer !== undefined || choice.kind === 'none') return resolvePullSecret(choice, answer, namespace);
  return choice.kind === 'named'
    ? {name: choice.name, reason: `named by ${choice.by}; it is not known whether it exists`}
    : {reason: `${choice.name} if it exists, which is not known`};
}

/** The builder as it would be; undefined where it is left to kubectl build. Throws where none can be made. */
function foreseeBuilder(
  {observed, action}: BuilderChoice,
  making: {
    readonly request: BuilderRequest;
    readonly product: Identified['product'];
    readonly toolVersion: string;
  },
): BuilderDeployment | undefined {
  if (action.kind !== 'create' && action.kind !== 'replace') return observed.deployment;
  return readBuilderDeployment(planBuilder(making, observed.nodes).deployment);
}

/** What staging needs, with nothing written and nothing read from standard input. */
function writeNothing(files: Files): Parameters<typeof stageInputs>[2] {
  const nothing = async () => undefined;
  return {
    input: {save: nothing},
    files: {
      join: (...parts) => files.join(...parts),
      basename: (path) => files.basename(path),
      kindOf: (path) => files.kindOf(path),
      readText: (path) => files.readText(path),
      writePrivate: nothing,
      copyPrivate: nothing,
      makeDirectory: nothing,
    },
  };
}

function hidePrivate(word: string, {privatePath}: OpenedCluster): string {
  return word.replaceAll(privatePath(''), PRIVATE);
}

function mapValues(env: PlannedCommand['env'], map: (value: string) => string): PlannedCommand['env'] {
  return Object.fromEntries(
    Object.entries(env).map(([name, value]) => [name, value === undefined ? undefined : map(value)]),
  );
}
