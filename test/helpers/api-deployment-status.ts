/** Owns what a Deployment and its ReplicaSet say of themselves, from their pods. */
import {isDeepStrictEqual} from 'node:util';
import {findObject, now, putObject} from './api-objects.ts';
import {isReady, ownerOf} from './api-pods.ts';
import type {ApiObject} from './api-samples.ts';
import type {ApiState, BuilderOutcome} from './api-state.ts';
import {isStuck, stuckStatus} from './api-stuck.ts';

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly lastTransitionTime: string;
}

export function writeDeploymentStatus(
  state: ApiState,
  namespace: string,
  name: string,
  {
    replicaSet,
    pods,
    outcome,
  }: {replicaSet: ApiObject; pods: readonly ApiObject[]; outcome: BuilderOutcome | undefined},
): void {
  const deployment = findObject('deployments', state, namespace, name);
  if (deployment === undefined) return;
  const fresh = pods.filter((pod) => ownerOf(pod)?.name === replicaSet.metadata.name);
  for (const set of state.replicaSets) {
    if (ownerOf(set)?.name !== name || set.metadata.namespace !== namespace) continue;
    const own = pods.filter((pod) => ownerOf(pod)?.name === set.metadata.name);
    const readyReplicas = own.filter(isReady).length;
    const observedGeneration = set.metadata.generation ?? 1;
    const status = {
      replicas: own.length,
      readyReplicas,
      availableReplicas: readyReplicas,
      observedGeneration,
    };
    putIfChanged(state, 'replicasets', set, status);
  }
  const {replicas} = deployment.spec as {replicas: number};
  const ready = pods.filter(isReady).length;
  const complete = fresh.filter(isReady).length >= replicas && pods.length === fresh.length;
  const old = (deployment.status as {conditions?: readonly Condition[]} | undefined)?.conditions ?? [];
  const condition = (type: string, status: string, reason: string, message: string) => {
    const before = old.find((other) => other.type === type && other.status === status);
    const since = before?.lastTransitionTime ?? now();
    return {type, status, lastUpdateTime: since, lastTransitionTime: since, reason, message};
  };
  const setName = replicaSet.metadata.name;
  const normal = () => ({
    observedGeneration: deployment.metadata.generation ?? 1,
    ...(pods.length > 0 && {replicas: pods.length}),
    ...(fresh.length > 0 && {updatedReplicas: fresh.length}),
    ...(ready > 0 && {readyReplicas: ready, availableReplicas: ready}),
    ...(ready < replicas && {unavailableReplicas: replicas - ready}),
    terminatingReplicas: 0,
    conditions: [
      ready >= replicas
        ? condition('Available', 'True', 'MinimumReplicasAvailable', 'Deployment has minimum availability.')
        : condition(
            'Available',
            'False',
            'MinimumReplicasUnavailable',
            'Deployment does not have minimum availability.',
          ),
      complete
        ? condition(
            'Progressing',
            'True',
            'NewReplicaSetAvailable',
            `ReplicaSet "${setName}" has successfully progressed.`,
          )
        : condition('Progressing', 'True', 'ReplicaSetUpdated', `ReplicaSet "${setName}" is progressing.`),
    ],
  });
  const stuck = outcome !== undefined && isStuck(outcome) && ready < replicas;
  const revision = replicaSet.metadata.annotations?.['deployment.kubernetes.io/revision'] ?? '1';
  const annotations = {...deployment.metadata.annotations, 'deployment.kubernetes.io/revision': revision};
  putIfChanged(
    state,
    'deployments',
    {...deployment, metadata: {...deployment.metadata, annotations}},
    stuck ? stuckStatus(outcome, deployment, replicaSet) : normal(),
  );
}

function putIfChanged(
  state: ApiState,
  plural: 'deployments' | 'replicasets',
  object: ApiObject,
  status: object,
): void {
  const next = {...object, status};
  const live = findObject(plural, state, object.metadata.namespace, object.metadata.name);
  if (!isDeepStrictEqual(live, next)) putObject(plural, state, next);
}
