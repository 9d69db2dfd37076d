/** Owns the builder's buildkitd.toml, and the directory on the node that holds its state. */
import {createHash} from 'node:crypto';
import type {BuilderSettings} from '../model/settings.ts';
import {STANDARD_SOCKET} from './containerd-paths.ts';
import type {ContainerRuntime} from './nodes.ts';

const STATE_PARENT = '/var/lib/buildkit';
/** Linux has 108 bytes for the path of a unix socket, including the closing zero. */
const SOCKET_PATH_LIMIT = 107;

/** Where the rootless image keeps its state; a volume of its own, since a node may mount images nosuid. */
export const ROOTLESS_STATE_DIRECTORY = '/home/user/.local/share/buildkit';

/**
 * The node's directory for the state of one builder. The plugin uses the name alone, so builders of two namespaces on
 * one node fight over its lock, and so do those of two virtual clusters without the cluster's ID. No part can contain
 * `_`, so no two builders share a directory, nor does one with the plugin's. What is too long for a socket inside
 * becomes a hash, which begins as no namespace can.
 */
export function builderStateDirectory(namespace: string, name: string, clusterId?: string): string {
  const parts = [namespace, name, ...(clusterId === undefined ? [] : [clusterId])].join('_');
  const directory = `${STATE_PARENT}/${parts}`;
  if (Buffer.byteLength(otelSocketPath(directory)) <= SOCKET_PATH_LIMIT) return directory;
  const hash = createHash('sha256').update(parts).digest('hex');
  return `${STATE_PARENT}/_${hash.slice(0, 32)}`;
}

/** Whether a builder of ours may have it for its state. */
export function isStateDirectory(path: string): boolean {
  return new RegExp(`^${STATE_PARENT}/[-a-z0-9.]*_[-_a-z0-9.]*$`).test(path);
}

/**
 * BuildKit's socket for traces, which it mounts into the container of every RUN. By default it is in the pod alone,
 * where the node's containerd cannot find it, and every RUN fails (BuildKit 0.13 and later). A runc in the pod can.
 */
export function otelSocketPath(stateDirectory: string): string {
  return `${stateDirectory}/otel-grpc.sock`;
}

export type BuildkitdWorker =
  | {readonly kind: 'containerd'; readonly stateDirectory: string; readonly socket: string}
  | {readonly kind: 'runc'; readonly stateDirectory: string}
  | {readonly kind: 'rootless'};

/** The worker for a runtime; without one the builder is rootless. Only containerd can share images with BuildKit. */
export function chooseWorker(
  runtime: ContainerRuntime | undefined,
  stateDirectory: string,
  socket: string,
): BuildkitdWorker {
  switch (runtime) {
    case 'containerd':
      return {kind: 'containerd', stateDirectory, socket};
    case 'docker':
      return {kind: 'runc', stateDirectory};
    case undefined:
      return {kind: 'rootless'};
    default:
      return runtime satisfies never;
  }
}

export type TomlSettings = Pick<
  BuilderSettings,
  'allowNetworkHost' | 'containerdSnapshotter' | 'maxParallelism'
>;

/** The configuration of one builder. The keys are those of BuildKit 0.32; older versions ignore those they do not know. */
export function buildkitdToml(
  worker: BuildkitdWorker,
  {allowNetworkHost, containerdSnapshotter, maxParallelism}: TomlSettings,
): string {
  const root = worker.kind === 'rootless' ? ROOTLESS_STATE_DIRECTORY : worker.stateDirectory;
  return [
    '# Written by kubectl-tiltbuild.',
    `root = ${quote(root)}`,
    ...(allowNetworkHost ? ['insecure-entitlements = ["network.host"]'] : []),
    ...(worker.kind === 'containerd' ? ['', ...otelLines(root)] : []),
    '',
    ...disabledLines(worker.kind === 'containerd' ? 'oci' : 'containerd'),
    ...workerLines(worker),
    ...(containerdSnapshotter === undefined ? [] : [`  snapshotter = ${quote(containerdSnapshotter)}`]),
    ...(maxParallelism === undefined ? [] : [`  max-parallelism = ${maxParallelism}`]),
    ...GARBAGE_COLLECTION,
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

function disabledLines(worker: 'oci' | 'containerd'): readonly string[] {
  return [`[worker.${worker}]`, '  enabled = false', ''];
}

function workerLines(worker: BuildkitdWorker): readonly string[] {
  switch (worker.kind) {
    case 'containerd':
      return [
        '[worker.containerd]',
        '  enabled = true',
        // The namespace in which the kubelet looks for images.
        '  namespace = "k8s.io"',
        ...(worker.socket === STANDARD_SOCKET ? [] : [`  address = ${quote(worker.socket)}`]),
      ];
    case 'runc':
      return ['[worker.oci]', '  enabled = true'];
    case 'rootless':
      // A pod that is not privileged cannot mount a proc of its own.
      return ['[worker.oci]', '  enabled = true', '  rootless = true', '  noProcessSandbox = true'];
    default:
      return worker satisfies never;
  }
}

/**
 * By default a kubelet removes images once the disk is 85 % full, and evicts pods soon after; on kind it does neither.
 * The cache shrinks before that, down to a size that keeps everyday builds fast. BuildKit takes the shares of the disk
 * that holds its state, so they fit a node of 20 GB as well as one of 2 TB.
 */
const GARBAGE_COLLECTION: readonly string[] = [
  '  gc = true',
  '  # Free space is kept by giving up cache, down to the reserved space.',
  '  reservedSpace = "10%"',
  '  maxUsedSpace = "40%"',
  '  minFreeSpace = "20%"',
];

/** A TOML basic string; JSON's escapes are among its own. */
function quote(text: string): string {
  return JSON.stringify(text);
}
