/** Owns the vocabulary of what is read from a cluster: the question, and the answer. */

/** What one round of reads asks for. */
export interface ClusterQuery {
  /** Name of the pull secret to look for in the target namespace. */
  readonly pullSecret?: string;
  /** Name of the builder's Deployment in the target namespace. */
  readonly builder?: string;
  /** Whether the nodes are asked for: only where the names did not tell the product. */
  readonly nodes: boolean;
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

/** The labels of a builder's Deployment; `runtime` is `containerd` or `docker`. */
export interface BuilderFacts {
  readonly labels: Readonly<Record<string, string>>;
}

export interface NodeFacts {
  readonly name: string;
  /** `.spec.providerID`, e.g. `kind://docker/kind/kind-control-plane`; empty where the node has none. */
  readonly providerId: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** The answers of one round; a question that was not asked has none. */
export interface ClusterFacts {
  readonly pullSecret?: Answer<SecretFacts>;
  readonly builder?: Answer<BuilderFacts>;
  readonly nodes?: Answer<readonly NodeFacts[]>;
}
