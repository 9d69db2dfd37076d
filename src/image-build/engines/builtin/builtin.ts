/** Owns the builtin engine: BuildKit in the builder's pod, asked by a client of our own. */
import {listPods} from '../../../builder/ensure/inspect-builder.ts';
import type {BuilderRuntime} from '../../../builder/model/builder.ts';
import {CONTAINER} from '../../../builder/model/marks.ts';
import {BuildkitClient} from '../../../buildkit/client.ts';
import {syncFiles} from '../../../buildkit/session/file-sync.ts';
import {type Output, serveOutputs} from '../../../buildkit/session/outputs.ts';
import {serveLogins, serveSecrets, serveUploads} from '../../../buildkit/session/services.ts';
import {serveAgents} from '../../../buildkit/session/ssh.ts';
import type {Tunnel} from '../../../cluster/ports.ts';
import {TiltbuildError} from '../../../errors.ts';
import type {Ports} from '../../../ports.ts';
import {reasonOf} from '../../../system-error.ts';
import {advise, command, flag} from '../../../text/advice.ts';
import {GrpcError} from '../../../wire/grpc/status.ts';
import type {BuildPass} from '../../build-passes.ts';
import type {BuildSecret} from '../../inputs/secrets.ts';
import type {PreparedBuild} from '../../prepare-build.ts';
import type {Engine, EngineEnd, EngineRun} from '../engine.ts';
import {findAgents} from './agents.ts';
import {chooseExport, type Export, readCache} from './exports.ts';
import {describeFailure} from './failure.ts';
import {frontendAttributes, lastOf, valuesOf} from './frontend.ts';
import {findLogin} from './logins.ts';
import {chooseForm, hasColour, showProgress} from './progress.ts';
import {type BuildSources, findSources} from './sources.ts';

export function builtin(build: PreparedBuild, runtime: BuilderRuntime, ports: Ports): Engine {
  const outputs: Output[] = [];
  let opened: Promise<OpenBuilder> | undefined;
  return {
    name: 'builtin',
    // Whatever comes from standard input is kept; what went to standard output cannot be taken back.
    isRepeatable: !build.request.destination.stdout,
    run: async ({stop, ...run}) => {
      opened ??= openBuilder(build, outputs, ports);
      const cancel = new AbortController();
      const release = ports.interruption.subscribe(() => cancel.abort());
      const signal = AbortSignal.any([stop, cancel.signal]);
      const end = await solvePass(
        await opened,
        {...run, stop: signal},
        build,
        runtime,
        outputs,
        ports,
      ).finally(release);
      // Another attempt needs a connection of its own.
      if (end.kind === 'failed' && end.fault !== undefined) opened = undefined;
      return end;
    },
    close: () => void opened?.then(({client}) => client.close()).catch(() => undefined),
  };
}

interface OpenBuilder {
  readonly client: BuildkitClient;
  readonly tunnel: Tunnel;
  readonly sources: BuildSources;
}

async function openBuilder(
  build: PreparedBuild,
  outputs: readonly Output[],
  ports: Ports,
): Promise<OpenBuilder> {
  const {cluster, pullSecret, request, surroundings, secrets, inputs} = build;
  const {files, builtin} = ports;
  const {name, namespace} = build.builder.request.settings;
  const tools = {
    files,
    contexts: builtin.contexts,
    machine: await builtin.machine(),
    now: () => BigInt(Math.round(ports.wallClock() * 1e6)),
  };
  const sources = await findSources(request, inputs, tools);
  const agents = await findAgents(valuesOf(request, '--ssh'), surroundings.env, ports);
  const tunnel = await openTunnel(name, namespace, build, ports);
  const routes = [
    syncFiles(sources.directories, () => undefined),
    serveUploads((id) => sources.uploads.get(id)?.()),
    serveSecrets((id) => readSecret(id, secrets, files)),
    serveLogins(async (host) => {
      const config =
        pullSecret.name === undefined ? undefined : await cluster.readPullSecret(pullSecret.name);
      return config === undefined ? undefined : findLogin(config, host);
    }),
    serveOutputs(outputs),
    ...serveAgents(new Set(agents.keys()), (id) => agents.get(id)?.() ?? Promise.reject(new Error(id))),
  ];
  const {sharedKey} = sources;
  const client = new BuildkitClient(tunnel.stream, {sharedKey, routes, random: builtin.random});
  return {client, tunnel, sources};
}

