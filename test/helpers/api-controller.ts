/** Owns the stand-in cluster's controllers: ReplicaSets, pods and status, as a Deployment asks for them. */
import {writeDeploymentStatus} from './api-deployment-status.ts';
import {recordEvent} from './api-events.ts';
import {findObject, now, putObject, removeObject, withMetadata} from './api-objects.ts';
import {isReady, isTerminating, ownerOf, pendingPod, phaseOf, readyPod, terminatingPod} from './api-pods.ts';
import {type DeploymentSpec, ensureReplicaSet, replicaSetsOf} from './api-replica-sets.ts';
import type {ApiObject} from './api-samples.ts';
import type {ApiState, BuilderOutcome} from './api-state.ts';
import {becomeStuck, hasNoPod, isStuck} from './api-stuck.ts';

export class DeploymentController {
  readonly #state: ApiState;
  readonly #later: (ms: number, action: () => void) => void;
  /** What has already happened to a pod, or to a ReplicaSet without one. */
  readonly #outcomes = new Map<string, BuilderOutcome>();

  /** ReplicaSets that are not let have a pod. */
  readonly #podless = new Set<string>();

  constructor(state: ApiState, later: (ms: number, action: () => void) => void) {
    this.#state = state;
    this.#later = later;
  }

  reconcile(namespace: string, name: string): void {
    const state = this.#state;
    const deployment = findObject('deployments', state, namespace, name);
    if (deployment === undefined) return;
    const spec = deployment.spec as DeploymentSpec;
    const replicaSet = ensureReplicaSet(state, deployment);
    const pods = this.#podsOf(deployment);
    const isNew = (pod: ApiObject) => ownerOf(pod)?.name === replicaSet.metadata.name;
    const isLive = (pod: ApiObject) => !isTerminating(pod) && phaseOf(pod) !== 'Failed';
    const live = pods.filter((pod) => isNew(pod) && isLive(pod));
    const old = pods.filter((pod) => !isNew(pod) && phaseOf(pod) !== 'Failed');
    const recreate = spec.strategy.type === 'Recreate';
    const wait = recreate && old.length > 0;
    if (recreate || (live.length >= spec.replicas && live.every(isReady))) {
      this.#scaleDown(deployment, old);
    }
    for (const pod of live.slice(spec.replicas)) this.terminatePod(namespace, pod.metadata.name);
    if (!wait && hasNoPod(state.builder.outcome) && live.length < spec.replicas) {
      const uid = replicaSet.metadata.uid ?? '';
      if (!this.#podless.has(uid)) {
        this.#podless.add(uid);
        this.#later(state.builder.startMs, () => this.#progress(deployment, replicaSet, undefined));
      }
    } else if (!wait) {
      for (let count = live.length; count < spec.replicas; count++) this.#startPod(deployment, replicaSet);
    }
    writeDeploymentStatus(state, namespace, name, {
      replicaSet,
      pods: this.#podsOf(deployment).filter(isLive),
      outcome: this.#outcomes.get(replicaSet.metadata.uid ?? ''),
    });
  }

