/** Owns the target inside a pod without a kubeconfig: the pod's service account, as kubectl uses it. */
import type {TargetOverrides} from '../connection.ts';
import type {Target} from '../target/target.ts';
import type {Kubeconfig} from './merge.ts';

const serviceAccount = '/var/run/secrets/kubernetes.io/serviceaccount';

/** The files that `PodEnvironment` is about. */
export const serviceAccountFiles = {
  token: `${serviceAccount}/token`,
  certificateAuthority: `${serviceAccount}/ca.crt`,
  namespace: `${serviceAccount}/namespace`,
} as const;

export interface PodEnvironment {
  readonly env: {
    readonly KUBERNETES_SERVICE_HOST?: string | undefined;
    readonly KUBERNETES_SERVICE_PORT?: string | undefined;
    readonly POD_NAMESPACE?: string | undefined;
  };
  /** Whether the service account's token exists and is a file. */
  readonly tokenExists: boolean;
  /** Without the authority the system's trust store decides. */
  readonly certificateAuthorityExists?: boolean;
  /** The text of the service account's namespace file. */
  readonly namespaceFile?: string | undefined;
}

/** The pod's own namespace; undefined outside a pod. kubectl also uses it for a context without a namespace. */
export function podNamespace({env, tokenExists, namespaceFile}: PodEnvironment): string | undefined {
  if (!env.KUBERNETES_SERVICE_HOST || !env.KUBERNETES_SERVICE_PORT || !tokenExists) return undefined;
  return env.POD_NAMESPACE || namespaceFile?.trim() || 'default';
}

/**
 * The service account's target, or undefined where kubectl would not use it: outside a pod, with a current context, or
 * with a flag that names an entry of a kubeconfig, a server, or a user to impersonate
 * (client-go, `DeferredLoadingClientConfig.ClientConfig`: only an empty configuration gives way).
 */
export function inClusterTarget(
  pod: PodEnvironment,
  kubeconfig: Kubeconfig,
  overrides: TargetOverrides,
): Target | undefined {
  const namespace = podNamespace(pod);
  if (namespace === undefined || kubeconfig.currentContext !== '') return undefined;
  const {context, cluster, user, server, as, asUid, asGroup} = overrides;
  if (context || cluster || user || server || as || asUid || asGroup?.length) return undefined;

  const {KUBERNETES_SERVICE_HOST: host = '', KUBERNETES_SERVICE_PORT: port = ''} = pod.env;
  const authority =
    overrides.certificateAuthority ||
    (pod.certificateAuthorityExists === false ? undefined : serviceAccountFiles.certificateAuthority);
  return {
    context: '',
    namespace: overrides.namespace || namespace,
    cluster: {
      name: '',
      server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
      ...(authority && {'certificate-authority': authority}),
    },
    // Other flags about the server and the user have no effect here in kubectl either.
    user: {
      name: '',
      ...(overrides.token ? {token: overrides.token} : {tokenFile: serviceAccountFiles.token}),
    },
  };
}
