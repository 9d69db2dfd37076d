/** Owns which of a builder's pods a build runs on: that whose node has its cache, and in what order the others follow. */
import {createHash} from 'node:crypto';
import type {NodeRuntime} from './node-runtimes.ts';
import {type BuilderPod, isStaying} from './pods.ts';

/**
 * Every key has an order of the nodes of its own (rendezvous hashing): each node is the first of an equal share of the
 * keys, and a node that goes moves no key but those of which it was the first.
 */
export function rankNodes(nodes: readonly string[], key: string): readonly string[] {
  return nodes
    .map((node) => ({node, weight: createHash('sha256').update(`${key}\0${node}`).digest('hex')}))
    .sort((one, other) => (one.weight < other.weight ? -1 : 1))
    .map(({node}) => node);
}

/**
 * The running pods, the one to build on first. A pod that is ready goes before one that is not or is about to stop, and
 * a node of the architecture before any other. `key` is the same for builds that share a cache.
 */
export function rankPods(
  pods: readonly BuilderPod[],
  key: string,
  isNative: (node: string) => boolean = () => true,
): readonly BuilderPod[] {
  const running = pods.filter(({phase}) => phase === 'Running');
  const order = rankNodes([...new Set(running.map(placeOf))], key);
  const rank = (pod: BuilderPod): readonly number[] => [
    isStaying(pod) ? (pod.ready ? 0 : 1) : 2,
    isNative(placeOf(pod)) ? 0 : 1,
    order.indexOf(placeOf(pod)),
  ];
  return running.toSorted((one, other) => compare(rank(one), rank(other)));
}

/**
 * Those to connect to at all, since a node that is not ready may not answer for minutes. One of which only the node says
 * so counts if there is no other.
 */
export function findReachable(
  pods: readonly BuilderPod[],
  nodes: readonly Pick<NodeRuntime, 'name' | 'ready'>[] = [],
): readonly BuilderPod[] {
  const unready = nodes.filter(({ready}) => !ready).map(({name}) => name);
  const reporting = pods.filter(({nodeSilent}) => !nodeSilent);
  const ready = reporting.filter(({node = ''}) => !unready.includes(node));
  return ready.length > 0 ? ready : reporting;
}

/** The cache is on the node, and a new pod there finds it. */
function placeOf({node, name}: BuilderPod): string {
  return node ?? name;
}

function compare(one: readonly number[], other: readonly number[]): number {
  const at = one.findIndex((value, index) => value !== other[index]);
  return at < 0 ? 0 : (one[at] ?? 0) - (other[at] ?? 0);
}

/**
 * The architecture that an image is for: that of the one platform it is built for, else that of most nodes, so it does
 * not change with the pod. Undefined where no nodes are known.
 */
export function findArchitecture(
  platforms: readonly string[],
  nodes: readonly Pick<NodeRuntime, 'architecture'>[],
): string | undefined {
  const [platform, ...others] = platforms.flatMap((list) => list.split(','));
  const asked = others.length === 0 ? platform?.split('/')[1] : undefined;
  if (asked !== undefined) return asked;
  const counts = Map.groupBy(nodes, ({architecture}) => architecture);
  const [most] = [...counts].toSorted(
    ([one, {length: a}], [other, {length: b}]) => b - a || (one < other ? -1 : 1),
  );
  return most?.[0];
}
