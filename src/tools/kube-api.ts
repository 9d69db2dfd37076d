/**
 * Owns direct reads from the API server over HTTPS, for credentials that are plain values: certificates, tokens,
 * passwords. One read costs 9 ms where a kubectl process costs 53 ms (design, section 1, Time).
 */
import {request as httpRequest} from 'node:http';
import {request as httpsRequest, type RequestOptions} from 'node:https';
import {
  ACCEPT_METADATA,
  ACCEPT_TABLE,
  readBuilder,
  readNodeList,
  readSecretTable,
  readStatus,
} from '../cluster/api-objects.ts';
import type {Answer, ClusterFacts, ClusterQuery} from '../cluster/facts.ts';
import type {Target} from '../cluster/target.ts';
import {readBytes} from './disk-files.ts';

/** The API server's answer, whatever it was. */
interface Response {
  readonly status: number;
  readonly body: string;
}

/** The API server could not be asked, or gave no answer that counts; `status` is there for an HTTP answer. */
export class ApiFailure extends Error {
  readonly status: number | undefined;

  constructor(message: string, options: {status?: number; cause?: unknown} = {}) {
    super(message, {cause: options.cause});
    this.status = options.status;
  }
}

export const NO_ANSWER = 'no answer within';

/** What is said of a request that took longer than `timeout` milliseconds. */
export function timeoutMessage(timeout: number): string {
  return `${NO_ANSWER} ${timeout / 1000} s`;
}

/** Nodes are asked for to learn the product, which a few of them tell as well as all. */
const NODE_LIMIT = 20;

/**
 * Whether `target` can be asked directly: its credentials are plain values, and no proxy stands between.
 * Bun and Go read proxy variables differently, so that where any is set kubectl asks.
 */
export function canAskDirectly(target: Target, env: Readonly<Record<string, string | undefined>>): boolean {
  const {user, cluster} = target;
  const proxied = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY'].some(
    (name) => env[name] || env[name.toLowerCase()],
  );
  return !proxied && !user.exec && !user['auth-provider'] && !cluster['proxy-url'];
}

/** Asks everything side by side. Throws `ApiFailure`. */
export async function askApiServer(
  target: Target,
  query: ClusterQuery,
  timeout: number,
  abort: AbortSignal,
): Promise<ClusterFacts> {
  const get = await prepare(target, timeout, abort);
  const namespace = encodeURIComponent(target.namespace);
  const [pullSecret, builder, nodes] = await Promise.all([
    query.pullSecret === undefined
      ? undefined
      : get(
          // includeObject=None: not even the row's metadata is sent.
          `/api/v1/namespaces/${namespace}/secrets/${encodeURIComponent(query.pullSecret)}?includeObject=None`,
          ACCEPT_TABLE,
        ).then((response) => answer(response, readSecretTable)),
    query.builder === undefined
      ? undefined
      : get(
          `/apis/apps/v1/namespaces/${namespace}/deployments/${encodeURIComponent(query.builder)}`,
          ACCEPT_METADATA,
        ).then((response) => answer(response, readBuilder)),
    query.nodes
      ? get(`/api/v1/nodes?limit=${NODE_LIMIT}`, 'application/json').then((response) =>
          answer(response, readNodeList),
        )
      : undefined,
  ]);
  return {pullSecret, builder, nodes};
}

function answer<T>({status, body}: Response, read: (body: unknown) => T | undefined): Answer<T> {
  if (status === 200) {
    const value = read(parseJson(body));
    if (value !== undefined) return {kind: 'found', value};
    throw new ApiFailure('it answered with something other than what was asked for', {status});
  }
  // A gateway or a proxy answers with pages of its own; only the API server's word counts.
  const said = readStatus(body);
  if (said !== undefined && status === 404) return {kind: 'missing'};
  if (said !== undefined && status === 403) return {kind: 'forbidden', message: said};
  throw new ApiFailure(said ?? `HTTP ${status}: ${body.trim().slice(0, 200)}`, {status});
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ApiFailure('it answered with something that is not JSON', {cause});
  }
}

type Get = (path: string, accept: string) => Promise<Response>;

async function prepare(target: Target, timeout: number, abort: AbortSignal): Promise<Get> {
  const base = new URL(target.cluster.server);
  const options: RequestOptions = {
    method: 'GET',
    hostname: base.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: base.port,
    ...(await tlsOptions(target)),
    timeout,
    signal: abort,
  };
  const headers = {'User-Agent': 'kubectl-tiltbuild', ...(await authHeaders(target))};
  const start = base.protocol === 'http:' ? httpRequest : httpsRequest;
  const prefix = base.pathname.replace(/\/$/, '');

  return (path, accept) =>
    new Promise((resolve, reject) => {
      const fail = (cause: Error) => reject(new ApiFailure(cause.message, {cause}));
      const request = start(
        {...options, path: prefix + path, headers: {...headers, Accept: accept}},
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', fail);
          response.on('end', () =>
            resolve({status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8')}),
          );
        },
      );
      request.on('timeout', () => request.destroy(new Error(timeoutMessage(timeout))));
      request.on('error', fail);
      request.end();
    });
}

async function tlsOptions({cluster, user}: Target): Promise<RequestOptions> {
  const [ca, cert, key] = await Promise.all([
    material(cluster['certificate-authority-data'], cluster['certificate-authority']),
    material(user['client-certificate-data'], user['client-certificate']),
    material(user['client-key-data'], user['client-key']),
  ]);
  return {
    ...(ca && {ca}),
    ...(cert && key && {cert, key}),
    ...(cluster['tls-server-name'] && {servername: cluster['tls-server-name']}),
    ...(cluster['insecure-skip-tls-verify'] && {rejectUnauthorized: false}),
  };
}

/** PEM, either base64 in the kubeconfig, which wins as with kubectl, or in a file. */
async function material(data: string | undefined, path: string | undefined): Promise<Buffer | undefined> {
  if (data) return Buffer.from(data, 'base64');
  return path ? await readBytes(path) : undefined;
}

async function authHeaders({user}: Target): Promise<Record<string, string | string[]>> {
  const headers: Record<string, string | string[]> = {};
  // As client-go: the file's token is the fresher one, and wins.
  const token = user.tokenFile ? (await readBytes(user.tokenFile)).toString('utf8').trim() : user.token;
  if (token) headers.Authorization = `Bearer ${token}`;
  else if (user.username) {
    headers.Authorization = `Basic ${Buffer.from(`${user.username}:${user.password ?? ''}`).toString('base64')}`;
  }
  if (user.as) headers['Impersonate-User'] = user.as;
  if (user['as-uid']) headers['Impersonate-Uid'] = user['as-uid'];
  if (user['as-groups']?.length) headers['Impersonate-Group'] = [...user['as-groups']];
  for (const [key, values] of Object.entries(user['as-user-extra'] ?? {})) {
    headers[`Impersonate-Extra-${encodeURIComponent(key)}`] = [...values];
  }
  return headers;
}
