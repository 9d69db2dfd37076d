/** Owns where a builder finds the container runtime of its nodes: which one they run, and where containerd lives. */

import type {Product} from '../../cluster/product.ts';
import {TiltbuildError} from '../../errors.ts';
import type {Advice} from '../../text/advice.ts';
import {parentDirectory, resolveRunAlias} from '../model/node-paths.ts';
import {
  type ContainerdOverrides,
  type NodeOpenness,
  type Placement,
  takesBuilder,
} from '../model/settings.ts';

export type ContainerRuntime = 'containerd' | 'docker';

/** What a node says of itself. */
export interface RuntimeNode extends NodeOpenness {
  readonly name: string;
  /** `.status.nodeInfo.containerRuntimeVersion`, e.g. `containerd://2.1.9`. */
  readonly containerRuntimeVersion: string;
  readonly labels?: Readonly<Record<string, string>>;
}

const ANYWHERE: Placement = {nodeSelector: {}, tolerations: []};

/**
 * The nodes that a builder can be put on. A node without the label for its operating system is taken for Linux.
 * Where none takes pods now, all that match remain: what they run is the same, and the wait tells the rest.
 */
export function selectBuilderNodes<Node extends RuntimeNode>(
  nodes: readonly Node[],
  {nodeSelector, tolerations}: Placement = ANYWHERE,
): readonly Node[] {
  const matching = nodes.filter(({labels = {}}) => {
    const linux = (labels['kubernetes.io/os'] ?? 'linux') === 'linux';
    return linux && Object.entries(nodeSelector).every(([key, value]) => labels[key] === value);
  });
  const open = matching.filter((node) => takesBuilder(node, tolerations));
  return open.length > 0 ? open : matching;
}

/**
 * The runtime that the kubelets run on. Never guessed: the plugin takes Docker wherever a node has its socket, and
 * images then end where no kubelet looks.
 */
export function chooseRuntime(
  nodes: readonly RuntimeNode[],
  placement: Placement = ANYWHERE,
): ContainerRuntime {
  const eligible = selectBuilderNodes(nodes, placement);
  const byRuntime = new Map<string, RuntimeNode[]>();
  for (const node of eligible) {
    const runtime = readRuntimeName(node.containerRuntimeVersion);
    byRuntime.set(runtime, [...(byRuntime.get(runtime) ?? []), node]);
  }
  const found = [...byRuntime.keys()];
  const [only] = found;
  if (found.length === 1 && (only === 'containerd' || only === 'docker')) return only;
  const detail = [...byRuntime].map(([runtime, those]) => `${runtime}: ${listNodes(those)}`);

  if (only === undefined) {
    const wanted = Object.entries(placement.nodeSelector).map(([key, value]) => `${key}=${value}`);
    throw runtimeFault(
      wanted.length > 0
        ? `None of the ${nodes.length} nodes runs Linux and has the labels ${wanted.join(', ')}.`
        : 'The cluster has no Linux node to put a builder on.',
      nodes.map(({name}) => name),
      [wanted.length > 0 ? 'Correct the node selector.' : 'Add a node, or name another context.'],
    );
  }
  const usable = [...byRuntime].find(([runtime]) => runtime === 'containerd' || runtime === 'docker');
  if (usable !== undefined) {
    const [runtime, [node]] = usable;
    throw runtimeFault('The nodes run different container runtimes, and a builder works with one.', detail, [
      `Narrow the builder to nodes of one runtime with a node selector; for ${runtime}, for example, kubernetes.io/hostname=${node?.labels?.['kubernetes.io/hostname'] ?? node?.name}.`,
    ]);
  }
  throw runtimeFault(
    `The nodes run ${found.join(' and ')}; kubectl build puts images into containerd and Docker only.`,
    detail,
    [
      'A rootless builder works on any runtime, but can do nothing with an image except push it to a registry.',
    ],
  );
}

/** `docker://28.0.1` is docker; what has no such form is shown as it is, and is nothing that we know. */
function readRuntimeName(version: string): string {
  const name = /^([a-z][-a-z0-9.]*):\/\//.exec(version)?.[1];
  return name ?? (version === '' ? 'no runtime that is known' : JSON.stringify(version));
}

