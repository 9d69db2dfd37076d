/** Owns the use case: build one image in the cluster. Each step is a line; its rules are elsewhere. */
import {noteOtherBuilders} from '../builder/ensure/choose-action.ts';
import {ensureBuilder} from '../builder/ensure/ensure-builder.ts';
import {type BuilderRuntime, builderRuntime} from '../builder/model/builder.ts';
import type {BuilderDeployment} from '../builder/model/objects.ts';
import {observeBuilder} from '../builder/model/observed-builder.ts';
import type {Notes, Ports} from '../ports.ts';
import type {Surroundings} from '../surroundings.ts';
import type {BuildNodes} from './build-nodes.ts';
import {buildInPasses, type NamedBuild, type PassRunner, taggingPass} from './build-passes.ts';
import type {BuildRequest} from './build-request.ts';
import {
  type BuildResult,
  checkResultFiles,
  clearResultFiles,
  listResultFiles,
  writeResultFile,
} from './build-result.ts';
import {openEngine} from './engines/open-engine.ts';
import {runPass} from './engines/run-pass.ts';
import {checkStandardOutput} from './inputs/outputs.ts';
import {builtOn, isForNodes, isSpread, type NodeResult} from './node-results.ts';
import {type Preparation, type PreparedBuild, prepareBuild} from './prepare-build.ts';

/** Builds, and delivers the result. Throws `TiltbuildError` or `Interrupted`, and leaves nothing behind. */
export async function buildImage(
  request: BuildRequest,
  surroundings: Surroundings,
  ports: Ports,
  deliver: (result: BuildResult) => Promise<void>,
): Promise<void> {
  const {files, input, notes} = ports;
  const started = ports.now();
  checkStandardOutput(request.output, surroundings);
  const results = listResultFiles(request);
  checkResultFiles(results, files);
  // Before all else, as in docker: whatever fails, an earlier result must not pass for one of this build.
  const resultFiles = await clearResultFiles(results, files);
  const preparation: Preparation = {
    attempt: async (step) => await step(),
    staging: {disk: files, input},
  };
  await prepareBuild(request, surroundings, ports, preparation, async (build) => {
    const {
      target,
      product: {product},
      pullSecret,
    } = build;
    for (const note of build.notes) notes.note(note);
    const isCopied = build.engine.name === 'kubectl-build' && request.builderOptions.policy !== 'never';
    const others = isCopied ? noteOtherBuilders(build.builder.facts, request.builder.name) : undefined;
    if (others !== undefined) notes.note(others);
    const deployment = await ensureBuilder(build.builder, ports);
    const runtime = builderRuntime(deployment, product);
    describe(build, notes);

    const engine = await openEngine(build, runtime, preparation.staging, ports);
    const nodes = await openNodes(build, deployment, runtime, ports);
    try {
      const {digest, node, named, references, outcomes} = await finishBuild(
        build,
        {nodes, run: (pass) => runPass(pass, engine, build, ports)},
        runtime,
      ).finally(() => engine.close());
      const result: BuildResult = {
        digest,
        reference: named?.reference ?? null,
        references,
        product,
        context: target.context,
        namespace: target.namespace,
        builder: request.builder.name,
        node: node ?? null,
        nodes: outcomes.map(({name, state, bytes}) => ({name, state, bytes})),
        engine: engine.choice.name,
        engineReason: engine.choice.reason,
        pullSecret: pullSecret.name ?? null,
        seconds: Math.round(ports.now() - started) / 1000,
      };
      for (const file of resultFiles) await writeResultFile(file, result);
      await deliver(result);
      if (named !== undefined) await nodes?.removeOld(named.canonical);
    } finally {
      nodes?.close();
    }
  });
}

/** All passes, until every node has the image under every name. */
async function finishBuild(
  {request, tags}: PreparedBuild,
  {nodes, run}: {readonly nodes: BuildNodes | undefined; readonly run: PassRunner},
  runtime: BuilderRuntime,
): Promise<NamedBuild & {readonly references: readonly string[]; readonly outcomes: readonly NodeResult[]}> {
  const built = await buildInPasses(request, tags, {
    run,
    tag: async (canonical, image) => (await nodes?.tag(canonical, image)) ?? false,
  });
  const {digest, node, named} = built;
  const names = [...(named === undefined ? [] : [named]), ...tags];
  const references = names.map(({canonical}) => canonical);
  if (digest === undefined || node === undefined || !isForNodes(request, runtime))
    return {...built, references, outcomes: []};
  const restore = async () => {
    const again = await run(taggingPass(2, request, names));
    if (again.digest !== digest || again.node !== node) throw new Error('the builder made another image');
  };
  const outcomes = (await nodes?.spread({digest, node, names: references}, restore)) ?? [builtOn(node)];
  return {...built, references, outcomes};
}

/** Undefined where the build does nothing in the nodes itself. */
async function openNodes(
  build: PreparedBuild,
  deployment: BuilderDeployment | undefined,
  runtime: BuilderRuntime,
  ports: Ports,
): Promise<BuildNodes | undefined> {
  const pods = deployment?.replicas ?? 1;
  if (build.request.contentName === undefined && !isSpread(build, runtime, pods)) return undefined;
  const {openBuildNodes} = await import('./build-nodes.ts');
  const {request, facts} = build.builder;
  const {name, namespace} = request.settings;
  const observed = observeBuilder(facts, name);
  const {toml = observed.toml} = deployment ?? {};
  const builder = {name, namespace, args: deployment?.args ?? [], toml, runtime, pods, nodes: observed.nodes};
  return openBuildNodes(build, builder, ports);
}

/** What --verbose shows of the preparation. */
function describe({target, product, request, engine, pullSecret}: PreparedBuild, {detail}: Notes): void {
  detail(
    `target: context "${target.context}", namespace "${target.namespace}", server ${target.cluster.server}`,
  );
  detail(`product: ${product.product} (${product.reason})`);
  detail(`builder: ${request.builder.name}`);
  detail(`engine: ${engine.name} (${engine.reason})`);
  detail(`pull secret: ${pullSecret.reason}`);
}
