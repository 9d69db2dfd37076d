/** Owns waiting for the other pods of a builder that is ready in one: for a short time, and without failing. */
import type {Cluster} from '../../cluster/ports.ts';
import type {Ports} from '../../ports.ts';
import type {BuilderDeployment} from '../model/objects.ts';
import type {BuilderPod} from '../model/pods.ts';
import type {BuilderRequest} from '../model/request.ts';
import {describeWaiting, findCurrentPods, findTrouble} from '../verdict/find-trouble.ts';
import {findRefusal} from '../verdict/refusal.ts';
import type {TroubleInput} from '../verdict/trouble.ts';
import {listEvents, listPods} from './inspect-builder.ts';

/** How long a build waits for them, in milliseconds: it needs one pod only. */
const PATIENCE = 10_000;

/** Notes which nodes have a pod, and what keeps the others from it. */
export async function waitForOthers(
  {fixedNodes, product}: Pick<BuilderRequest, 'fixedNodes' | 'product'>,
  deployment: BuilderDeployment,
  cluster: Cluster,
  {notes, now, sleep}: Pick<Ports, 'notes' | 'now' | 'sleep'>,
  patience = PATIENCE,
): Promise<void> {
  const {name, namespace, replicas} = deployment;
  if (replicas < 2) return;
  const latest = now() + patience;
  for (;;) {
    const pods = await listPods(deployment, cluster);
    if (pods === undefined) return;
    const input = {deployment, pods, events: [], fixedNodes, product};
    const current = findCurrentPods(input);
    const waiting = current.filter(({ready}) => !ready);
    const isComplete = waiting.length === 0 && current.length >= replicas;
    const isHopeless =
      current.length >= replicas && waiting.every((pod) => pod.nodeSilent || explain(pod, input)?.final);
    if (isComplete || isHopeless || now() >= latest) {
      const ready = current.flatMap(({ready: isReady, node}) => (isReady && node ? [node] : []));
      notes.note(`builder "${name}" has a pod on ${describeNodes(ready)}.`);
      if (isComplete) return;
      const events = await listEvents(namespace, cluster);
      for (const pod of waiting) {
        const place = pod.node === undefined ? 'a node that has none' : `node "${pod.node}"`;
        const why =
          explain(pod, {...input, events})?.message ?? describeWaiting({...input, pods: [pod], events});
        notes.note(`builder "${name}" is not ready on ${place}, and builds go on without it: ${why}`);
      }
      const refusal = current.length < replicas ? findRefusal({...input, events}) : undefined;
      if (refusal !== undefined) {
        const count = `${current.length} of its ${replicas} pods`;
        notes.note(`builder "${name}" has ${count}, and builds go on without the others: ${refusal.message}`);
      }
      return;
    }
    await sleep(Math.min(cluster.pause, latest - now()), 'builder');
  }
}

function explain(pod: BuilderPod, input: TroubleInput) {
  return findTrouble({...input, pods: [pod]});
}

function describeNodes(nodes: readonly string[]): string {
  return nodes.length === 1 ? `node ${nodes[0]}` : `${nodes.length} nodes (${nodes.toSorted().join(', ')})`;
}
