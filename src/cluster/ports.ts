/** Owns the port through which a cluster is read and kubectl is run; the system implements it. */
import type {Duplex} from 'node:stream';
import type {Answer, ClusterFacts, ClusterQuery} from './api/facts.ts';
import type {Target} from './target/target.ts';

/** How to reach a cluster, beside its kubeconfig. */
export interface Connection {
  /** The connection flags that pin the target for kubectl and for the delegate. */
  readonly args: readonly string[];
  /** `--request-timeout`, the limit of one read; without it our own default applies. */
  readonly requestTimeout?: string;
}

export interface Clusters {
  connect(target: Target, connection: Connection): Cluster;
}

/**
 * One cluster as one user. Every call throws `cluster-unreachable` where no API server answers, `cluster-denied`
 * where it does not know the user, `tool-missing` where kubectl is needed and missing.
 */
export interface Cluster {
  /** Reads everything in one round, in parallel. */
  read(query: ClusterQuery): Promise<ClusterFacts>;
  /** Reads one object or list, by its path on the API server. Not for Secrets. */
  get(path: string): Promise<Answer<unknown>>;
  /** Sends a review: a question in the form of an object, which changes nothing. */
  review(path: string, question: unknown): Promise<Answer<unknown>>;
  /** Runs kubectl against this cluster; `input` is its standard input. */
  kubectl(args: readonly string[], input?: string): Promise<ProgramOutput>;
  /** Runs kubectl with our own standard streams. */
  kubectlLive(args: readonly string[]): Promise<ExitStatus>;
  /** Runs a program in a container, with its standard streams as one stream here. */
  openTunnel(target: ExecTarget): Promise<Tunnel>;
  /** The `.dockerconfigjson` of a pull secret: a secret. Undefined where there is none, or no permission to read it. */
  readPullSecret(name: string): Promise<string | undefined>;
  /** The credential that a login plugin gave; undefined where there is none, or it has expired. */
  lastLogin(): Promise<PluginAnswer | undefined>;
  /** How long to wait between two reads of the same thing, in milliseconds: short where a read is cheap. */
  readonly pause: number;
}

export interface ExecTarget {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly command: readonly string[];
}

/** A program that runs in a pod. */
export interface Tunnel {
  /** Its standard input and output. An error of the connection is an error of the stream. */
  readonly stream: Duplex;
  /** How the program ended; never rejects. */
  readonly ended: Promise<TunnelEnd>;
}

export interface TunnelEnd {
  /** Undefined where it is not known: the connection broke, or the program could not be started. */
  readonly exitCode: number | undefined;
  /** What went wrong, if anything did. */
  readonly failure: string | undefined;
  /** The end of the program's standard error. */
  readonly stderr: string;
}

export interface PluginAnswer {
  /** The ExecCredential as it came: a secret. */
  readonly text: string;
  /** Path of the plugin, for the next one. */
  readonly program: string;
}

/** What a program printed; no exit code where a signal ended it or it did not start. */
export interface ProgramOutput {
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** How a program ended: its exit code, or the signal that killed it. */
export interface ExitStatus {
  readonly exitCode: number | undefined;
  readonly signal: string | undefined;
}
