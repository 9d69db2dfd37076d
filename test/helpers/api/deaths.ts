/** Owns how a running pod meets its end, with the events that a real cluster tells of it. */
import {changePod, tellOf} from './pods.ts';
import {endPod, replacePod} from './rollout.ts';
import {type Cluster, now, putObject} from './state.ts';

export type Death = 'deleted' | 'evicted' | 'oom' | 'node-gone';

const LOW =
  'The node was low on resource: ephemeral-storage. Threshold quantity: 26784764233, available: 25801204Ki. ';

export function killPod(cluster: Cluster, name: string, how: Death): void {
  const {state, later} = cluster;
  const pod = state.pods.find(({metadata}) => metadata.name === name);
  if (pod === undefined) throw new Error(`There is no pod "${name}" to kill.`);
  const change = (changes: Parameters<typeof changePod>[1]) =>
    putObject(state, 'pods', changePod(pod, changes));
  const end = (reason: string) => ({
    terminated: {exitCode: 137, reason, startedAt: now(), finishedAt: now()},
  });
  const unready = {Ready: {status: 'False'}, ContainersReady: {status: 'False'}};
  switch (how) {
    case 'deleted':
      replacePod(cluster, pod);
      endPod(cluster, pod);
      return;
    case 'evicted': {
      const disrupted = {DisruptionTarget: {status: 'True', reason: 'TerminationByKubelet', message: LOW}};
      tellOf(state, pod, ['Warning', 'Evicted', LOW]);
      change({
        conditions: {...unready, ...disrupted},
        container: {state: end('Error'), ready: false},
        status: {phase: 'Failed', reason: 'Evicted', message: LOW},
      });
      replacePod(cluster, pod);
      return;
    }
    case 'oom':
      // The kubelet tells nothing of the killing itself: only that it starts the container again.
      change({conditions: unready, container: {state: end('OOMKilled'), ready: false}});
      later(state.builder.startMs, () => {
        change({container: {lastState: end('OOMKilled'), restartCount: 1}});
        tellOf(state, pod, ['Normal', 'Started', 'Container started']);
      });
      return;
    case 'node-gone': {
      // Its kubelet is silent: nobody knows whether the container runs.
      const lost = change({conditions: {Ready: {status: 'False'}}});
      tellOf(state, pod, ['Warning', 'NodeNotReady', 'Node is not ready']);
      later(state.builder.terminateMs, () => {
        tellOf(state, pod, ['Normal', 'TaintManagerEviction', `Marking for deletion Pod default/${name}`]);
        replacePod(cluster, pod);
        endPod(cluster, lost);
      });
    }
  }
}
