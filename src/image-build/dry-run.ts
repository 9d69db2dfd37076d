/** Owns the dry run: what a build would do with its builder and which commands it would run, without doing it. */
import {type BuilderChoice, chooseBuilderAction, noteOtherBuilders} from '../builder/ensure/choose-action.ts';
import {planBuilder} from '../builder/ensure/create-builder.ts';
import {builderRuntime} from '../builder/model/builder.ts';
import {type BuilderDeployment, readBuilderDeployment} from '../builder/model/objects.ts';
import type {BuilderTask} from '../builder/model/request.ts';
import {coverNodes, type NodeCover} from '../builder/verdict/cover-nodes.ts';
import {TiltbuildError} from '../errors.ts';
import type {Ports} from '../ports.ts';
import type {Surroundings} from '../surroundings.ts';
import type {Advice} from '../text/advice.ts';
import {type BuildPass, firstPass, isTaggedInNode, nameWithTag, taggingPass} from './build-passes.ts';
import type {BuildRequest} from './build-request.ts';
import {checkResultFiles, listResultFiles} from './build-result.ts';
import {planBuild} from './engines/kubectl-build/plan.ts';
import {type StagedInputs, type Staging, stageForPlugin} from './inputs/stage-inputs.ts';
import {type Attempt, type PreparedBuild, prepareBuild} from './prepare-build.ts';

/** What a build would do, as far as that can be foreseen. */
export interface DryRun {
  readonly build: PreparedBuild;
  /** `NAME:PREFIX<digest>`; undefined where no tag is made from the digest. */
  readonly contentReference: string | undefined;
  /** Undefined where the cluster did not answer. */
  readonly builder: BuilderChoice | undefined;
  /** Undefined without a builder, where there is one node, and where that is not known. */
  readonly cover: NodeCover | undefined;
  /** The node that would build; undefined where there is one, where it may change, and for kubectl build. */
  readonly node?: string | undefined;
  readonly commands: readonly PlannedCommand[];
  readonly notes: readonly Advice[];
  /** Reasons why the build would fail, or why it could not be foreseen. */
  readonly problems: readonly TiltbuildError[];
}

export interface PlannedCommand {
  /** The program first. */
  readonly words: readonly string[];
  /** Changes to the environment; undefined takes a variable away. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Its current directory; undefined: our own. */
  readonly cwd?: string;
  /** The file for its standard input; undefined: our own. */
  readonly input?: string;
}

/** Stands for the private directory, which a build creates and removes. */
export const PRIVATE = '<private>';
/** Stands in a tag for the digest to come. */
const DIGEST = '<digest>';

/** Throws only what `prepareBuild` throws in every case; other errors are among the `problems`. */
export async function dryRunBuild(
  request: BuildRequest,
  surroundings: Surroundings,
  ports: Ports,
): Promise<DryRun> {
  const problems: TiltbuildError[] = [];
  const attempt: Attempt = async (step, otherwise) => {
    try {
      return await step();
    } catch (error) {
      if (!(error instanceof TiltbuildError)) throw error;
      problems.push(error);
      return otherwise;
    }
  };
  checkResultFiles(listResultFiles(request), ports.files);
  const preparation = {attempt, staging: NO_STAGING};
  return await prepareBuild(request, surroundings, ports, preparation, async (build) => {
    const {facts, product} = build.builder;
    const isKnown = facts.deployments !== undefined;
    const builder = isKnown ? await attempt(() => chooseBuilderAction(build.builder), undefined) : undefined;
    const deployment = builder && (await attempt(() => foreseeBuilder(builder, build.builder), undefined));
    const runtime = builderRuntime(deployment, product);

    const {contentName, builderOptions} = request;
    const named = contentName && nameWithTag(contentName, `${contentName.tagForm.prefix}${DIGEST}`);
    const staged = await stageForPlugin(build.request, build.secrets, build.inputs, {
      ...NO_STAGING,
      files: ports.files,
      privatePath: build.privatePath,
      spoolPath: build.spoolPath,
    });
    const passes = [
      firstPass(build.request, build.tags),
      ...(named && !isTaggedInNode(request, runtime) ? [taggingPass(2, build.request, [named])] : []),
    ];
    const others =
      builderOptions.policy === 'never' || build.engine.name === 'builtin'
        ? undefined
        : noteOtherBuilders(facts, request.builder.name);
    const cover = builder && (await attempt(() => findCover(builder, build.builder), undefined));
    return {
      build,
      contentReference: named?.reference,
      builder,
      cover,
      node: cover && builder?.action.kind === 'use' ? await findNode(build, ports) : undefined,
      // The builtin engine starts no other program.
      commands:
        build.engine.name === 'builtin'
          ? []
          : passes.map((pass) => foreseeCommand(pass, staged, build, runtime)),
      notes: others === undefined ? build.notes : [...build.notes, others],
      problems,
    };
  });
}

const nothing = async () => undefined;
const NO_STAGING: Staging = {
  disk: {writePrivate: nothing, writePrivateChunks: nothing},
  input: {save: nothing},
};

/** The builder during the build; undefined where kubectl build creates it. Throws where we cannot create one. */
function foreseeBuilder(
  {observed, action}: BuilderChoice,
  surroundings: BuilderTask,
): BuilderDeployment | undefined {
  if (action.kind !== 'create' && action.kind !== 'replace') return observed.deployment;
  return readBuilderDeployment(planBuilder(surroundings, observed.nodes).deployment);
}

async function findCover(
  {observed: {deployment, nodes = []}}: BuilderChoice,
  {pods: list}: BuilderTask,
): Promise<NodeCover | undefined> {
  if (deployment === undefined || nodes.length < 2) return undefined;
  const pods = await list.get();
  return pods && coverNodes(deployment, nodes, pods);
}

async function findNode(build: PreparedBuild, {builtin}: Ports): Promise<string | undefined> {
  if (build.engine.name !== 'builtin') return undefined;
  const [{findProject}, {foreseeNode}] = await Promise.all([
    import('./engines/builtin/sources.ts'),
    import('./engines/builtin/reach-pod.ts'),
  ]);
  const project = findProject(build.request, build.inputs, {machine: await builtin.machine()});
  return await foreseeNode(project, build);
}

function foreseeCommand(
  pass: BuildPass,
  {context, file, secretSpecs, input}: StagedInputs,
  build: PreparedBuild,
  runtime: ReturnType<typeof builderRuntime>,
): PlannedCommand {
  const request = {...pass.request, context, file};
  const {argv, env, cwd} = planBuild({...pass, request}, {...build, runtime, secretSpecs});
  const hide = (word: string) =>
    word.replaceAll(build.privatePath(''), PRIVATE).replaceAll(build.spoolPath(''), PRIVATE);
  const hidden = Object.entries(env).map(([name, value]) => [
    name,
    value === undefined ? value : hide(value),
  ]);
  return {
    words: [build.program ?? 'kubectl-build', ...argv].map(hide),
    env: Object.fromEntries(hidden),
    ...(cwd !== undefined && {cwd: hide(cwd)}),
    ...(input !== undefined && {input: hide(input)}),
  };
}