async function openTunnel(
  name: string,
  namespace: string,
  {cluster}: PreparedBuild,
  ports: Ports,
): Promise<Tunnel> {
  const pods = await listPods({name, namespace}, cluster);
  const ready = pods?.find(({phase}) => phase === 'Running');
  if (ready === undefined) {
    throw new TiltbuildError(
      'builder-failed',
      `The builder "${name}" in namespace "${namespace}" has no running pod.`,
      {remedy: [command('kubectl', 'tiltbuild', 'builder', 'create', name, '--namespace', namespace)]},
    );
  }
  ports.notes.detail(`pod: ${ready.name}`);
  return await cluster.openTunnel({
    namespace,
    pod: ready.name,
    container: CONTAINER,
    command: ['buildctl', 'dial-stdio'],
  });
}

async function readSecret(
  id: string,
  secrets: readonly BuildSecret[],
  files: Ports['files'],
): Promise<Uint8Array | undefined> {
  const secret = secrets.findLast((one) => one.id === id);
  if (secret === undefined) return undefined;
  return secret.kind === 'environment' ? Buffer.from(secret.value) : await files.readBytes(secret.path);
}

async function solvePass(
  {client, tunnel, sources}: OpenBuilder,
  {pass, stop}: EngineRun,
  build: PreparedBuild,
  runtime: BuilderRuntime,
  outputs: Output[],
  {builtin, files}: Ports,
): Promise<EngineEnd> {
  const {request} = pass;
  const {env} = build.surroundings;
  const exported = chooseExport(
    request,
    pass.tags.map(({canonical}) => canonical),
    runtime,
  );
  const output = openOutput(exported.dest, builtin);
  outputs.splice(0, outputs.length, ...(output === undefined ? [] : [output]));
  const progress = showProgress(
    chooseForm(request, build.surroundings),
    hasColour(build.surroundings),
    builtin,
  );
  try {
    const response = await client.solve(
      {
        frontend: lastOf(request, '--frontend'),
        attributes: new Map([...frontendAttributes(request, env), ...sources.attributes]),
        exporters: [exported],
        cacheExports: readCache('--cache-to', valuesOf(request, '--cache-to'), env),
        cacheImports: readCache('--cache-from', valuesOf(request, '--cache-from'), env),
        entitlements: entitlementsOf(pass),
      },
      {onStatus: (status) => progress.observe(status), signal: stop},
    );
    await progress.end(false);
    return {kind: 'built', digest: findDigest(response, build)};
  } catch (error) {
    await progress.end(!stop.aborted);
    if (!(error instanceof GrpcError)) throw error;
    return await describeFailure(error, {steps: progress.steps, tunnel, build, files});
  } finally {
    output?.close();
  }
}

function openOutput(dest: Export['dest'], {openTree, openArchive}: Ports['builtin']) {
  if (dest === undefined) return undefined;
  try {
    return dest.kind === 'tree' ? openTree(dest.path) : openArchive(dest.path);
  } catch (cause) {
    throw new TiltbuildError('result-not-written', `Could not write "${dest.path}": ${reasonOf(cause)}.`, {
      cause,
    });
  }
}

/** As kubectl build asks for it: `--network host` needs the entitlement as well. */
function entitlementsOf({request}: BuildPass): readonly string[] {
  const asked = valuesOf(request, '--allow').flatMap((list) => list.split(','));
  const isHost = lastOf(request, '--network') === 'host';
  return [...new Set([...asked, ...(isHost ? ['network.host'] : [])])];
}

/** Throws `digest-missing`. */
function findDigest(response: ReadonlyMap<string, string>, {request}: PreparedBuild): string | undefined {
  const digest = response.get('containerimage.digest');
  const {kind} = request.destination;
  if (digest !== undefined || kind === 'files' || kind === 'archive') return digest;
  throw new TiltbuildError('digest-missing', 'The build succeeded, but BuildKit did not report the digest.', {
    remedy: [advise`The image exists under its tags. To see the progress, use ${flag('progress', 'plain')}.`],
  });
}
