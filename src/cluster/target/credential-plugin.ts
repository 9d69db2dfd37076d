/**
 * Owns the protocol of credential plugins, their request and their answer, as in client-go
 * (plugin/pkg/client/auth/exec, with the API group client.authentication.k8s.io).
 */
import {asObject, asText, asTime} from '../api/json-values.ts';
import type {ExecFields, UserFields} from '../kubeconfig/shape.ts';
import type {TargetCluster, TargetUser} from './target.ts';

export type PluginUser = TargetUser & {readonly exec: ExecFields & {readonly command: string}};

/** The variable with the request. */
export const REQUEST_VARIABLE = 'KUBERNETES_EXEC_INFO';

const V1BETA1 = 'client.authentication.k8s.io/v1beta1';
const VERSIONS: readonly (string | undefined)[] = ['client.authentication.k8s.io/v1', V1BETA1];
/** The cluster's extension with the settings of its plugin. */
const EXTENSION = 'client.authentication.k8s.io/exec';
const OTHER_CREDENTIALS = [
  'client-certificate',
  'client-certificate-data',
  'token',
  'tokenFile',
  'username',
  'password',
  'auth-provider',
] as const satisfies readonly (keyof UserFields)[];

/**
 * Whether the user's only credential comes from a plugin of a known version that does not need to ask the user. Where
 * there are several credentials, kubectl knows which one wins.
 */
export function comesFromPlugin(user: TargetUser): user is PluginUser {
  const {exec} = user;
  if (!exec?.command || !VERSIONS.includes(exec.apiVersion)) return false;
  if (OTHER_CREDENTIALS.some((field) => user[field])) return false;
  // The default is IfAvailable in v1beta1; v1 has none.
  const mode = exec.interactiveMode ?? (exec.apiVersion === V1BETA1 ? 'IfAvailable' : undefined);
  return mode === 'Never' || mode === 'IfAvailable';
}

/** The value of `REQUEST_VARIABLE`. `authority` is the cluster's, in base64. */
export function pluginRequest(
  {apiVersion, provideClusterInfo}: ExecFields,
  cluster: TargetCluster,
  authority: string | undefined,
): string {
  const config = cluster.extensions?.find(({name}) => name === EXTENSION)?.extension ?? null;
  const spec = {
    ...(provideClusterInfo && {
      cluster: {
        server: cluster.server,
        ...(cluster['tls-server-name'] && {'tls-server-name': cluster['tls-server-name']}),
        ...(cluster['insecure-skip-tls-verify'] && {'insecure-skip-tls-verify': true}),
        ...(authority && {'certificate-authority-data': authority}),
        ...(cluster['disable-compression'] && {'disable-compression': true}),
        config,
      },
    }),
    interactive: false,
  };
  return JSON.stringify({kind: 'ExecCredential', apiVersion, spec});
}

/** What a plugin gave: the user fields in its place. */
export interface PluginCredential {
  readonly fields: Pick<UserFields, 'token' | 'client-certificate-data' | 'client-key-data'>;
  /** Epoch milliseconds; undefined where the plugin does not say. */
  readonly expires: number | undefined;
}

/** Undefined for an answer that kubectl would not accept either. */
export function readPluginAnswer(text: string, {apiVersion}: ExecFields): PluginCredential | undefined {
  const answer = asObject(parseJson(text));
  if (answer.kind !== 'ExecCredential' || answer.apiVersion !== apiVersion) return undefined;
  const status = asObject(answer.status);
  const token = asText(status.token);
  const certificate = asText(status.clientCertificateData);
  const key = asText(status.clientKeyData);
  if ((token === '' && certificate === '') || (certificate === '') !== (key === '')) return undefined;
  return {
    fields: {
      ...(token !== '' && {token}),
      ...(certificate !== '' && {
        'client-certificate-data': base64(certificate),
        'client-key-data': base64(key),
      }),
    },
    expires: asTime(status.expirationTimestamp),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
