/** Owns direct reads from the API server over HTTPS. One takes 9 ms, where a kubectl process takes 53 ms. */
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
import {readAllPages, readNodes} from '../cluster/api/pages.ts';
import {
  builderConfigsPath,
  buildersPath,
  LOCAL_REGISTRY_PATH,
  pullSecretsPath,
  RULES_REVIEW_PATH,
  secretPath,
} from '../cluster/api/paths.ts';
import type {Cluster} from '../cluster/ports.ts';
import {comesFromPlugin} from '../cluster/target/credential-plugin.ts';
import {readApiBase} from '../cluster/target/server-address.ts';
import type {Target} from '../cluster/target/target.ts';
import {isSystemError, reasonOf} from '../system-error.ts';
import {readCredentials} from './credentials.ts';
import {type Credentials, openTransport, type Response} from './https-transport.ts';
import {retryRequests} from './retry-requests.ts';

/** The part of a cluster that both ways to read from it implement. */
export type Reads = Pick<Cluster, 'read' | 'get' | 'review'>;

/** In characters. What a server says may be a page of a gateway, or worse. */
const LONGEST_MESSAGE = 4096;

/** What a server or a program says of an error, at a length that can be read. */
export function cutMessage(message: string): string {
  return message.length > LONGEST_MESSAGE ? `${message.slice(0, LONGEST_MESSAGE)}…` : message;
}

/** The API server gave no answer, or no usable one; `status` is that of an HTTP answer. */
export class ApiFailure extends Error {
  readonly status: number | undefined;

  constructor(message: string, {status, cause}: {status?: number; cause?: unknown} = {}) {
    super(cutMessage(message), {cause});
    this.status = status;
  }
}

/**
 * Whether the credentials are plain values or come from a plugin, and there is no proxy. Bun and Go read the proxy
 * variables differently, so kubectl asks if any is set.
 */
export function canAskDirectly(
  {user, cluster}: Target,
  env: Readonly<Record<string, string | undefined>>,
): boolean {
  const proxied = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY'].some(
    (name) => env[name] || env[name.toLowerCase()],
  );
  const onlyKubectl =
    proxied || cluster['proxy-url'] || user['auth-provider'] || !readApiBase(cluster.server);
  return !onlyKubectl && (!user.exec || comesFromPlugin(user));
}

type Ask = (path: string, accept?: string, body?: unknown) => Promise<Answer<unknown>>;

/** Reads the credentials once. Each read throws `ApiFailure` if there is no usable answer. */
export async function openKubeApi(target: Target, timeout: number): Promise<Reads> {
  const credentials = await readCredentials(target);
  const send = retryRequests(await openTransport(credentials), timeout);
  const ask: Ask = async (path, accept = 'application/json', body = undefined) => {
    const response = await send(path, accept, body === undefined ? undefined : JSON.stringify(body)).catch(
      (cause: Error) => {
        // The compiled program's runtime has words for programmers, about `fetch`.
        throw new ApiFailure(isSystemError(cause) ? reasonOf(cause) : cause.message, {cause});
      },
    );
    return readAnswer(response, (said) => hideLogin(said, credentials));
  };
  return {
    read: (query) => readFacts(ask, target.namespace, query),
    get: (path) => readAllPages(path, {ask, isExpired}),
    review: (path, question) => ask(path, undefined, question),
  };
}

/** Sends all requests at once. */
async function readFacts(ask: Ask, namespace: string, query: ClusterQuery): Promise<ClusterFacts> {
  const pages = {ask, isExpired};
  const list = async (path: string) => mapAnswer(await readAllPages(path, pages), readItems);
  const tables = {ask: (path: string) => ask(path, ACCEPT_TABLE), isExpired};
  const table = async <T>(path: string, read: (body: unknown) => T | undefined) =>
    mapAnswer(await readAllPages(path, tables), demand(read));
  const [pullSecret, pullSecrets, deployments, configMaps, localRegistry, nodes, rules] = await Promise.all([
    query.pullSecret === undefined
      ? undefined
      : table(secretPath({name: query.pullSecret, namespace}), readSecretTable),
    query.pullSecrets ? table(pullSecretsPath(namespace), readSecretNames) : undefined,
    query.builders ? list(buildersPath(namespace)) : undefined,
    query.builders ? list(builderConfigsPath(namespace)) : undefined,
    query.localRegistry ? ask(LOCAL_REGISTRY_PATH) : undefined,
    query.nodes === undefined ? undefined : readNodes(query.nodes, pages),
    query.builders ? readRules(ask, namespace) : undefined,
  ]);
  return {pullSecret, pullSecrets, deployments, configMaps, localRegistry, ...nodes, rules};
}

/** The user's permissions; undefined if the server answers anything else. */
async function readRules(ask: Ask, namespace: string): Promise<ClusterFacts['rules']> {
  try {
    const review = await ask(RULES_REVIEW_PATH, undefined, rulesReview(namespace));
    return review.kind === 'found' ? readRulesReview(review.value) : undefined;
  } catch (error) {
    if (error instanceof ApiFailure && error.status !== undefined) return undefined;
    throw error;
  }
}

function isExpired(error: unknown): boolean {
  return error instanceof ApiFailure && error.status === 410;
}

function demand<T>(read: (body: unknown) => T | undefined): (body: unknown) => T {
  return (body) => {
    const value = read(body);
    if (value === undefined) throw new ApiFailure('the answer is not the requested object', {status: 200});
    return value;
  };
}

function readAnswer({status, body}: Response, hide: (said: string) => string): Answer<unknown> {
  if (status === 200 || status === 201) return {kind: 'found', value: parseJson(body)};
  // A gateway or a proxy answers with pages of its own; only the API server's own words count.
  const message = readStatus(body);
  if (message !== undefined && status === 404) return {kind: 'missing'};
  if (message !== undefined && status === 403 && !isImpersonationRefused(message))
    return {kind: 'forbidden', message: cutMessage(hide(message))};
  throw new ApiFailure(
    message === undefined ? `HTTP ${status}: ${hide(body.trim()).slice(0, 200)}` : hide(message),
    {status},
  );
}

/** It holds for whatever is asked for next, so it is no answer about one resource. */
export function isImpersonationRefused(message: string): boolean {
  return message.includes('cannot impersonate resource');
}

/** What a server says of an error may repeat the login that it is about. */
function hideLogin(said: string, {headers}: Credentials): string {
  const [scheme, login = ''] = headers.Authorization?.[0]?.split(' ') ?? [];
  const [, ...password] = scheme === 'Basic' ? Buffer.from(login, 'base64').toString('utf8').split(':') : [];
  // A shorter one could not be told from the words around it.
  const secrets = [login, password.join(':')].filter(({length}) => length >= 6);
  return secrets.reduce((text, secret) => text.replaceAll(secret, '***'), said);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ApiFailure('the answer is not JSON', {cause});
  }
}
