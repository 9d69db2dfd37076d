/** Owns which nodes a builder can run on, and the container runtime that they have in common. */
import {TiltbuildError} from '../../errors.ts';
import type {Advice} from '../../text/advice.ts';
import type {NodeRuntime} from '../model/node-runtimes.ts';
import type {Placement, Toleration} from '../model/settings.ts';

export type ContainerRuntime = 'containerd' | 'docker';

const ANYWHERE: Placement = {nodeSelector: {}, tolerations: []};

/**
 * The nodes that take the builder's pods. A node without the label for its operating system counts as Linux. If none
 * takes pods now, the result is all that match: they run the same, and waiting for the builder shows the rest.
 */
export function selectBuilderNodes(
  nodes: readonly NodeRuntime[],
  {nodeSelector, tolerations}: Placement = ANYWHERE,
): readonly NodeRuntime[] {
  const matching = nodes.filter(
    ({labels}) =>
      (labels['kubernetes.io/os'] ?? 'linux') === 'linux' &&
      Object.entries(nodeSelector).every(([key, value]) => labels[key] === value),
  );
  const open = matching.filter((node) => takesBuilder(node, tolerations));
  return open.length > 0 ? open : matching;
}

/** Whether the scheduler would put a builder with these tolerations on the node. */
function takesBuilder({unschedulable, taints}: NodeRuntime, tolerations: readonly Toleration[]): boolean {
  // A cordoned node gets this taint too, only a little later than the field.
  const cordon = {key: 'node.kubernetes.io/unschedulable', value: '', effect: 'NoSchedule'};
  return [...taints, ...(unschedulable ? [cordon] : [])].every(
    (taint) =>
      taint.effect === 'PreferNoSchedule' ||
      tolerations.some(
        ({key, operator, value, effect}) =>
          effect === taint.effect &&
          (key === undefined || key === taint.key) &&
          (operator === 'Exists' || value === taint.value),
      ),
  );
}

/**
 * The runtime of the kubelets. It is never a guess: the plugin takes Docker wherever a node has Docker's socket, and
 * images then end up where no kubelet looks.
 */
export function chooseRuntime(
  nodes: readonly NodeRuntime[],
  placement: Placement = ANYWHERE,
): ContainerRuntime {
  const byRuntime = Map.groupBy(selectBuilderNodes(nodes, placement), ({containerRuntimeVersion}) =>
    readRuntimeName(containerRuntimeVersion),
  );
  const found = [...byRuntime.keys()];
  if (found.length === 0) throw noNode(nodes, placement);
  const usable = found.find((runtime) => runtime === 'containerd' || runtime === 'docker');
  if (usable !== undefined && found.length === 1) return usable;

  const detail = [...byRuntime].map(([runtime, those]) => `${runtime}: ${listNodes(those)}`);
  if (usable === undefined) {
    throw runtimeFault(
      `The nodes run ${found.join(' and ')}; kubectl build puts images into containerd and Docker only.`,
      detail,
      ['A rootless builder works on any runtime, but it can only push images to a registry.'],
    );
  }
  const [node] = byRuntime.get(usable) ?? [];
  const host = node?.labels['kubernetes.io/hostname'] ?? node?.name;
  throw runtimeFault('The nodes run different container runtimes, and a builder works with one.', detail, [
    `Restrict the builder to nodes of one runtime with a node selector; for ${usable}, for example, kubernetes.io/hostname=${host}.`,
  ]);
}

/** `docker://28.0.1` is docker; what does not have this form is no runtime that we know. */
function readRuntimeName(version: string): string {
  const name = /^([a-z][-a-z0-9.]*):\/\//.exec(version)?.[1];
  return name ?? (version === '' ? 'an unknown runtime' : JSON.stringify(version));
}

function noNode(nodes: readonly NodeRuntime[], {nodeSelector}: Placement): TiltbuildError {
  const wanted = Object.entries(nodeSelector).map(([key, value]) => `${key}=${value}`);
  return runtimeFault(
    wanted.length > 0
      ? `None of the ${nodes.length} nodes runs Linux and has the labels ${wanted.join(', ')}.`
      : 'The cluster has no Linux node to run a builder on.',
    nodes.map(({name}) => name),
    [wanted.length > 0 ? 'Correct the node selector.' : 'Add a node, or use another context.'],
  );
}

function listNodes(nodes: readonly NodeRuntime[]): string {
  const shown = nodes.slice(0, 5).map(({name}) => name);
  const more = nodes.length - shown.length;
  return more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(', ');
}

function runtimeFault(message: string, detail: readonly string[], remedy: readonly Advice[]): TiltbuildError {
  return new TiltbuildError('builder-runtime', message, {detail, remedy});
}
