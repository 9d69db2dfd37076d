/** Owns the types of why a builder does not start: what is looked at, and what is found. */
import type {Product} from '../../cluster/product.ts';
import type {Advice} from '../../text/advice.ts';
import type {BuilderDeployment} from '../model/objects.ts';
import type {BuilderEvent, BuilderPod} from '../model/pods.ts';
import type {Quota} from '../model/quotas.ts';

export interface Trouble {
  /** One sentence, with what Kubernetes said. */
  readonly message: string;
  readonly remedy: readonly Advice[];
  /** Whether waiting longer cannot help. */
  readonly final: boolean;
  /** Whether the nodes cannot pull the builder's image. */
  readonly isImage?: boolean;
  /** Whether the namespace's quotas tell what to do. */
  readonly byQuota?: boolean;
  /** Name of the pod that crashed, where the log of its last run may tell why. */
  readonly crashedPod?: string;
}

export interface TroubleInput {
  readonly deployment: BuilderDeployment;
  readonly pods: readonly BuilderPod[];
  readonly events: readonly BuilderEvent[];
  /** The end of the last run's log; read only after a crash. */
  readonly log?: string;
  /** Those of the namespace; read only if one is in the way. */
  readonly quotas?: readonly Quota[];
  /** For advice on its nodes. */
  readonly product?: Product;
  /** Whether no node ever joins by itself, as on a local development cluster. */
  readonly fixedNodes?: boolean;
}

export type PodRule = (pod: BuilderPod, input: TroubleInput) => Trouble | undefined;
