/** Owns what a builder mounts. */
import {certificateAnnotation} from '../model/builder-config.ts';
import {CONFIG_ANNOTATION, CONFIG_KEY, REGISTRIES_VOLUME} from '../model/marks.ts';
import {isWithin, parentDirectory} from '../model/node-paths.ts';
import {type ContainerdPaths, STANDARD_SOCKET} from './containerd-paths.ts';
import {type BuildkitdWorker, ROOTLESS_STATE_DIRECTORY} from './toml.ts';

interface Mounted {
  readonly volume: Readonly<Record<string, unknown>> & {readonly name: string};
  readonly mount: {
    readonly mountPath: string;
    readonly mountPropagation?: 'Bidirectional';
    readonly readOnly?: true;
  };
}

export interface MountedSettings {
  /** Names of files. */
  readonly certificates?: readonly string[];
  /** Whether the settings for registries of the node's containerd are mounted. */
  readonly nodeRegistries?: boolean;
}

/** The volumes of a builder, and its mounts of them in the same order. */
export function listVolumes(
  worker: BuildkitdWorker,
  paths: ContainerdPaths,
  {certificates = [], nodeRegistries = false}: MountedSettings = {},
) {
  const mounted = [
    configVolume(worker, certificates),
    ...workerVolumes(worker, paths),
    ...(nodeRegistries ? [registriesVolume(paths)] : []),
  ];
  return {
    volumes: mounted.map(({volume}) => volume),
    volumeMounts: mounted.map(({volume, mount}) => ({name: volume.name, ...mount})),
  };
}

/** Where BuildKit looks for its buildkitd.toml. */
export function configDirectory(worker: BuildkitdWorker): string {
  return worker.kind === 'rootless' ? '/home/user/.config/buildkit' : '/etc/buildkit';
}

/** Files from the pod's own annotations. */
function configVolume(worker: BuildkitdWorker, certificates: readonly string[]): Mounted {
  const item = (path: string, annotation: string) => ({
    path,
    fieldRef: {fieldPath: `metadata.annotations['${annotation}']`},
  });
  const items = [
    item(CONFIG_KEY, CONFIG_ANNOTATION),
    ...certificates.map((file) => item(file, certificateAnnotation(file))),
  ];
  const mount = {mountPath: configDirectory(worker)};
  return {volume: {name: 'buildkitd-config', downwardAPI: {items}}, mount};
}

function workerVolumes(worker: BuildkitdWorker, paths: ContainerdPaths): readonly Mounted[] {
  switch (worker.kind) {
    case 'containerd':
      return containerdVolumes(worker.stateDirectory, paths);
    case 'runc':
      return [
        hostPath('var-lib-buildkit', worker.stateDirectory, 'DirectoryOrCreate'),
        // The plugin loads images through this socket, which is in the directory where the plugin looks for it.
        hostPath('docker-sock', '/var/run/docker.sock', 'Socket', '/run/docker.sock'),
      ];
    case 'rootless':
      return [
        {volume: {name: 'buildkitd-state', emptyDir: {}}, mount: {mountPath: ROOTLESS_STATE_DIRECTORY}},
      ];
    default:
      return worker satisfies never;
  }
}

/**
 * The directory above them, which every node has, under its own path: the settings name certificates by their paths.
 * Without a type the kubelet does not look, and a node that lacks even that gets an empty one from containerd.
 */
function registriesVolume({registries}: ContainerdPaths): Mounted {
  const path = parentDirectory(registries);
  return {
    volume: {name: REGISTRIES_VOLUME, hostPath: {path}},
    mount: {mountPath: path, readOnly: true},
  };
}

/** containerd's client creates the pipes of a container's output here, whatever socket it talks to. */
const PIPE_DIRECTORY = '/run/containerd/fifo';

/**
 * BuildKit and the node's containerd pass each other paths, so these are the same inside and outside, and what one
 * mounts has to appear to the other: snapshots in containerd's root, and in /tmp the file system of a step, its
 * secrets and its SSH socket. (The plugin mounts /var/log like this as well.) The socket comes with its directory,
 * never alone; a directory inside another of these comes with that one.
 */
function containerdVolumes(stateDirectory: string, paths: ContainerdPaths): readonly Mounted[] {
  const directories = [
    ['var-lib-buildkit', stateDirectory, 'DirectoryOrCreate'],
    ['containerd-run', parentDirectory(paths.socket), 'Directory'],
    ['containerd-state', paths.state, 'Directory'],
    ['containerd-root', paths.root, 'Directory'],
    ['var-log', '/var/log', 'Directory'],
    ['tmp', '/tmp', 'Directory'],
  ] as const;
  const outermost = directories.filter(
    ([, path], index) =>
      !directories.some(
        ([, other], otherIndex) =>
          isWithin(path, other) && (path !== other ? otherIndex !== index : otherIndex < index),
      ),
  );
  const covered = (path: string) => outermost.some(([, directory]) => isWithin(path, directory));
  return [
    ...outermost.map(([name, path, type]) => hostPath(name, path, type, path, 'Bidirectional')),
    ...(covered(PIPE_DIRECTORY) ? [] : [hostPath('containerd-fifo', PIPE_DIRECTORY, 'DirectoryOrCreate')]),
    // For loading images into the other nodes of a builder the plugin knows the standard place only.
    ...(covered(STANDARD_SOCKET) ? [] : [hostPath('loader-sock', paths.socket, 'Socket', STANDARD_SOCKET)]),
  ];
}

function hostPath(
  name: string,
  path: string,
  type: 'Directory' | 'DirectoryOrCreate' | 'Socket',
  mountPath = path,
  mountPropagation?: 'Bidirectional',
): Mounted {
  return {
    volume: {name, hostPath: {path, type}},
    mount: {mountPath, ...(mountPropagation && {mountPropagation})},
  };
}
