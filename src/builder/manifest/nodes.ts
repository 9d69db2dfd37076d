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
  const open = matching.filter((node) => findTaint(node, tolerations) === undefined);
  return open.length > 0 ? open : matching;
}

const CORDON = {key: 'node.kubernetes.io/unschedulable', value: '', effect: 'NoSchedule'};

/** The first taint that keeps the builder off the node. A cordoned node gets its taint a little later than the field. */
function findTaint({unschedulable, taints}: NodeRuntime, tolerations: readonly Toleration[]) {
  return [...(unschedulable ? [CORDON] : []), ...taints].find(
    (taint) =>
      taint.effect !== 'PreferNoSchedule' &&
      !tolerations.some(
        ({key, operator, value, effect}) =>
          effect === taint.effect &&
          (key === undefined || key === taint.key) &&
          (operator === 'Exists' || value === taint.value),
      ),
  );
}

export interface LeftOutNode {
  readonly name: string;
  /** A clause of which the node is the subject. */
  readonly why: string;
}

/** The nodes that take no pod of the builder. */
export function listLeftOut(
  nodes: readonly NodeRuntime[],
  placement: Placement = ANYWHERE,
): readonly LeftOutNode[] {
  const usable = selectBuilderNodes(nodes, placement);
  return nodes
    .filter((node) => !usable.includes(node))
    .map((node) => ({name: node.name, why: whyLeftOut(node, placement)}));
}

function whyLeftOut(node: NodeRuntime, {nodeSelector, tolerations}: Placement): string {
  const {labels} = node;
  const os = labels['kubernetes.io/os'] ?? 'linux';
  if (os !== 'linux') return `runs ${os}`;
  const missing = Object.entries(nodeSelector).find(([key, value]) => labels[key] !== value);
  if (missing !== undefined) return `does not have the label ${missing.join('=')}`;
  const taint = findTaint(node, tolerations);
  if (taint === undefined) return 'takes no builder';
  const {key, value, effect} = taint;
  return key === CORDON.key ? 'is cordoned' : `has the taint ${key}${value && `=${value}`}:${effect}`;
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
      ? `No node runs Linux and has the labels ${wanted.join(', ')}.`
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
