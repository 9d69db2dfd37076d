/** Owns reading a kubeconfig's credentials that are plain values: certificates, tokens, passwords. */
import {readApiBase, usesTls} from '../cluster/target/server-address.ts';
import type {Target} from '../cluster/target/target.ts';
import {readBytes} from './disk-files.ts';
import {type Credentials, readSystemRoots, type TlsMaterial} from './https-transport.ts';

/** Throws what is no `ApiFailure` where kubectl has to ask. */
export async function readCredentials(target: Target): Promise<Credentials> {
  const base = readApiBase(target.cluster.server);
  if (base === undefined) throw new Error('only kubectl understands the address of the server');
  const [tls, headers] = await Promise.all([readTls(target), authHeaders(target.user)]);
  return {base, tls, headers};
}

async function readTls({cluster, user}: Target): Promise<TlsMaterial> {
  const [ca, cert, key] = await Promise.all([
    readTrust(cluster),
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

/** Never left to the runtime, which has roots of its own and takes more from NODE_EXTRA_CA_CERTS. */
async function readTrust(cluster: Target['cluster']): Promise<TlsMaterial['ca']> {
  if (cluster['insecure-skip-tls-verify'] || !usesTls(cluster.server)) return undefined;
  const authority = await readAuthority(cluster);
  if (authority === undefined) return await readSystemRoots();
  // For an empty one the runtime would take its own roots.
  if (!authority.includes('-----BEGIN CERTIFICATE-----')) throw new Error('the authority has no certificate');
  return authority;
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
  const authorization = await authorize(user);
  const extra = Object.entries(user['as-user-extra'] ?? {});
  const headers: readonly (readonly [name: string, values: readonly string[]])[] = [
    ['Authorization', authorization === undefined ? [] : [authorization]],
    ['Impersonate-User', user.as ? [toHeader(user.as)] : []],
    ['Impersonate-Uid', user['as-uid'] ? [toHeader(user['as-uid'])] : []],
    ['Impersonate-Group', (user['as-groups'] ?? []).map(toHeader)],
    ...extra.map(([key, values]) => [`Impersonate-Extra-${escapeKey(key)}`, values.map(toHeader)] as const),
  ];
  return Object.fromEntries(headers.filter(([, values]) => values.length > 0));
}

async function authorize(user: Target['user']): Promise<string | undefined> {
  const token =
    (user.tokenFile && (await readTokenFile(user.tokenFile, user.token))) || toHeader(user.token ?? '');
  if (token !== '') return `Bearer ${token}`;
  if (!user.username) return undefined;
  return `Basic ${Buffer.from(`${user.username}:${user.password ?? ''}`).toString('base64')}`;
}

/** The token in the file is the newer one. client-go takes the other one only if there is none in the file. */
async function readTokenFile(path: string, other: string | undefined): Promise<string> {
  const bytes = await readBytes(path).catch((error) => {
    if (other) return Buffer.alloc(0);
    throw error;
  });
  return checkHeader(bytes.toString('latin1').replace(/^[\t-\r ]+|[\t-\r ]+$/g, ''));
}

/** In UTF-8, as Go sends it: both runtimes send a character for a byte. */
function toHeader(value: string): string {
  return checkHeader(Buffer.from(value).toString('latin1'));
}

/** kubectl refuses to send these. A runtime may drop them, and send what somebody else is called. */
function checkHeader(value: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  if (/[\0-\x08\x0a-\x1f\x7f]/.test(value)) throw new Error('a credential has a control character');
  return value;
}

/** client-go's `headerKeyEscape`: what may not be in the name of a header, and the percent sign. */
function escapeKey(key: string): string {
  return Buffer.from(key)
    .toString('latin1')
    .replace(
      /[^!#$&'*+.^_`|~0-9A-Za-z-]/g,
      (byte) => `%${Buffer.from(byte, 'latin1').toString('hex').toUpperCase()}`,
    );
}
