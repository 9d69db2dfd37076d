/** Owns kubeconfigs that lead to the stand-in API server, one for each way of saying who one is. */
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {stringify} from 'yaml';
import type {KeyPair} from './certificates.ts';

export type KubeconfigAuth =
  | 'certificate'
  | 'certificate-files'
  | 'token'
  | 'token-file'
  | 'basic'
  | 'exec'
  | 'none';

export interface KubeconfigOptions {
  readonly auth: KubeconfigAuth;
  /** Where side files go; it must exist. */
  readonly directory: string;
  readonly names?: {readonly context?: string; readonly cluster?: string; readonly user?: string};
  readonly namespace?: string;
  /** Side files by name alone, as seen from a kubeconfig in `directory`. */
  readonly relativePaths?: boolean;
  /** More fields, or others, of the cluster and the user: `tls-server-name`, `proxy-url`, `as`, a wrong `token`. */
  readonly clusterFields?: Readonly<Record<string, unknown>>;
  readonly userFields?: Readonly<Record<string, unknown>>;
}

type Access = Readonly<Record<'url' | 'authority' | 'token' | 'username' | 'password', string>> & {
  readonly client: KeyPair;
};

export function writeKubeconfig(access: Access, options: KubeconfigOptions): string {
  const {auth, directory, names = {}, namespace, relativePaths = false} = options;
  const {context = 'test', cluster = 'test', user = 'test'} = names;
  const {url: server, authority, token, username, password} = access;
  const {certificate, key} = access.client;
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const sideFile = (name: string, text: string, mode = 0o600) => {
    writeFileSync(join(directory, name), text, {mode});
    return relativePaths ? name : join(directory, name);
  };
  const trust =
    auth === 'certificate-files'
      ? {'certificate-authority': sideFile('authority.crt', authority)}
      : {'certificate-authority-data': base64(authority)};
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': context,
    contexts: [{name: context, context: {cluster, user, ...(namespace !== undefined && {namespace})}}],
    clusters: [{name: cluster, cluster: {server, ...trust, ...options.clusterFields}}],
    users: [{name: user, user: {...writeCredentials(), ...options.userFields}}],
  });

  function writeCredentials(): object {
    switch (auth) {
      case 'certificate':
        return {'client-certificate-data': base64(certificate), 'client-key-data': base64(key)};
      case 'certificate-files':
        return {
          'client-certificate': sideFile('client.crt', certificate),
          'client-key': sideFile('client.key', key),
        };
      case 'token':
        return {token};
      case 'token-file':
        return {tokenFile: sideFile('token', `${token}\n`)};
      case 'basic':
        return {username, password};
      case 'exec': {
        const apiVersion = 'client.authentication.k8s.io/v1';
        const credential = JSON.stringify({kind: 'ExecCredential', apiVersion, status: {token}});
        const script = `#!${process.execPath}\nprocess.stdout.write(${JSON.stringify(credential)});\n`;
        const path = sideFile('credential-plugin', script, 0o700);
        // A bare name would be looked for on PATH; with a slash it is seen from the kubeconfig.
        const command = relativePaths ? `./${path}` : path;
        return {exec: {apiVersion, command, interactiveMode: 'Never'}};
      }
      case 'none':
        return {};
    }
  }
}
