/** Owns the vocabulary of what is read from a cluster: the question, and the answer. */

/** What one round of reads asks for. */
export interface ClusterQuery {
  /** Name of the pull secret to look for in the target namespace. */
  readonly pullSecret?: string;
  /** Whether the names of all pull secrets there are asked for. */
  readonly pullSecrets?: boolean;
  /** Whether the builders of the target namespace are asked for, with their configuration, and the user's rights there. */
  readonly builders?: boolean;
  /** Whether the nodes are asked for: for the product, where the names did not tell it, and for their runtimes. */
  readonly nodes?: boolean;
}

/** The API server's answer to one question; `forbidden` is a 403 and carries the server's words. */
export type Answer<T> =
  | {readonly kind: 'found'; readonly value: T}
  | {readonly kind: 'missing'}
  | {readonly kind: 'forbidden'; readonly message: string};

/** A Secret's type, e.g. `kubernetes.io/dockerconfigjson`. Its data is never asked for. */
export interface SecretFacts {
  readonly type: string;
}

/** An object of the API as it came; `builder-objects.ts` and `node-runtimes.ts` read it. */
export type ApiObject = unknown;

/** One rule of a SelfSubjectRulesReview; `*` stands for all. */
export interface ResourceRule {
  readonly verbs: readonly string[];
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames: readonly string[];
}

/** The answers of one round; a question that was not asked has none. */
export interface ClusterFacts {
  readonly pullSecret?: Answer<SecretFacts>;
  /** Names of the Secrets that a registry's login can be in. */
  readonly pullSecrets?: Answer<readonly string[]>;
  /** The Deployments that carry a builder's labels. */
  readonly deployments?: Answer<readonly ApiObject[]>;
  /** The ConfigMaps that carry a builder's labels. */
  readonly configMaps?: Answer<readonly ApiObject[]>;
  readonly nodes?: Answer<readonly ApiObject[]>;
  /** What the user may do in the target namespace; undefined where the server cannot list it all. */
  readonly rules?: readonly ResourceRule[];
}

export interface NodeFacts {
  readonly name: string;
  /** `.spec.providerID`, e.g. `kind://docker/kind/kind-control-plane`; empty where the node has none. */
  readonly providerId: string;
  readonly labels: Readonly<Record<string, string>>;
}
