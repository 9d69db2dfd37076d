/** Owns kubectl's connection flags as the user gave them. */

/** The flags that override a kubeconfig. Paths are absolute already; an empty string is no value. */
export interface TargetOverrides {
  readonly context?: string | undefined;
  readonly cluster?: string | undefined;
  readonly user?: string | undefined;
  readonly namespace?: string | undefined;
  readonly server?: string | undefined;
  readonly tlsServerName?: string | undefined;
  readonly certificateAuthority?: string | undefined;
  readonly insecureSkipTlsVerify?: boolean | undefined;
  readonly clientCertificate?: string | undefined;
  readonly clientKey?: string | undefined;
  readonly token?: string | undefined;
  readonly as?: string | undefined;
  readonly asUid?: string | undefined;
  readonly asGroup?: readonly string[] | undefined;
}

export interface ConnectionRequest {
  /** `--kubeconfig` */
  readonly kubeconfig?: string;
  readonly overrides: TargetOverrides;
  /** `--request-timeout` */
  readonly requestTimeout?: string;
  /**
   * The flags that kubectl and the delegate get as they were given, each as its arguments (`['--as', 'jane']`): not
   * --kubeconfig, --context and --namespace, which pin the target, and never --token.
   */
  readonly passed: readonly (readonly string[])[];
}