  /** Its container gets its time to end, then the pod is gone. */
  terminatePod(namespace: string, name: string, graceMs: number = this.#state.builder.terminateMs): void {
    const pod = findObject('pods', this.#state, namespace, name);
    if (pod === undefined || isTerminating(pod)) return;
    const stopping = {type: 'Normal', reason: 'Killing', message: 'Stopping container buildkitd'} as const;
    if (phaseOf(pod) === 'Running') recordEvent(this.#state, pod, stopping);
    const gone = () => {
      removeObject('pods', this.#state, pod);
      this.reconcileOwner(pod);
    };
    if (graceMs <= 0) gone();
    else {
      putObject('pods', this.#state, terminatingPod(pod, graceMs));
      this.#later(graceMs, gone);
    }
    this.reconcileOwner(pod);
  }

  /** `Background`: it is gone at once, and its pods soon. `Foreground`: it goes last. `Orphan`: alone. */
  removeDeployment(deployment: ApiObject, policy: string): void {
    const {namespace = 'default'} = deployment.metadata;
    const pods = this.#podsOf(deployment);
    const sets = replicaSetsOf(this.#state, deployment);
    const remove = () => removeObject('deployments', this.#state, deployment);
    if (policy === 'Foreground' && pods.length > 0) {
      const metadata = {deletionTimestamp: now(), finalizers: ['foregroundDeletion']};
      putObject('deployments', this.#state, withMetadata(deployment, metadata));
      this.#later(this.#state.builder.terminateMs, remove);
    } else remove();
    if (policy === 'Orphan') return;
    for (const set of sets) removeObject('replicasets', this.#state, set);
    for (const pod of pods) this.terminatePod(namespace, pod.metadata.name);
  }

  #podsOf(deployment: ApiObject): ApiObject[] {
    const {namespace} = deployment.metadata;
    const sets = replicaSetsOf(this.#state, deployment);
    const names = new Set(sets.map(({metadata}) => metadata.name));
    return this.#state.pods.filter(
      (pod) => pod.metadata.namespace === namespace && names.has(ownerOf(pod)?.name ?? ''),
    );
  }

  /** Of the Deployment that a pod is of. */
  reconcileOwner(pod: ApiObject): void {
    const {namespace = 'default'} = pod.metadata;
    const set = findObject('replicasets', this.#state, namespace, ownerOf(pod)?.name ?? '');
    const deployment = set && ownerOf(set)?.name;
    if (deployment !== undefined) this.reconcile(namespace, deployment);
  }

  #scaleDown(deployment: ApiObject, old: readonly ApiObject[]): void {
    for (const pod of old.filter((pod) => !isTerminating(pod))) {
      const {namespace = 'default', name} = pod.metadata;
      const message = `Scaled down replica set ${ownerOf(pod)?.name} from 1 to 0`;
      recordEvent(this.#state, deployment, {type: 'Normal', reason: 'ScalingReplicaSet', message});
      this.terminatePod(namespace, name);
    }
  }

  #startPod(deployment: ApiObject, replicaSet: ApiObject): void {
    const {nodes, pods} = this.#state;
    const node = nodes[pods.length % Math.max(nodes.length, 1)]?.metadata.name ?? 'kind-control-plane';
    const pod = pendingPod(replicaSet, node);
    putObject('pods', this.#state, pod);
    const {name, namespace} = pod.metadata;
    recordEvent(this.#state, replicaSet, {
      type: 'Normal',
      reason: 'SuccessfulCreate',
      message: `Created pod: ${name}`,
    });
    if (!this.#state.builder.outcome.startsWith('stuck-unschedulable')) {
      const message = `Successfully assigned ${namespace}/${name} to ${node}`;
      recordEvent(this.#state, pod, {type: 'Normal', reason: 'Scheduled', message, count: null});
    }
    this.#later(this.#state.builder.startMs, () => this.#progress(deployment, replicaSet, pod));
  }

  /** Looks again and again until the pod is ready: a test may change the outcome meanwhile. */
  #progress(deployment: ApiObject, replicaSet: ApiObject, pod: ApiObject | undefined): void {
    const {outcome, startMs} = this.#state.builder;
    const {namespace = 'default', name} = deployment.metadata;
    const set = findObject('replicasets', this.#state, namespace, replicaSet.metadata.name);
    const current = pod && findObject('pods', this.#state, namespace, pod.metadata.name);
    if (set === undefined || (pod !== undefined && (current === undefined || isTerminating(current)))) return;
    const key = (pod ?? replicaSet).metadata.uid ?? '';
    const before = this.#outcomes.get(key);
    this.#outcomes.set(key, outcome);
    this.#outcomes.set(replicaSet.metadata.uid ?? '', outcome);
    if (!hasNoPod(outcome)) this.#podless.delete(replicaSet.metadata.uid ?? '');
    if (isStuck(outcome) && before !== outcome)
      becomeStuck(this.#state, outcome, {deployment, replicaSet: set, pod: current});
    else if (outcome === 'ready' && current !== undefined) {
      putObject('pods', this.#state, readyPod(current));
      const {containers} = (deployment.spec as DeploymentSpec).template.spec;
      const present = `Container image "${containers[0]?.image}" already present on machine and can be accessed by the pod`;
      for (const [reason, message] of [
        ['Pulled', present],
        ['Created', 'Container created'],
        ['Started', 'Container started'],
      ] as const) {
        recordEvent(this.#state, current, {type: 'Normal', reason, message});
      }
    }
    if (before !== outcome) this.reconcile(namespace, name);
    const waiting = pod === undefined ? hasNoPod(outcome) : outcome !== 'ready';
    if (waiting) this.#later(Math.max(startMs, 20), () => this.#progress(deployment, replicaSet, pod));
  }
}
