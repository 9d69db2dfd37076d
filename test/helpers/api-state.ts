/** Owns what the stand-in cluster holds and how it behaves: all that a test may change while the server runs. */
import type {ResourceName} from './api-resources.ts';
import type {ApiObject, SecretSample} from './api-samples.ts';

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete';
type Subject = ResourceName | 'pods/exec' | 'pods/log';
/** A verb and what it is not allowed on. */
export type Deed = `${Verb} ${Subject}`;

/** How a builder's pods come up: well, not at all, or stuck in one of the recorded ways. */
export type BuilderOutcome =
  | 'ready'
  | 'never'
  | 'stuck-crash'
  | 'stuck-hostpath'
  | 'stuck-image'
  | 'stuck-lock'
  | 'stuck-podsecurity'
  | 'stuck-quota'
  | 'stuck-unschedulable-cpu'
  | 'stuck-unschedulable-selector';

export interface ExecAnswer {
  readonly stdout?: string;
  readonly stderr?: string;
  /** 0 unless given. */
  readonly exitCode?: number;
  /** The container runtime could not start the command; says why. */
  readonly failure?: string;
}

/** Change it at any time: each request sees it as it then is, and a watch soon tells of it. */
export interface ApiState {
  namespaces: Set<string>;
  secrets: SecretSample[];
  configMaps: ApiObject[];
  deployments: ApiObject[];
  replicaSets: ApiObject[];
  pods: ApiObject[];
  events: ApiObject[];
  nodes: ApiObject[];
  /** Resources that nobody may touch in any way, or with one verb. */
  forbidden: Set<Subject | Deed>;
  /** The same with a verb alone. */
  denied: Set<Deed>;
  delayMs: number;
  /** Every request fails with this status, or this answer, or a torn connection. */
  failWith: undefined | number | 'destroy' | {status: number; contentType: string; body: string};
  builder: {
    startMs: number;
    terminateMs: number;
    outcome: BuilderOutcome;
  };
  exec: (command: readonly string[], pod: ApiObject) => ExecAnswer | Promise<ExecAnswer>;
  /** What every container has printed. */
  logs: string;
}

/** What every part of the server works on. */
export interface Cluster {
  readonly state: ApiState;
  readonly history: {
    readonly version: string;
    observe(): void;
  };
  readonly controller: {
    /** Brings pods and status to what the Deployment asks for. */
    reconcile(namespace: string, name: string): void;
    reconcileOwner(pod: ApiObject): void;
    terminatePod(namespace: string, name: string, graceMs?: number): void;
    removeDeployment(deployment: ApiObject, policy: string): void;
  };
}
