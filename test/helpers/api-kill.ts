/** Owns how a running pod meets its end, with the events that a real cluster tells of it. */
import {recordEvent} from './api-events.ts';
import {findObject, now, putObject, removeObject} from './api-objects.ts';
import {evictedPod, lostPod, oomKilledPod, withDisruption} from './api-pod-ends.ts';
import {readyPod, terminatingPod} from './api-pods.ts';
import type {ApiObject} from './api-samples.ts';
import type {ApiState, Cluster} from './api-state.ts';

export type Death = 'deleted' | 'evicted' | 'oom' | 'node-gone';

export function killPod(
  {state, controller}: Cluster,
  later: (ms: number, action: () => void) => void,
  name: string,
  how: Death,
): void {
  const pod = state.pods.find(({metadata}) => metadata.name === name);
  if (pod === undefined) throw new Error(`There is no pod "${name}" to kill.`);
  const {namespace = 'default'} = pod.metadata;
  const tell = (type: 'Normal' | 'Warning', reason: string, message: string) =>
    recordEvent(state, pod, {type, reason, message});
  switch (how) {
    case 'deleted':
      controller.terminatePod(namespace, name);
      return;
    case 'evicted': {
      const message =
        'The node was low on resource: ephemeral-storage. Threshold quantity: 26784764233, available: 25801204Ki. ' +
        'Container buildkitd was using 8123456Ki, request is 0, has larger consumption of ephemeral-storage. ';
      tell('Warning', 'Evicted', message);
      tell('Normal', 'Killing', 'Stopping container buildkitd');
      putObject('pods', state, evictedPod(pod, message));
      break;
    }
    case 'oom':
      // The kubelet tells nothing of the killing itself: only that it starts the container again.
      putObject('pods', state, oomKilledPod(pod));
      later(state.builder.startMs, () => {
        const current = findObject('pods', state, namespace, name);
        if (current === undefined) return;
        putObject('pods', state, readyPod(current));
        tell('Normal', 'Created', 'Container created');
        tell('Normal', 'Started', 'Container started');
        reconcile();
      });
      break;
    case 'node-gone': {
      loseNode(state, pod);
      tell('Warning', 'NodeNotReady', 'Node is not ready');
      putObject('pods', state, lostPod(pod));
      later(state.builder.terminateMs, () => {
        const current = findObject('pods', state, namespace, name);
        if (current === undefined) return;
        tell('Normal', 'TaintManagerEviction', `Marking for deletion Pod ${namespace}/${name}`);
        const disrupted = withDisruption(
          current,
          'DeletionByTaintManager',
          'Taint manager: deleting due to NoExecute taint',
        );
        putObject('pods', state, terminatingPod(disrupted, 30_000));
        reconcile();
        // The node is taken off the cluster, and then who collects its pods takes this one.
        later(state.builder.terminateMs, () => {
          const node = findObject('nodes', state, undefined, nodeNameOf(pod));
          if (node !== undefined) removeObject('nodes', state, node);
          removeObject('pods', state, pod);
          reconcile();
        });
      });
      break;
    }
  }
  reconcile();

  function reconcile(): void {
    if (pod !== undefined) controller.reconcileOwner(pod);
  }
}

function nodeNameOf(pod: ApiObject): string {
  return (pod.spec as {nodeName?: string}).nodeName ?? '';
}

function loseNode(state: ApiState, pod: ApiObject): void {
  const node = findObject('nodes', state, undefined, nodeNameOf(pod));
  if (node === undefined) return;
  const status = node.status as {conditions: {type: string}[]};
  const conditions = status.conditions.map((condition) => ({
    ...condition,
    status: 'Unknown',
    lastTransitionTime: now(),
    reason: 'NodeStatusUnknown',
    message: 'Kubelet stopped posting node status.',
  }));
  const taints = ['NoSchedule', 'NoExecute'].map((effect) => ({
    key: 'node.kubernetes.io/unreachable',
    effect,
    timeAdded: now(),
  }));
  const spec = {...(node.spec as object), taints};
  putObject('nodes', state, {...node, spec, status: {...status, conditions}});
}
