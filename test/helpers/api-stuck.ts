/** Owns builders that do not come up: the recorded cases, with the names of the Deployment at hand. */
import {recordEvent} from './api-events.ts';
import {findObject, now, putObject} from './api-objects.ts';
import type {PodTemplate} from './api-pods.ts';
import {type ApiObject, readBuilderRecording} from './api-samples.ts';
import type {ApiState, BuilderOutcome} from './api-state.ts';

export type StuckOutcome = Exclude<BuilderOutcome, 'ready' | 'never'>;

interface StuckEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  readonly count: number | null;
  readonly involvedObject?: {readonly kind: string};
}

interface StuckRecording {
  readonly deployment: {readonly status: object};
  readonly pods: readonly {readonly metadata: {readonly name: string}; readonly status: object}[];
  readonly events: readonly StuckEvent[];
}

/** Whether not even a pod comes to be: a quota or a policy is in the way. */
export function hasNoPod(outcome: BuilderOutcome): boolean {
  return outcome === 'stuck-quota' || outcome === 'stuck-podsecurity';
}

export function isStuck(outcome: BuilderOutcome): outcome is StuckOutcome {
  return outcome !== 'ready' && outcome !== 'never';
}

/** What of the recording befalls this pod, or this ReplicaSet that gets none. Events are told once. */
export function becomeStuck(
  state: ApiState,
  outcome: StuckOutcome,
  involved: {
    readonly deployment: ApiObject;
    readonly replicaSet: ApiObject;
    readonly pod: ApiObject | undefined;
  },
): void {
  const {pods, events} = readStuck(outcome, involved.replicaSet, involved.pod);
  const recordedPod = pods[0];
  if (involved.pod !== undefined && recordedPod !== undefined) {
    const current = findObject('pods', state, involved.pod.metadata.namespace, involved.pod.metadata.name);
    const {nodeName: _, ...unscheduled} = involved.pod.spec as {nodeName?: string};
    const spec = outcome.startsWith('stuck-unschedulable') ? unscheduled : involved.pod.spec;
    putObject('pods', state, {...(current ?? involved.pod), spec, status: recordedPod.status});
  }
  // These come with every Deployment, and are told already.
  const told = new Set(['ScalingReplicaSet', 'SuccessfulCreate', 'Scheduled']);
  for (const event of events.filter(({reason}) => !told.has(reason))) {
    const object =
      event.involvedObject?.kind === 'ReplicaSet'
        ? involved.replicaSet
        : (involved.pod ?? involved.replicaSet);
    recordEvent(state, object, event);
  }
}

/** The last words of a container that ends at once, from BuildKit's source: they were not recorded. */
export function stuckLogs(outcome: BuilderOutcome): string | undefined {
  switch (outcome) {
    case 'stuck-lock':
      return 'buildkitd: could not lock /var/lib/buildkit/buildkit/buildkitd.lock, another instance running?\n';
    case 'stuck-crash':
      return 'Incorrect Usage: flag provided but not defined: -no-such-flag\n\nbuildkitd: flag provided but not defined: -no-such-flag\n';
    default:
      return undefined;
  }
}

/** What its Deployment then says of itself. */
export function stuckStatus(outcome: StuckOutcome, deployment: ApiObject, replicaSet: ApiObject): object {
  const {status} = readStuck(outcome, replicaSet, undefined).deployment;
  return {...status, observedGeneration: deployment.metadata.generation ?? 1};
}

function readStuck(outcome: StuckOutcome, replicaSet: ApiObject, pod: ApiObject | undefined): StuckRecording {
  const recorded = readBuilderRecording(outcome) as StuckRecording;
  const text = JSON.stringify(recorded);
  const recordedPod = recorded.pods[0]?.metadata.name ?? '';
  const recordedSet = /\b[a-z]+-[0-9a-f]{8,10}(?=-[a-z0-9]{5}\b|\\?")/.exec(recordedPod || text)?.[0] ?? '';
  const {name, namespace = 'default'} = replicaSet.metadata;
  const {template} = replicaSet.spec as {template: PodTemplate};
  const image = template.spec.containers[0]?.image ?? '';
  let renamed = text;
  if (recordedPod !== '') renamed = renamed.replaceAll(recordedPod, pod?.metadata.name ?? `${name}-xxxxx`);
  renamed = renamed
    .replaceAll(recordedSet, name)
    .replaceAll(/registry\.example\/nope:1|docker\.io\/moby\/buildkit:buildx-stable-1/g, image)
    .replaceAll(/(?<=assigned )\w+(?=\/)/g, namespace)
    .replaceAll(/_(stuck|default)\(/g, `_${namespace}(`)
    .replaceAll(/(?<="last\w*Time":")[^"]+/g, now());
  const {events, ...rest} = JSON.parse(renamed) as StuckRecording;
  // Of the lock, the events that were recorded are of other pods: those of any container that ends at once stand in.
  return {
    ...rest,
    events: outcome === 'stuck-lock' ? readStuck('stuck-crash', replicaSet, pod).events : events,
  };
}
