/** Owns the vocabulary of why a builder does not start: what is looked at, and what is found. */
import type {Advice} from '../../text/advice.ts';
import type {BuilderDeployment} from '../model/objects.ts';
import type {BuilderEvent, BuilderPod} from '../model/pods.ts';

export type TroubleKind =
  | 'scaled-to-zero'
  | 'pod-security'
  | 'quota'
  | 'admission'
  | 'unschedulable'
  | 'host-path'
  | 'config'
  | 'sandbox'
  | 'image'
  | 'container'
  | 'lock'
  | 'out-of-memory'
  | 'crash'
  | 'evicted';

export interface Trouble {
  readonly kind: TroubleKind;
  /** One sentence, with what Kubernetes said. */
  readonly message: string;
  readonly remedy: readonly Advice[];
  /** Whether waiting longer cannot help. */
  readonly final: boolean;
  /** The pod whose log tells more; for a crash, the log of its last run. */
  readonly pod?: string;
}

export interface TroubleInput {
  readonly deployment: BuilderDeployment;
  readonly pods: readonly BuilderPod[];
  readonly events: readonly BuilderEvent[];
  /** The end of the log of the last run, once a crash is known. */
  readonly log?: string;
  /** Whether no node will ever join by itself, as on a local development cluster. */
  readonly fixedNodes?: boolean;
}

export type PodRule = (pod: BuilderPod, input: TroubleInput) => Trouble | undefined;
