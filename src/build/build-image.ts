/** Owns the use case: build one image in the cluster. Each step is a line; each step's rules live elsewhere. */
import {builderRuntime, demandBuilderAccess} from '../cluster/builder.ts';
import type {ClusterQuery} from '../cluster/facts.ts';
import {pinnedKubeconfig} from '../cluster/pinned-kubeconfig.ts';
import type {Identified} from '../cluster/product.ts';
import {resolvePullSecret} from '../cluster/pull-secret.ts';
import type {Target} from '../cluster/target.ts';
import {TiltbuildError} from '../errors.ts';
import type {BuildRequest, Surroundings} from './build-request.ts';
import type {BuildResult} from './build-result.ts';
import {readBuildSecret} from './build-secrets.ts';
import {checkProduct, identifyByNames, identifyByNodes} from './check-product.ts';
import {checkContext} from './context.ts';
import {loadTarget, pinToOwnKubeconfig} from './load-target.ts';
import {type Plan, planBuild} from './plan.ts';
import type {Ports} from './ports.ts';
import {prepareResultFile, resultFiles, writeResultFile} from './result-files.ts';
import {runPlan} from './run-plan.ts';
import {formatCommand} from './shell-words.ts';

/** Builds, and gives what came of it. Throws `TiltbuildError` or `Interrupted`; nothing is left behind. */
export async function buildImage(
  request: BuildRequest,
  surroundings: Surroundings,
  ports: Ports,
): Promise<BuildResult> {
  const {files} = ports;
  const started = ports.now();
  const wantedFiles = resultFiles(request);
  checkContext(request, files);
  const secrets = request.secrets.map((spec) =>
    readBuildSecret(spec, {env: surroundings.env, exists: (path) => files.kindOf(path) !== 'missing'}),
  );
  const {target, pinArgs} = await loadTarget(request.connection, surroundings, files);
  const byNames = identifyByNames(target);
  // What the names tell is refused before anything is started, even a credential plugin.
  if (byNames.product !== 'unknown') checkProduct(request, byNames);

  const directory = await files.makePrivateDirectory();
  try {
    const connectionArgs = pinArgs ?? (await writeOwnKubeconfig(target, directory, request, ports));
    const query = whatToAsk(request, byNames);
    const [program, facts] = await Promise.all([
      ports.delegate.find(),
      ports.cluster.read(
        target,
        {args: connectionArgs, requestTimeout: request.connection.requestTimeout},
        query,
      ),
    ]);
    if (program === undefined) throw missingDelegate();
    ports.interruption.throwIfReceived();

    const product = byNames.product === 'unknown' ? identifyByNodes(facts, byNames) : byNames;
    const tags = checkProduct(request, product);
    demandBuilderAccess(facts.builder, target.namespace);
    const pullSecret = resolvePullSecret(request.pullSecret, facts.pullSecret, target.namespace);
    for (const note of [...tags.map((tag) => tag.note), pullSecret.note]) if (note) ports.notes.note(note);

    const plan = planBuild({
      request,
      pinArgs: connectionArgs,
      tags,
      pullSecret: pullSecret.name,
      runtime: builderRuntime(facts.builder, product.product),
      secrets,
      privatePath: (name) => files.join(directory, name),
    });
    describe(request, target, product, pullSecret.reason, {program, plan}, ports);
    for (const file of wantedFiles) await prepareResultFile(file, files);
    const digest = await runPlan(program, plan, request, files.join(directory, 'progress'), ports);

    const result: BuildResult = {
      digest,
      references: tags.map((tag) => tag.canonical),
      product: product.product,
      context: target.context,
      namespace: target.namespace,
      builder: request.builder.name,
      pullSecret: pullSecret.name ?? null,
      seconds: Math.round(ports.now() - started) / 1000,
    };
    for (const file of wantedFiles) await writeResultFile(file, file.format(result), files);
    return result;
  } finally {
    // What went wrong before is what the user has to know; at the end of the process it is tried again.
    await files.remove(directory).catch(() => undefined);
  }
}

/** One round for all of it; what is not needed is not asked. */
function whatToAsk(request: BuildRequest, {product}: Identified): ClusterQuery {
  const {pullSecret, builder, destination} = request;
  return {
    pullSecret: pullSecret.kind === 'none' ? undefined : pullSecret.name,
    builder: destination.kind === 'runtime' ? builder.name : undefined,
    nodes: product === 'unknown',
  };
}

async function writeOwnKubeconfig(
  target: Target,
  directory: string,
  request: BuildRequest,
  {files}: Ports,
): Promise<readonly string[]> {
  const path = files.join(directory, 'kubeconfig');
  await files.writePrivate(path, pinnedKubeconfig(target));
  return pinToOwnKubeconfig(path, target, request.connection);
}

function missingDelegate(): TiltbuildError {
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

function describe(
  request: BuildRequest,
  target: Target,
  product: Identified,
  pullSecretReason: string,
  {program, plan}: {readonly program: string; readonly plan: Plan},
  {notes}: Ports,
): void {
  notes.detail(
    `target: context "${target.context}", namespace "${target.namespace}", server ${target.cluster.server}`,
  );
  notes.detail(`product: ${product.product} (${product.reason})`);
  notes.detail(`builder: ${request.builder.name}`);
  notes.detail(`pull secret: ${pullSecretReason}`);
  notes.detail(`runs: ${formatCommand([program, ...plan.argv])}`);
}
