/** Owns opening a builder for the builtin engine: a tunnel to BuildKit in its pod, and a session that serves a build. */
import {listPods} from '../../../builder/ensure/inspect-builder.ts';
import {CONTAINER} from '../../../builder/model/marks.ts';
import {choosePod} from '../../../builder/model/pods.ts';
import {BuildkitClient} from '../../../buildkit/client.ts';
import {serveContent} from '../../../buildkit/session/content.ts';
import {syncFiles} from '../../../buildkit/session/file-sync.ts';
import {type Output, serveOutputs} from '../../../buildkit/session/outputs.ts';
import {serveLogins, serveSecrets, serveUploads} from '../../../buildkit/session/services.ts';
import {serveAgents} from '../../../buildkit/session/ssh.ts';
import type {Tunnel} from '../../../cluster/ports.ts';
import {TiltbuildError} from '../../../errors.ts';
import type {Ports} from '../../../ports.ts';
import {command as commandLine} from '../../../text/advice.ts';
import type {BuildSecret} from '../../inputs/secrets.ts';
import type {PreparedBuild} from '../../prepare-build.ts';
import type {Engine, EngineEnd, EngineRun} from '../engine.ts';
import {findAgents} from './agents.ts';
import {valuesOf} from './frontend.ts';
import type {Stores} from './layouts.ts';
import {findLogin} from './logins.ts';
import {type BuildSources, findSources} from './sources.ts';

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
): Engine {
  let opened: Promise<OpenBuilder> | undefined;
  return {
    name: 'builtin',
    // Whatever comes from standard input is kept; what went to standard output cannot be taken back.
    isRepeatable: !build.request.destination.stdout,
    run: async (run) => {
      opened ??= openBuilder(build, served, ports);
      const one = await opened;
      const end = await ports.withGrace((interrupted) =>
        work(one, {...run, stop: AbortSignal.any([interrupted, run.stop])}),
      );
      if (end.kind === 'failed' && end.fault !== undefined) {
        // Another attempt needs a connection of its own.
        opened = undefined;
        await one.close();
      }
      return end;
    },
    close: async () => await opened?.then((one) => one.close()).catch(() => undefined),
  };
}

export interface OpenBuilder {
  readonly client: BuildkitClient;
  readonly tunnel: Tunnel;
  /** The node of its pod. */
  readonly node: string | undefined;
  readonly sources: BuildSources;
  /** Nothing of it is left, here or in the cluster. */
  close(): Promise<void>;
}

async function openBuilder(
  build: PreparedBuild,
  {outputs, stores}: Served,
  ports: Ports,
): Promise<OpenBuilder> {
  const {cluster, pullSecret, request, surroundings, secrets, inputs} = build;
  const {files, builtin} = ports;
  const {name, namespace} = build.builder.request.settings;
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
  const {tunnel, node} = await openPod(name, namespace, build, ports);
  const content = serveContent(stores);
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
    ...content.routes,
    ...serveAgents(new Set(agents.keys()), (id) => agents.get(id)?.() ?? Promise.reject(new Error(id))),
  ];
  const {sharedKey} = sources;
  const client = new BuildkitClient(tunnel.stream, {sharedKey, routes, random: builtin.random});
  const close = async () => {
    client.close();
    await content.close();
  };
  return {client, tunnel, node, sources, close};
}

async function openPod(
  name: string,
  namespace: string,
  {cluster}: PreparedBuild,
  ports: Ports,
): Promise<Pick<OpenBuilder, 'tunnel' | 'node'>> {
  const pods = await listPods({name, namespace}, cluster);
  const pod = pods && choosePod(pods);
  if (pod === undefined) {
    throw new TiltbuildError(
      'builder-failed',
      `The builder "${name}" in namespace "${namespace}" has no running pod.`,
      {remedy: [commandLine('kubectl', 'tiltbuild', 'builder', 'create', name, '--namespace', namespace)]},
    );
  }
  ports.notes.detail(`pod: ${pod.name}`);
  const command = ['buildctl', 'dial-stdio'];
  const tunnel = await cluster.openTunnel({namespace, pod: pod.name, container: CONTAINER, command});
  return {tunnel, node: pod.node};
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
