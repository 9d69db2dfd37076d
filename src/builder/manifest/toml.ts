/** Owns the builder's buildkitd.toml, and the directory on the node that its state is kept in. */
import {createHash} from 'node:crypto';
import {ROOTLESS_STATE_DIRECTORY} from '../model/marks.ts';
import {type ContainerRuntime, STANDARD_SOCKET} from './runtime.ts';

const STATE_PARENT = '/var/lib/buildkit';
const OTEL_SOCKET = 'otel-grpc.sock';
/** Linux has 108 bytes for the path of a unix socket, the closing zero among them. */
const SOCKET_PATH_LIMIT = 107;

/**
 * The node's directory for the state of one builder. The plugin goes by the name alone, so that two namespaces on
 * one node fight over its lock. No `_` can be in either name, so no two pairs have one directory; nor has the
 * plugin's. Names too long for a socket inside become a hash, which begins as no namespace can.
 */
export function builderStateDirectory(namespace: string, name: string): string {
  const directory = `${STATE_PARENT}/${namespace}_${name}`;
  if (Buffer.byteLength(otelSocketPath(directory)) <= SOCKET_PATH_LIMIT) return directory;
  const hash = createHash('sha256').update(`${namespace}_${name}`).digest('hex');
  return `${STATE_PARENT}/_${hash.slice(0, 32)}`;
}

/**
 * BuildKit's socket for traces, which it mounts into the container of every RUN. By default it is in the pod alone,
 * where the node's containerd cannot find it, and every RUN fails (BuildKit 0.13 and later). A runc in the pod can.
 */
export function otelSocketPath(stateDirectory: string): string {
  return `${stateDirectory}/${OTEL_SOCKET}`;
}

export type BuildkitdWorker =
  | {readonly kind: 'containerd'; readonly stateDirectory: string; readonly socket: string}
  | {readonly kind: 'runc'; readonly stateDirectory: string}
  | {readonly kind: 'rootless'};

/** The worker for a runtime: only containerd's images can be shared with BuildKit. */
export function chooseWorker(
  runtime: ContainerRuntime | undefined,
  rootless: boolean,
  stateDirectory: string,
  socket: string,
): BuildkitdWorker {
  if (rootless) return {kind: 'rootless'};
  switch (runtime) {
    case 'containerd':
      return {kind: 'containerd', stateDirectory, socket};
    case 'docker':
      return {kind: 'runc', stateDirectory};
    case undefined:
      throw new Error('a builder that is not rootless needs to know its runtime');
    default:
      return runtime satisfies never;
  }
}

/** The configuration of one builder. Keys are those of BuildKit 0.32; older ones skip what they do not know. */
export function buildkitdToml(worker: BuildkitdWorker, allowNetworkHost: boolean): string {
  const root = worker.kind === 'rootless' ? ROOTLESS_STATE_DIRECTORY : worker.stateDirectory;
  return [
    '# Written by kubectl-tiltbuild.',
    `root = ${quote(root)}`,
    ...(allowNetworkHost ? ['insecure-entitlements = ["network.host"]'] : []),
    ...(worker.kind === 'containerd' ? ['', ...otelLines(root)] : []),
    '',
    ...workerLines(worker),
    '',
  ].join('\n');
}

function otelLines(root: string): readonly string[] {
  return [
    '[otel]',
    '  # In a directory that the node shares: its containerd mounts this socket into every RUN.',
    `  socketPath = ${quote(otelSocketPath(root))}`,
  ];
}

function workerLines(worker: BuildkitdWorker): readonly string[] {
  switch (worker.kind) {
    case 'containerd':
      return [
        ...disabled('oci'),
        '[worker.containerd]',
        '  enabled = true',
        // The namespace that the kubelet looks for images in.
        '  namespace = "k8s.io"',
        ...(worker.socket === STANDARD_SOCKET ? [] : [`  address = ${quote(worker.socket)}`]),
        ...GARBAGE_COLLECTION,
      ];
    case 'runc':
      return [...disabled('containerd'), '[worker.oci]', '  enabled = true', ...GARBAGE_COLLECTION];
    case 'rootless':
      return [
        ...disabled('containerd'),
        '[worker.oci]',
        '  enabled = true',
        '  rootless = true',
        // A pod that is not privileged cannot mount a proc of its own.
        '  noProcessSandbox = true',
        ...GARBAGE_COLLECTION,
      ];
    default:
      return worker satisfies never;
  }
}

function disabled(worker: 'oci' | 'containerd'): readonly string[] {
  return [`[worker.${worker}]`, '  enabled = false', ''];
}

/**
 * The kubelet removes images from 85 % of the disk on, and evicts pods soon after: the cache gives way before
 * that, down to a size that keeps everyday builds fast.
 */
const GARBAGE_COLLECTION: readonly string[] = [
  '  gc = true',
  '  # Free space is kept by giving up cache, down to the reserved space.',
  '  reservedSpace = "10GB"',
  '  maxUsedSpace = "50GB"',
  '  minFreeSpace = "20%"',
];

/** A TOML basic string; JSON's escapes are among its own. */
function quote(text: string): string {
  return JSON.stringify(text);
}
