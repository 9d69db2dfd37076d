/** Owns opening a builder for the builtin engine: BuildKit in one of its pods, and a session that serves a build. */
import type {BuilderPod} from '../../../builder/model/pods.ts';
import {BuildkitClient} from '../../../buildkit/client.ts';
import {syncFiles} from '../../../buildkit/session/file-sync.ts';
import {type Output, serveOutputs} from '../../../buildkit/session/outputs.ts';
import {serveLogins, serveSecrets, serveUploads} from '../../../buildkit/session/services.ts';
import {serveAgents} from '../../../buildkit/session/ssh.ts';
import type {Tunnel} from '../../../cluster/ports.ts';
import {TiltbuildError} from '../../../errors.ts';
import type {Ports} from '../../../ports.ts';
import type {BuildSecret} from '../../inputs/secrets.ts';
import type {PreparedBuild} from '../../prepare-build.ts';
import type {Engine, EngineEnd, EngineRun} from '../engine.ts';
import {findAgents} from './agents.ts';
import {mayUseLayouts, valuesOf} from './frontend.ts';
import type {Stores} from './layouts.ts';
import {findLogin} from './logins.ts';
import {
  type ReachedPod,
  reachPod,
  refuseSilence,
  startWait,
  type Timeout,
  turnTo,
  type Wait,
} from './reach-pod.ts';
import {type BuildSources, findProject, findSources} from './sources.ts';

/** What BuildKit gets or gives in the session, which may be another with each pass. */
export interface Served {
  readonly outputs: Output[];
  readonly stores: Stores;
}

/** An engine that does its work on a builder which it opens, and opens again after a fault of that. */
export function onBuilder(
  build: PreparedBuild,
  served: Served,
  ports: Ports,
  work: (opened: OpenBuilder, run: EngineRun) => Promise<EngineEnd>,
  timeout: Timeout = (milliseconds) => AbortSignal.timeout(milliseconds),
): Engine {
  const silent = new Set<string>();
  let opened: Promise<OpenBuilder> | undefined;
  return {
    name: 'builtin',
    // Whatever comes from standard input is kept; what went to standard output cannot be taken back.
    isRepeatable: !build.request.destination.stdout,
    run: async (run) => {
      const wait = startWait(silent, timeout);
      for (;;) {
        opened ??= openBuilder(build, served, wait, ports);
        const one = await opened;
        run.onPod(one.pod.name);
        const end = await ports
          .withGrace((interrupted) => work(one, {...run, stop: AbortSignal.any([interrupted, run.stop])}))
          .catch(refusalOf);
        const why = end instanceof TiltbuildError ? end.message : end.kind === 'failed' && end.fault?.message;
        const isSilent = !one.client.hasAnswered && !run.stop.aborted;
        if (why || run.stop.aborted) {
          // Another attempt needs a connection of its own, and after a loss of the pod it needs another pod.
          opened = undefined;
          await one.close();
          const isLate = isSilent && wait.deadline().aborted;
          if (why && isLate) throw end instanceof TiltbuildError ? end : refuseSilence(one.pod, build);
          if (why && isSilent && one.other !== undefined) {
            turnTo(one.other, one.pod, why, silent, ports);
            build.builder.pods.forget();
            continue;
          }
        }
        if (end instanceof TiltbuildError) throw end;
        return end;
      }
    },
    close: async () => await opened?.then((one) => one.close()).catch(() => undefined),
  };
}

/** That of a pod, which another one may not share. */
function refusalOf(error: unknown): TiltbuildError {
  const isOfPod = error instanceof TiltbuildError && /^(?:builder-failed|cluster-denied)$/.test(error.code);
  if (isOfPod) return error;
  throw error;
}

export interface OpenBuilder {
  readonly client: BuildkitClient;
  readonly tunnel: Tunnel;
  readonly pod: BuilderPod;
  /** See `ReachedPod`. */
  readonly other: ReachedPod['other'];
  readonly sources: BuildSources;
  /** Nothing of it is left, here or in the cluster. */
  close(): Promise<void>;
}

async function openBuilder(
  build: PreparedBuild,
  {outputs, stores}: Served,
  wait: Wait,
  ports: Ports,
): Promise<OpenBuilder> {
  const {cluster, pullSecret, request, surroundings, secrets, inputs} = build;
  const {files, builtin} = ports;
  const tools = {
    files,
    contexts: builtin.contexts,
    machine: await builtin.machine(),
    openBlobs: builtin.openBlobs,
    stores,
    now: () => BigInt(Math.round(ports.wallClock() * 1e6)),
  };
  const sources = await findSources(request, inputs, tools);
  const agents = await findAgents(valuesOf(request, '--ssh'), surroundings.env, ports);
  const {pod, tunnel, limit, other} = await reachPod(findProject(request, inputs, tools), build, wait, ports);
  const content = mayUseLayouts(request)
    ? (await import('../../../buildkit/session/content.ts')).serveContent(stores)
    : undefined;
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
    ...(content?.routes ?? []),
    ...serveAgents(new Set(agents.keys()), (id) => agents.get(id)?.() ?? Promise.reject(new Error(id))),
  ];
  const {sharedKey} = sources;
  const client = new BuildkitClient(tunnel.stream, {sharedKey, routes, random: builtin.random});
  // A command that hangs, or a node that it runs on, accepts the connection.
  const giveUp = () => {
    if (!client.hasAnswered) tunnel.stream.destroy(limit.reason);
  };
  if (limit.aborted) giveUp();
  else limit.addEventListener('abort', giveUp);
  const close = async () => {
    client.close();
    await content?.close();
  };
  return {client, tunnel, pod, other, sources, close};
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