function listNodes(nodes: readonly RuntimeNode[]): string {
  const shown = nodes.slice(0, 5).map(({name}) => name);
  return nodes.length > shown.length
    ? `${shown.join(', ')} and ${nodes.length - shown.length} more`
    : shown.join(', ');
}

function runtimeFault(message: string, detail: readonly string[], remedy: readonly Advice[]): TiltbuildError {
  return new TiltbuildError('builder-runtime', message, {detail, remedy});
}

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
}

const STANDARD: ContainerdPaths = {
  socket: '/run/containerd/containerd.sock',
  root: '/var/lib/containerd',
  state: '/run/containerd',
};

/** The socket that BuildKit and the plugin assume. */
export const STANDARD_SOCKET = STANDARD.socket;

const K3S: ContainerdPaths = {
  socket: '/run/k3s/containerd/containerd.sock',
  root: '/var/lib/rancher/k3s/agent/containerd',
  state: '/run/k3s/containerd',
};

/** From the arguments that each starts its containerd with, for its default data directory. */
const BY_DISTRIBUTION: Readonly<Record<Distribution, ContainerdPaths>> = {
  k3s: K3S,
  rke2: {...K3S, root: '/var/lib/rancher/rke2/agent/containerd'},
  k0s: {socket: '/run/k0s/containerd.sock', root: '/var/lib/k0s/containerd', state: '/run/k0s/containerd'},
};

const MICROK8S: ContainerdPaths = {
  socket: '/var/snap/microk8s/common/run/containerd.sock',
  root: '/var/snap/microk8s/common/var/lib/containerd',
  state: '/var/snap/microk8s/common/run/containerd',
};

/** What is known beyond the product. */
export interface PathHints {
  readonly distribution?: Distribution;
  readonly overrides?: ContainerdOverrides;
}

/** Where containerd is on the nodes of a product; what is overridden is checked, and wins. */
export function containerdPaths(
  product: Product,
  {distribution, overrides = {}}: PathHints = {},
): ContainerdPaths {
  const known = knownPaths(product, distribution);
  return {
    socket: overrides.socket === undefined ? known.socket : checkSocket(overrides.socket),
    root: overrides.root === undefined ? known.root : checkDirectory(overrides.root, overrides.root),
    state: overrides.state === undefined ? known.state : checkDirectory(overrides.state, overrides.state),
  };
}

function knownPaths(product: Product, distribution: Distribution | undefined): ContainerdPaths {
  switch (product) {
    case 'microk8s':
      return MICROK8S;
    // Its containerd is set up as that of k3s, though k3s does not start it.
    case 'rancher-desktop':
      return K3S;
    // Its kubelet is k3s, but k3s is told to use the virtual machine's own containerd.
    case 'colima':
      return STANDARD;
    case 'k3s':
    case 'k3d':
      return BY_DISTRIBUTION[distribution ?? 'k3s'];
    default:
      return distribution === undefined ? STANDARD : BY_DISTRIBUTION[distribution];
  }
}

/** Directories that the builder's own image needs: the node's must not take their place. */
const SYSTEM_DIRECTORIES: ReadonlySet<string> = new Set(
  '/ /bin /boot /dev /etc /home /lib /lib64 /media /mnt /opt /proc /root /run /sbin /srv /sys /tmp /usr /usr/bin /usr/lib /usr/sbin /var /var/lib /var/lib/buildkit /var/log /run/buildkit'.split(
    ' ',
  ),
);

/** The socket's whole directory is mounted, never the socket alone, so that too has to be its own. */
function checkSocket(path: string): string {
  const socket = resolveRunAlias(path);
  checkDirectory(parentDirectory(socket), path);
  return socket;
}

function checkDirectory(directory: string, given: string): string {
  const resolved = resolveRunAlias(directory);
  if (!/^(\/(?!\.{1,2}(\/|$))[^/\p{Cc}:]+)+$/u.test(given)) {
    throw new TiltbuildError('usage', `${JSON.stringify(given)} is not an absolute path on a node.`, {
      remedy: ['Write it from "/" on, without "." or "..", ":" or a "/" at the end.'],
    });
  }
  if (SYSTEM_DIRECTORIES.has(resolved)) {
    throw new TiltbuildError(
      'usage',
      `${JSON.stringify(given)} would put the node's ${resolved} in the place of the builder's own.`,
      {remedy: ['containerd needs a directory of its own, such as /run/containerd.']},
    );
  }
  return resolved;
}
