/** Owns kubectl's connection flags as they were given. */
import type {TargetOverrides} from './target/target-overrides.ts';
/** kubectl's connection flags as given. */
export interface ConnectionRequest {
  /** `--kubeconfig` */
  readonly kubeconfig?: string;
  readonly overrides: TargetOverrides;
  /** `--request-timeout` */
  readonly requestTimeout?: string;
  /**
   * Those that are handed on as given, each as its arguments (`['--as', 'jane']`); not --kubeconfig, --context and
   * --namespace, which pin the target, and never --token.
   */
  readonly passed: readonly (readonly string[])[];
}
