/** Owns how many nodes run pods of a builder's namespace, which matters where there are too many for a pod on each. */
import {namespacePodsPath} from '../../cluster/api/paths.ts';
import type {Cluster} from '../../cluster/ports.ts';
import type {Product} from '../../cluster/product.ts';
import {chooseReplicas, isCrowded} from '../manifest/count-replicas.ts';
import {selectBuilderNodes} from '../manifest/nodes.ts';
import type {NodeRuntime} from '../model/node-runtimes.ts';
import {hasEnded, readPods} from '../model/pods.ts';
import type {BuilderSettings} from '../model/settings.ts';

/** Undefined where it does not matter, or is not known. */
export async function countBusyNodes(
  settings: BuilderSettings,
  product: Product,
  nodes: readonly NodeRuntime[],
  cluster: Cluster,
): Promise<number | undefined> {
  const usable = selectBuilderNodes(nodes, settings).map(({name}) => name);
  if (chooseReplicas(settings, product) !== 'nodes' || !isCrowded(usable.length)) return undefined;
  const answer = await cluster.get(`${namespacePodsPath(settings.namespace)}?limit=500`);
  if (answer.kind !== 'found') return undefined;
  const busy = new Set(readPods(answer.value).flatMap((pod) => (hasEnded(pod) ? [] : (pod.node ?? []))));
  return usable.filter((name) => busy.has(name)).length;
}
