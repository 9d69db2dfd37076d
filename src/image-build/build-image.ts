/** Owns the use case: build one image in the cluster. Each step is a line; each step's rules live elsewhere. */
import {ensureBuilder} from '../builder/ensure/ensure-builder.ts';
import {isOnItsNodes} from '../builder/ensure/image-presence.ts';
import {builderRuntime} from '../builder/model/builder.ts';
import type {Identified} from '../cluster/product.ts';
import {identify} from '../cluster/product.ts';
import {resolvePullSecret} from '../cluster/pull-secret.ts';
import type {Target} from '../cluster/target/target.ts';
import {withCluster} from '../cluster/with-cluster.ts';
import type {Ports} from '../ports.ts';
import type {Surroundings} from '../surroundings.ts';
import type {BuildRequest} from './build-request.ts';
import type {BuildResult} from './build-result.ts';
import {checkProduct} from './check-product.ts';
import {buildInPasses} from './delegate/build-passes.ts';
import {makePassRunner} from './delegate/run-pass.ts';
import {stageInputs} from './inputs/stage-inputs.ts';
import {missingDelegate, readInputs, requestBuilder, whatToAsk} from './prepare-build.ts';
import {prepareResultFile, resultFiles, writeResultFile} from './result-files.ts';

/** Builds, and gives what came of it. Throws `TiltbuildError` or `Interrupted`; nothing is left behind. */
export async function buildImage(
  request: BuildRequest,
  surroundings: Surroundings,
  ports: Ports,
): Promise<BuildResult> {
  const {files} = ports;
  const started = ports.now();
  const wantedFiles = resultFiles(request);
  const secrets = readInputs(request, surroundings, files);

  return await withCluster(request.connection, surroundings, ports, async (opened) => {
    const {target, byNames, cluster, pinArgs, privatePath} = opened;
    // What the names tell is refused before anything is started, even a credential plugin.
    if (byNames.product !== 'unknown') checkProduct(request, byNames);
    const staged = await stageInputs({request, secrets}, {surroundings, privatePath}, ports);
    const [program, facts] = await Promise.all([ports.delegate.find(), cluster.read(whatToAsk(request))]);
    if (program === undefined) throw missingDelegate();
    ports.interruption.throwIfReceived();

    const product = identify(facts, byNames);
    const tags = checkProduct(request, product);
    const pullSecret = resolvePullSecret(request.pullSecret, facts.pullSecret, target.namespace);
    for (const note of [...tags.map((tag) => tag.note), pullSecret.note]) if (note) ports.notes.note(note);
    for (const file of wantedFiles) await prepareResultFile(file, files);

    const deadline = request.timeout === undefined ? undefined : started + request.timeout;
    const builderRequest = {...requestBuilder(request, target.namespace, product.product), deadline};
    const {toolVersion, terminal, self} = surroundings;
    const builder = await ensureBuilder(
      {request: builderRequest, product: product.product, facts, cluster, toolVersion},
      ports,
    );
    describe(request, target, product, pullSecret.reason, ports);

    const build = makePassRunner(
      {
        program,
        target,
        pinArgs,
        privatePath,
        cluster,
        self,
        deadline,
        terminal,
        asked: request,
        platform: surroundings.platform,
        input: staged.input,
        secretSpecs: staged.secretSpecs,
        pullSecret: pullSecret.name,
        runtime: builderRuntime(builder, product.product),
        builder: builderRequest,
      },
      ports,
    );
    const isThere = (canonical: string) =>
      isOnItsNodes({canonical, builder: builderRequest.settings, product: product.product}, cluster);
    const {digest, named} = await buildInPasses(staged.request, tags, {build, isThere});

    const result: BuildResult = {
      digest,
      reference: named?.reference ?? null,
      references: [...(named === undefined ? [] : [named]), ...tags].map((tag) => tag.canonical),
      product: product.product,
      context: target.context,
      namespace: target.namespace,
      builder: request.builder.name,
      pullSecret: pullSecret.name ?? null,
      seconds: Math.round(ports.now() - started) / 1000,
    };
    for (const file of wantedFiles) await writeResultFile(file, file.format(result), files);
    return result;
  });
}

function describe(
  request: BuildRequest,
  target: Target,
  product: Identified,
  pullSecretReason: string,
  {notes}: Ports,
): void {
  notes.detail(
    `target: context "${target.context}", namespace "${target.namespace}", server ${target.cluster.server}`,
  );
  notes.detail(`product: ${product.product} (${product.reason})`);
  notes.detail(`builder: ${request.builder.name}`);
  notes.detail(`pull secret: ${pullSecretReason}`);
}
