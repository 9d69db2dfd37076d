/** Owns the use case: build one image in the cluster. Each step is a line; each step's rules live elsewhere. */
import {builderRuntime, demandBuilderAccess} from '../cluster/builder.ts';
import type {ClusterFacts, ClusterQuery} from '../cluster/facts.ts';
import {pinnedKubeconfig} from '../cluster/pinned-kubeconfig.ts';
import {type Identified, identifyProductByNames, identifyProductByNodes} from '../cluster/product.ts';
import {resolvePullSecret} from '../cluster/pull-secret.ts';
import type {Target} from '../cluster/target.ts';
import {TiltbuildError} from '../errors.ts';
import {type QualifiedTag, qualifyTags} from '../image/qualification.ts';
import type {BuildRequest, Surroundings} from './build-request.ts';
import type {BuildResult} from './build-result.ts';
import {formatMetadata} from './build-result.ts';
import {readBuildSecret} from './build-secrets.ts';
import {checkContext} from './context.ts';
import {ProgressDigest, readDigest} from './digest.ts';
import {loadTarget, pinToOwnKubeconfig} from './load-target.ts';
import {type Plan, planBuild} from './plan.ts';
import type {DelegateRun, Ports} from './ports.ts';
import {prepareResultFile, type ResultFile, writeResultFile} from './result-files.ts';
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
  const byNames = identifyProductByNames(productSignals(target));
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
    await writeResults(wantedFiles, request, result, ports);
    return result;
  } finally {
    await files.remove(directory);
  }
}

function productSignals(target: Target) {
  const providers = (target.cluster.extensions ?? []).flatMap(({extension}) =>
    typeof extension === 'object' && extension !== null && 'provider' in extension
      ? [String(extension.provider)]
      : [],
  );
  return {
    cluster: target.cluster.name,
    context: target.context,
    user: target.user.name,
    server: target.cluster.server,
    extensionProviders: providers,
  };
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

/** A 403 on the nodes is no error: the product then stays unknown. */
function identifyByNodes({nodes}: ClusterFacts, byNames: Identified): Identified {
  return nodes?.kind === 'found' ? identifyProductByNodes(nodes.value) : byNames;
}

/** The tags as they are built, or the refusal of what cannot work on this product. */
function checkProduct(request: BuildRequest, {product, reason}: Identified): readonly QualifiedTag[] {
  if (product === 'k3d') {
    throw new TiltbuildError(
      'refused-k3d',
      `Images cannot be built inside a k3d cluster, which this is: ${reason}.`,
      {
        detail: [
          'k3d does not mount the containerd directories of its nodes with bidirectional propagation, so BuildKit',
          'cannot put an image into the runtime there.',
        ],
        remedy: [
          'Use a kind cluster (`kind create cluster`), or choose another one with --context.',
          'To stay on k3d, build with docker and load the image with `k3d image import`.',
        ],
      },
    );
  }
  const {tags, qualify, expectedRef} = request;
  return qualifyTags(tags, {refuseUnqualified: product === 'kind', qualify, expectedRef});
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
        'Install it with krew: kubectl krew install build   (or from https://github.com/vmware-archive/buildkit-cli-for-kubectl/releases)',
        'Its project is archived and gets no more fixes; kubectl tiltbuild works around what is broken in it.',
      ],
    },
  );
}

/** Runs the delegate to its end and gives the digest. Throws `build-failed`, `digest-missing`, `Interrupted`. */
async function runPlan(
  program: string,
  plan: Plan,
  request: BuildRequest,
  spool: string,
  ports: Ports,
): Promise<string | undefined> {
  for (const {path, text} of plan.files) await ports.files.writePrivate(path, text);
  ports.interruption.throwIfReceived();

  const watched = new ProgressDigest();
  const observe = (chunk: Uint8Array) => watched.observe(chunk);
  const ended = await ports.delegate.run({
    program,
    argv: plan.argv,
    env: plan.env,
    stdout: request.destination.stdout ? 'result' : 'stderr',
    progress: chooseProgress(request, plan, spool, observe),
  });
  ports.interruption.throwIfReceived();
  if (ended.exitCode !== 0) {
    const how =
      ended.exitCode === undefined ? `was killed by ${ended.signal}` : `exited with ${ended.exitCode}`;
    throw new TiltbuildError(
      'build-failed',
      `The build failed: kubectl build ${how}. What it said is above.`,
    );
  }

  const {digest} = plan;
  if (digest.from === 'nowhere') return undefined;
  const found =
    digest.from === 'progress'
      ? watched.digest()
      : readDigest((await ports.files.readText(digest.path)) ?? '');
  // An archive is the user's file already; only some versions of BuildKit tell its digest.
  if (found === undefined && request.destination.kind !== 'archive') {
    throw new TiltbuildError(
      'digest-missing',
      'The build succeeded, but kubectl build did not tell the digest of the image.',
      {
        remedy: [
          'The image is in place under its tags. Run again with --verbose to see the command that was run.',
        ],
      },
    );
  }
  return found;
}

function chooseProgress(
  request: BuildRequest,
  plan: Plan,
  spool: string,
  observe: (chunk: Uint8Array) => void,
): DelegateRun['progress'] {
  if (request.quiet) return {mode: 'held', spool, observe};
  return plan.digest.from === 'progress' ? {mode: 'watched', observe} : {mode: 'shown'};
}

function resultFiles({iidFile, metadataFile}: BuildRequest): readonly ResultFile[] {
  return [
    ...(iidFile === undefined ? [] : [{flag: '--iidfile', path: iidFile}]),
    ...(metadataFile === undefined ? [] : [{flag: '--metadata-file', path: metadataFile}]),
  ];
}

async function writeResults(
  wanted: readonly ResultFile[],
  request: BuildRequest,
  result: BuildResult,
  {files}: Ports,
): Promise<void> {
  for (const file of wanted) {
    // docker's image ID file has no newline.
    const text = file.path === request.iidFile ? (result.digest ?? '') : formatMetadata(result);
    await writeResultFile(file, text, files);
  }
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
