/** Owns the ReplicaSets that stand between a Deployment and its pods, one for each template it has had. */
import {createHash, randomUUID} from 'node:crypto';
import {isDeepStrictEqual} from 'node:util';
import {recordEvent} from './api-events.ts';
import {now, putObject} from './api-objects.ts';
import {ownerOf, type PodTemplate} from './api-pods.ts';
import type {ApiObject} from './api-samples.ts';
import type {ApiState} from './api-state.ts';

export interface DeploymentSpec {
  readonly replicas: number;
  readonly selector: object;
  readonly strategy: {readonly type: string};
  readonly template: PodTemplate;
}

export function replicaSetsOf(state: ApiState, {metadata: {name, namespace}}: ApiObject): ApiObject[] {
  return state.replicaSets.filter(
    (set) => ownerOf(set)?.name === name && set.metadata.namespace === namespace,
  );
}

/** The one of its template as it now is, made if there is none. */
export function ensureReplicaSet(state: ApiState, deployment: ApiObject): ApiObject {
  const spec = deployment.spec as DeploymentSpec;
  const mine = replicaSetsOf(state, deployment);
  const templateOf = (set: ApiObject) => {
    const {template} = set.spec as DeploymentSpec;
    const {'pod-template-hash': _, ...labels} = template.metadata?.labels ?? {};
    return {...template, metadata: {...template.metadata, labels}};
  };
  const wanted = {
    ...spec.template,
    metadata: {...spec.template.metadata, labels: spec.template.metadata?.labels ?? {}},
  };
  const found = mine.find((set) => isDeepStrictEqual(templateOf(set), wanted));
  if (found !== undefined) return found;
  const hash = createHash('sha256').update(JSON.stringify(spec.template)).digest('hex').slice(0, 10);
  const set = makeReplicaSet(deployment, hash, mine.length + 1);
  putObject('replicasets', state, set);
  const message = `Scaled up replica set ${set.metadata.name} from 0 to ${spec.replicas}`;
  recordEvent(state, deployment, {type: 'Normal', reason: 'ScalingReplicaSet', message});
  return set;
}

/** As the controller makes it for the Deployment's template, with no pod yet. */
export function makeReplicaSet(deployment: ApiObject, hash: string, revision: number): ApiObject {
  const spec = deployment.spec as DeploymentSpec;
  const {name, namespace = 'default', uid} = deployment.metadata;
  const labels = {...spec.template.metadata?.labels, 'pod-template-hash': hash};
  const owner = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    name,
    uid,
    controller: true,
    blockOwnerDeletion: true,
  };
  return {
    kind: 'ReplicaSet',
    apiVersion: 'apps/v1',
    metadata: {
      name: `${name}-${hash}`,
      namespace,
      uid: randomUUID(),
      generation: 1,
      creationTimestamp: now(),
      labels,
      annotations: {'deployment.kubernetes.io/revision': String(revision)},
      ownerReferences: [owner],
    },
    spec: {
      replicas: spec.replicas,
      selector: {matchLabels: labels},
      template: {...spec.template, metadata: {...spec.template.metadata, labels}},
    },
    status: {replicas: 0},
  };
}
