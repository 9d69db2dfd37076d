/** Owns where containerd lives on a node, by the kind of Kubernetes or by the user's word. */
import type {Product} from '../../cluster/product.ts';
import {TiltbuildError} from '../../errors.ts';
import {parentDirectory, resolveRunAlias} from '../model/node-paths.ts';
import type {ContainerdOverrides} from '../model/settings.ts';

/** Kinds of Kubernetes with a containerd of their own, whatever product they are part of. */
export type Distribution = 'k3s' | 'rke2' | 'k0s';

/** By `.status.nodeInfo.kubeletVersion`: `v1.36.2+k3s1`, `v1.36.2+rke2r1`, `v1.36.2+k0s`. */
export function readDistribution(kubeletVersion: string): Distribution | undefined {
  return /\+(k3s|rke2|k0s)/.exec(kubeletVersion)?.[1] as Distribution | undefined;
}

/** containerd's socket, and its directories of content and of running containers, as paths on the node. */
export interface ContainerdPaths {
  readonly socket: string;
  readonly root: string;
  readonly state: string;
  /** Its settings for registries, a directory for each. */
  readonly registries: string;
}

const STANDARD: ContainerdPaths = {
  socket: '/run/containerd/containerd.sock',
  root: '/var/lib/containerd',
  state: '/run/containerd',
  registries: '/etc/containerd/certs.d',
};

/** The socket that BuildKit and the plugin use by default. */
export const STANDARD_SOCKET = STANDARD.socket;

const K3S: ContainerdPaths = {
  socket: '/run/k3s/containerd/containerd.sock',
  root: '/var/lib/rancher/k3s/agent/containerd',
  state: '/run/k3s/containerd',
  // Written by k3s, from its registries.yaml.
  registries: '/var/lib/rancher/k3s/agent/etc/containerd/certs.d',
};

/** From the arguments that each starts its containerd with, for its default data directory. */
const BY_DISTRIBUTION: Readonly<Record<Distribution, ContainerdPaths>> = {
  k3s: K3S,
  rke2: {
    ...K3S,
    root: '/var/lib/rancher/rke2/agent/containerd',
    registries: '/var/lib/rancher/rke2/agent/etc/containerd/certs.d',
  },
  k0s: {
    socket: '/run/k0s/containerd.sock',
    root: '/var/lib/k0s/containerd',
    state: '/run/k0s/containerd',
    registries: STANDARD.registries,
  },
};

const MICROK8S: ContainerdPaths = {
  socket: '/var/snap/microk8s/common/run/containerd.sock',
  root: '/var/snap/microk8s/common/var/lib/containerd',
  state: '/var/snap/microk8s/common/run/containerd',
  registries: '/var/snap/microk8s/current/args/certs.d',
};

/** Where containerd is on the nodes of a product. What the user says is checked, and wins. */
export function containerdPaths(
  product: Product,
  distribution?: Distribution,
  {socket, root, state}: ContainerdOverrides = {},
): ContainerdPaths {
  const known = knownPaths(product, distribution);
  return {
    socket: socket === undefined ? known.socket : checkSocket(socket),
    root: root === undefined ? known.root : checkDirectory(root, root),
    state: state === undefined ? known.state : checkDirectory(state, state),
    registries: known.registries,
  };
}

function knownPaths(product: Product, distribution: Distribution | undefined): ContainerdPaths {
  switch (product) {
    case 'microk8s':
      return MICROK8S;
    // Its containerd is set up as that of k3s, though k3s does not start it.
    case 'rancher-desktop':
      return {...K3S, registries: STANDARD.registries};
    // Its kubelet is k3s, which uses the virtual machine's own containerd here.
    case 'colima':
      return STANDARD;
    case 'k3s':
    case 'k3d':
      return BY_DISTRIBUTION[distribution ?? 'k3s'];
    default:
      return distribution === undefined ? STANDARD : BY_DISTRIBUTION[distribution];
  }
}

/** Directories that the builder's own image needs, and that a directory of the node must not cover. */
const SYSTEM_DIRECTORIES: ReadonlySet<string> = new Set(
  '/ /bin /boot /dev /etc /home /lib /lib64 /media /mnt /opt /proc /root /run /sbin /srv /sys /tmp /usr /usr/bin /usr/lib /usr/sbin /var /var/lib /var/lib/buildkit /var/log /run/buildkit'.split(
    ' ',
  ),
);

/** The builder mounts the socket's whole directory, never the socket alone, so the directory is checked as well. */
function checkSocket(path: string): string {
  const socket = resolveRunAlias(path);
  checkDirectory(parentDirectory(socket), path);
  return socket;
}

function checkDirectory(directory: string, given: string): string {
  const resolved = resolveRunAlias(directory);
  if (!/^(\/(?!\.{1,2}(\/|$))[^/\p{Cc}:]+)+$/u.test(given)) {
    throw new TiltbuildError('usage', `${JSON.stringify(given)} is not an absolute path on a node.`, {
      remedy: ['Start it with "/", without "." or ".." in it, ":", or a "/" at the end.'],
    });
  }
  if (SYSTEM_DIRECTORIES.has(resolved)) {
    throw new TiltbuildError(
      'usage',
      `${JSON.stringify(given)} would replace the builder's own ${resolved} with the node's.`,
      {remedy: ['containerd needs a directory of its own, such as /run/containerd.']},
    );
  }
  return resolved;
}
