/** Owns which nodes have a pod of a builder that is ready, and why the others have none. */
import {isCrowded, MOST_PODS} from '../manifest/count-replicas.ts';
import {type LeftOutNode, listLeftOut, selectBuilderNodes} from '../manifest/nodes.ts';
import {readPlacement} from '../model/kept-settings.ts';
import type {NodeRuntime} from '../model/node-runtimes.ts';
import type {BuilderDeployment} from '../model/objects.ts';
import type {BuilderPod} from '../model/pods.ts';
import {followsNodes} from './follow-nodes.ts';

export interface NodeCover {
  /** Names of the nodes with a pod that is ready. */
  readonly ready: readonly string[];
  /** Those that could have one, and have none that is ready. */
  readonly waiting: readonly LeftOutNode[];
  /** Those that take none. */
  readonly leftOut: readonly LeftOutNode[];
}

export const UNREADY = 'has a pod that is not ready';

export function coverNodes(
  deployment: BuilderDeployment,
  nodes: readonly NodeRuntime[],
  pods: readonly BuilderPod[],
): NodeCover {
  const placement = readPlacement(deployment.settings);
  const usable = selectBuilderNodes(nodes, placement).map(({name}) => name);
  const namesOf = (of: readonly BuilderPod[]) => [...new Set(of.flatMap(({node}) => node ?? []))].toSorted();
  const ready = namesOf(pods.filter((pod) => pod.ready && !pod.deleting));
  const withPod = namesOf(pods);
  const none = whyNone(deployment, usable.length);
  const isWithout = (name: string) => !ready.includes(name);
  return {
    ready,
    waiting: [...new Set([...withPod, ...usable])].filter(isWithout).map((name) => ({
      name,
      why: withPod.includes(name) ? UNREADY : none,
    })),
    leftOut: listLeftOut(nodes, placement).filter(({name}) => isWithout(name) && !withPod.includes(name)),
  };
}

function whyNone(deployment: BuilderDeployment, nodeCount: number): string {
  const {replicas} = deployment;
  if (!followsNodes(deployment)) return `has none of its ${replicas === 1 ? '1 pod' : `${replicas} pods`}`;
  return isCrowded(nodeCount)
    ? `gets no pod, because there are more than ${MOST_PODS} nodes`
    : 'gets a pod at the next build';
}

/** `a, c; not b (has a pod that is not ready)` */
export function describeCover({ready, waiting, leftOut}: NodeCover): string {
  const without = [...waiting, ...leftOut].map(({name, why}) => `${name} (${why})`);
  const shown = without.length > MOST_SHOWN ? [...without.slice(0, MOST_SHOWN), '…'] : without;
  return [ready.join(', ') || 'none', ...(shown.length > 0 ? [`not ${shown.join(', ')}`] : [])].join('; ');
}

const MOST_SHOWN = 10;
