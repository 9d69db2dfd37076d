/** Owns the use case: build one image in the cluster. Each step is a line; its rules are elsewhere. */
import {ensureBuilder} from '../builder/ensure/ensure-builder.ts';
import {type BuilderRuntime, builderRuntime} from '../builder/model/builder.ts';
import type {BuilderDeployment} from '../builder/model/objects.ts';
import {observeBuilder} from '../builder/model/observed-builder.ts';
import type {Notes, Ports} from '../ports.ts';
import type {Surroundings} from '../surroundings.ts';
import {buildInPasses} from './build-passes.ts';
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
import type {NodeTags} from './node-tags.ts';
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
      tags,
      pullSecret,
    } = build;
    for (const note of build.notes) notes.note(note);
    const deployment = await ensureBuilder(build.builder, ports);
    const runtime = builderRuntime(deployment, product);
    describe(build, notes);

    const engine = await openEngine(build, runtime, preparation.staging, ports);
    const nodeTags = await openTags(build, deployment, runtime, ports);
    try {
      const {digest, node, named} = await buildInPasses(build.request, tags, {
        run: (pass) => runPass(pass, engine, build, ports),
        tag: async (canonical, image) => (await nodeTags?.tag(canonical, image)) ?? false,
      }).finally(() => engine.close());
      const result: BuildResult = {
        digest,
        reference: named?.reference ?? null,
        references: [...(named === undefined ? [] : [named]), ...tags].map(({canonical}) => canonical),
        product,
        context: target.context,
        namespace: target.namespace,
        builder: request.builder.name,
        node: node ?? null,
        engine: engine.choice.name,
        engineReason: engine.choice.reason,
        pullSecret: pullSecret.name ?? null,
        seconds: Math.round(ports.now() - started) / 1000,
      };
      for (const file of resultFiles) await writeResultFile(file, result);
      await deliver(result);
      if (named !== undefined) await nodeTags?.removeOld(named.canonical);
    } finally {
      nodeTags?.close();
    }
  });
}

/** Undefined where no tag is made from the digest. */
async function openTags(
  build: PreparedBuild,
  deployment: BuilderDeployment | undefined,
  runtime: BuilderRuntime,
  ports: Ports,
): Promise<NodeTags | undefined> {
  const {contentName} = build.request;
  if (contentName === undefined) return undefined;
  const {openNodeTags} = await import('./node-tags.ts');
  const {request, facts} = build.builder;
  const {name, namespace} = request.settings;
  const toml = deployment?.toml ?? observeBuilder(facts, name).toml;
  const builder = {name, namespace, args: deployment?.args ?? [], toml};
  return openNodeTags(build, contentName, {...builder, runtime}, ports);
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
