/** Owns how a cluster is asked: the port that the system implements. */
import type {Answer, ClusterFacts, ClusterQuery} from './api/facts.ts';
import type {Target} from './target/target.ts';
/** How a cluster is reached, besides what its kubeconfig says: the arguments that kubectl gets as well. */
export interface Connection {
  /** kubectl's own connection flags that pin the target, ready for kubectl and for the delegate. */
  readonly args: readonly string[];
  /** The longest that one read may take, as given with --request-timeout; none given: our own default. */
  readonly requestTimeout?: string;
}

export interface Clusters {
  connect(target: Target, connection: Connection): Cluster;
}

/**
 * One cluster as one user. Every call throws `cluster-unreachable` where no API server answers, `cluster-denied`
 * where it does not know the user, `tool-missing` where kubectl is needed and not there.
 */
export interface Cluster {
  /** Asks everything in one round, side by side. */
  read(query: ClusterQuery): Promise<ClusterFacts>;
  /** One object or list, by its path on the API server. Not for Secrets. */
  get(path: string): Promise<Answer<unknown>>;
  /** What the API server says to a question that is sent to it as an object, a review; nothing is changed by it. */
  review(path: string, question: unknown): Promise<Answer<unknown>>;
  /** Runs kubectl against this cluster; `input` is its standard input. */
  kubectl(args: readonly string[], input?: string): Promise<KubectlResult>;
  /** The same, with our own standard streams. */
  kubectlLive(args: readonly string[]): Promise<DelegateResult>;
  /** What a login plugin gave, where one was asked; undefined where there is none that is good. */
  lastLogin(): Promise<PluginAnswer | undefined>;
  /** How long to leave between two looks at the same thing, in milliseconds: little where a look is cheap. */
  readonly pause: number;
}

export interface PluginAnswer {
  /** The ExecCredential as it came: a secret. */
  readonly text: string;
  /** Path of the plugin, which gives the next one. */
  readonly program: string;
}

export interface KubectlResult {
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** How the delegate ended: its exit code, or the signal that killed it. */
export interface DelegateResult {
  readonly exitCode: number | undefined;
  readonly signal: string | undefined;
}
