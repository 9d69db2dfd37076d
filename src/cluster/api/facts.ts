/** Owns the vocabulary of reading from a cluster: what a command asks for, and the answers. */

/** What one round of reads asks for. */
export interface ClusterQuery {
  /** Name of a pull secret in the target namespace. */
  readonly pullSecret?: string;
  /** The names of all pull secrets in the target namespace. */
  readonly pullSecrets?: boolean;
  /** The builders in the target namespace with their configuration, and the user's permissions there. */
  readonly builders?: boolean;
  /** The registry that the cluster announces. */
  readonly localRegistry?: boolean;
  /** The nodes: they show the product where the names do not, and their container runtimes. `some` is a few of them. */
  readonly nodes?: 'some' | 'all';
}

/** The API server's answer to one request; `forbidden` is a 403 with the server's message. */
export type Answer<T> =
  | {readonly kind: 'found'; readonly value: T}
  | {readonly kind: 'missing'}
  | {readonly kind: 'forbidden'; readonly message: string};

/** A Secret's type, e.g. `kubernetes.io/dockerconfigjson`. Its data is never read. */
export interface SecretFacts {
  readonly type: string;
}

/** An object as the API server sent it. */
export type ApiObject = unknown;

/** One rule of a SelfSubjectRulesReview; `*` means all. */
export interface ResourceRule {
  readonly verbs: readonly string[];
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames: readonly string[];
}

/** The answers of one round, to what the query asked for. */
export interface ClusterFacts {
  readonly pullSecret?: Answer<SecretFacts>;
  /** Names of the Secrets that can hold registry logins. */
  readonly pullSecrets?: Answer<readonly string[]>;
  /** The Deployments that carry a builder's labels. */
  readonly deployments?: Answer<readonly ApiObject[]>;
  /** The ConfigMaps that carry a builder's labels. */
  readonly configMaps?: Answer<readonly ApiObject[]>;
  /** The ConfigMap that announces the registry. */
  readonly localRegistry?: Answer<ApiObject>;
  readonly nodes?: Answer<readonly ApiObject[]>;
  /** Whether the cluster has more nodes than these. */
  readonly moreNodes?: boolean;
  /** The user's permissions in the target namespace; undefined where the server cannot list them all. */
  readonly rules?: readonly ResourceRule[];
}

export interface NodeFacts {
  readonly name: string;
  /** `.spec.providerID`, e.g. `kind://docker/kind/kind-control-plane`; empty where the node has none. */
  readonly providerId: string;
  readonly labels: Readonly<Record<string, string>>;
}
