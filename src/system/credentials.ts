/** Owns reading a kubeconfig's credentials that are plain values: certificates, tokens, passwords. */
import type {Target} from '../cluster/target/target.ts';
import {readBytes} from './disk-files.ts';
import type {Credentials, TlsMaterial} from './https-transport.ts';

export async function readCredentials(target: Target): Promise<Credentials> {
  const [tls, headers] = await Promise.all([readTls(target), authHeaders(target.user)]);
  return {tls, headers};
}

async function readTls({cluster, user}: Target): Promise<TlsMaterial> {
  const [ca, cert, key] = await Promise.all([
    readAuthority(cluster),
    readPem(user['client-certificate-data'], user['client-certificate']),
    readPem(user['client-key-data'], user['client-key']),
  ]);
  return {
    ...(ca && {ca}),
    ...(cert && key && {cert, key}),
    ...(cluster['tls-server-name'] && {servername: cluster['tls-server-name']}),
    rejectUnauthorized: !cluster['insecure-skip-tls-verify'],
  };
}

/** PEM of the authority that signed the cluster's certificate, if the kubeconfig names one. */
export async function readAuthority(cluster: Target['cluster']): Promise<Buffer | undefined> {
  return await readPem(cluster['certificate-authority-data'], cluster['certificate-authority']);
}

/** Base64 in the kubeconfig wins over a file, as with kubectl. */
async function readPem(data: string | undefined, path: string | undefined): Promise<Buffer | undefined> {
  if (data) return Buffer.from(data, 'base64');
  return path ? await readBytes(path) : undefined;
}

async function authHeaders(user: Target['user']): Promise<Credentials['headers']> {
  const headers: Record<string, string | readonly string[]> = {};
  // The token in the file is the newer one, and client-go prefers it.
  const token = user.tokenFile ? (await readBytes(user.tokenFile)).toString('utf8').trim() : user.token;
  if (token) headers.Authorization = `Bearer ${token}`;
  else if (user.username) {
    headers.Authorization = `Basic ${Buffer.from(`${user.username}:${user.password ?? ''}`).toString('base64')}`;
  }
  if (user.as) headers['Impersonate-User'] = user.as;
  if (user['as-uid']) headers['Impersonate-Uid'] = user['as-uid'];
  if (user['as-groups']?.length) headers['Impersonate-Group'] = user['as-groups'];
  for (const [key, values] of Object.entries(user['as-user-extra'] ?? {})) {
    headers[`Impersonate-Extra-${encodeURIComponent(key)}`] = values;
  }
  return headers;
}
