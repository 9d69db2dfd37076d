/** Owns what a builder mounts, and the rule by which a mount would double on the node. */
import {ROOTLESS_STATE_DIRECTORY} from '../model/marks.ts';
import {isWithin, parentDirectory} from '../model/node-paths.ts';
import {type ContainerdPaths, STANDARD_SOCKET} from './runtime.ts';
import type {BuildkitdWorker} from './toml.ts';

/** The part of a pod's specification that mounts are read from. */
export interface PodSpec {
  readonly initContainers?: readonly {readonly volumeMounts?: readonly VolumeMount[]}[];
  readonly containers?: readonly {readonly volumeMounts?: readonly VolumeMount[]}[];
}

export interface VolumeMount {
  readonly name: string;
  readonly mountPath: string;
  readonly mountPropagation?: string;
  readonly readOnly?: boolean;
}

interface Mounted {
  readonly volume: Readonly<Record<string, unknown>> & {readonly name: string};
  readonly mount: Omit<VolumeMount, 'name'>;
}

/** The volumes of a builder, and its mounts of them in the same order. */
export function listVolumes(name: string, worker: BuildkitdWorker, paths: ContainerdPaths) {
  const mounted = [configVolume(name, worker), ...workerVolumes(worker, paths)];
  return {
    volumes: mounted.map(({volume}) => volume),
    volumeMounts: mounted.map(({volume, mount}) => ({name: volume.name, ...mount})),
  };
}

function configVolume(name: string, worker: BuildkitdWorker): Mounted {
  const mountPath = worker.kind === 'rootless' ? '/home/user/.config/buildkit' : '/etc/buildkit';
  return {volume: {name: 'buildkitd-config', configMap: {name}}, mount: {mountPath}};
}

function workerVolumes(worker: BuildkitdWorker, paths: ContainerdPaths): readonly Mounted[] {
  switch (worker.kind) {
    case 'containerd':
      return containerdVolumes(worker.stateDirectory, paths);
    case 'runc':
      return [
        hostPath('var-lib-buildkit', worker.stateDirectory, 'DirectoryOrCreate'),
        // Through this socket the plugin loads images; it is in the directory that the plugin looks in.
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

/** containerd's client makes the pipes of a container's output there, whatever socket it talks to. */
const PIPE_DIRECTORY = '/run/containerd/fifo';

/**
 * BuildKit and the node's containerd hand each other paths, so these are the same inside and outside, and what the
 * one mounts has to show for the other: snapshots in containerd's root, and in /tmp the file system of a step, its
 * secrets and its SSH socket. (/var/log is as the plugin has it.) The socket comes with its directory, never by
 * itself; a directory inside another of these comes with that one.
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
    // Where the plugin loads images into the other nodes of a builder, it knows only the standard place.
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
    mount: {mountPath, ...(mountPropagation === undefined ? {} : {mountPropagation})},
  };
}

/** A mount as it is seen in its container. */
export interface PlacedMount {
  readonly path: string;
  readonly propagation?: string;
}

/** Every mount inside another one of its container that is Bidirectional, which would double on the node at each start. */
export function findNestedMounts<Mount extends PlacedMount>(
  mounts: readonly Mount[],
): readonly {readonly inner: Mount; readonly outer: Mount}[] {
  return mounts.flatMap((inner) =>
    mounts
      .filter((outer) => outer !== inner && outer.propagation === 'Bidirectional')
      .filter((outer) => isWithin(inner.path, outer.path))
      .map((outer) => ({inner, outer})),
  );
}

/** Those of a pod, in words. */
export function nestedMounts({initContainers = [], containers = []}: PodSpec): readonly string[] {
  return [...initContainers, ...containers].flatMap(({volumeMounts = []}) => {
    const mounts = volumeMounts.map(({mountPath, mountPropagation}) => ({
      path: mountPath,
      propagation: mountPropagation,
    }));
    return findNestedMounts(mounts).map(({inner, outer}) => `${inner.path} inside ${outer.path}`);
  });
}
