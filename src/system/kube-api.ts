/**
 * Owns direct reads from the API server over HTTPS, with credentials that are plain values: certificates, tokens,
 * passwords. One read costs 9 ms where a kubectl process costs 53 ms (design, section 1, Time).
 */
import type {Answer, ClusterFacts, ClusterQuery} from '../cluster/api/facts.ts';
import {
  ACCEPT_TABLE,
  mapAnswer,
  readItems,
  readRulesReview,
  readSecretNames,
  readSecretTable,
  readStatus,
  rulesReview,
} from '../cluster/api/objects.ts';
import {
  builderConfigsPath,
  buildersPath,
  NODES_PATH,
  pullSecretsPath,
  RULES_REVIEW_PATH,
  secretPath,
} from '../cluster/api/paths.ts';
import {comesFromPlugin} from '../cluster/target/credential-plugin.ts';
import type {Target} from '../cluster/target/target.ts';
import {readBytes} from './disk-files.ts';
import {openTransport, type Response, type Send, type TlsMaterial} from './https-transport.ts';

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

/**
 * Whether `target` can be asked directly: its credentials are plain values, or a plugin gives them, and no proxy stands
 * between. Bun and Go read proxy variables differently, so that where any is set kubectl asks.
 */
export function canAskDirectly(target: Target, env: Readonly<Record<string, string | undefined>>): boolean {
  const {user, cluster} = target;
  const proxied = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY'].some(
    (name) => env[name] || env[name.toLowerCase()],
  );
  return !proxied && (!user.exec || comesFromPlugin(user)) && !user['auth-provider'] && !cluster['proxy-url'];
}

/** One target, asked directly. Every call throws `ApiFailure` where there is no answer that counts. */
export interface DirectApi {
  /** An object or a list, as the server sends it for `accept`. */
  get(path: string, accept?: string): Promise<Answer<unknown>>;
  post(path: string, body: unknown): Promise<Answer<unknown>>;
}

/** Reads the credentials once, and gives the way to ask. */
export async function openDirectApi(target: Target, timeout: number, abort: AbortSignal): Promise<DirectApi> {
  const send = await prepare(target, timeout, abort);
  return {
    get: async (path, accept = 'application/json') => answer(await send('GET', path, accept)),
    post: async (path, body) => answer(await send('POST', path, 'application/json', JSON.stringify(body))),
  };
}

/** Asks everything side by side. */
export async function askApiServer(
  api: DirectApi,
  {namespace}: Target,
  query: ClusterQuery,
): Promise<ClusterFacts> {
  const list = (path: string) => api.get(path).then((found) => mapAnswer(found, readItems));
  const [pullSecret, pullSecrets, deployments, configMaps, nodes, rules] = await Promise.all([
    query.pullSecret === undefined
      ? undefined
      : api
          .get(secretPath({name: query.pullSecret, namespace}), ACCEPT_TABLE)
          .then((found) => mapAnswer(found, demand(readSecretTable))),
    query.pullSecrets
      ? api
          .get(pullSecretsPath(namespace), ACCEPT_TABLE)
          .then((found) => mapAnswer(found, demand(readSecretNames)))
      : undefined,
    query.builders ? list(buildersPath(namespace)) : undefined,
    query.builders ? list(builderConfigsPath(namespace)) : undefined,
    query.nodes ? list(NODES_PATH) : undefined,
    query.builders ? readRules(api, namespace) : undefined,
  ]);
  return {pullSecret, ...(pullSecrets && {pullSecrets}), deployments, configMaps, nodes, rules};
}

/** What the user may do, where the server tells: an answer that is anything else counts as none. */
async function readRules(api: DirectApi, namespace: string): Promise<ClusterFacts['rules']> {
  try {
    const review = await api.post(RULES_REVIEW_PATH, rulesReview(namespace));
    return review.kind === 'found' ? readRulesReview(review.value) : undefined;
  } catch (error) {
    if (error instanceof ApiFailure && error.status !== undefined) return undefined;
    throw error;
  }
}

function demand<T>(read: (body: unknown) => T | undefined): (body: unknown) => T {
  return (body) => {
    const value = read(body);
    if (value === undefined)
      throw new ApiFailure('it answered with something other than what was asked for', {status: 200});
    return value;
  };
}

function answer({status, body}: Response): Answer<unknown> {
  if (status === 200 || status === 201) return {kind: 'found', value: parseJson(body)};
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

async function prepare(target: Target, timeout: number, abort: AbortSignal): Promise<Send> {
  const [tls, headers] = await Promise.all([readTls(target), authHeaders(target)]);
  const onTimeout = () => new Error(timeoutMessage(timeout));
  const {server} = target.cluster;
  const send = await openTransport({server, tls, headers, timeout, abort, onTimeout});
  return (...request) =>
    send(...request).catch((cause: Error) => {
      throw new ApiFailure(cause.message, {cause});
    });
}

async function readTls({cluster, user}: Target): Promise<TlsMaterial> {
  const [ca, cert, key] = await Promise.all([
    readAuthority(cluster),
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

/** PEM of the authority that the cluster's certificate has to come from, if the kubeconfig names one. */
export async function readAuthority(cluster: Target['cluster']): Promise<Buffer | undefined> {
  return await material(cluster['certificate-authority-data'], cluster['certificate-authority']);
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
