/** Owns reads through kubectl, for clusters whose credentials or proxy only kubectl can use. */
import type {Answer, ClusterFacts, ClusterQuery, SecretFacts} from '../cluster/api/facts.ts';
import {readItems} from '../cluster/api/objects.ts';
import {type Pages, readAllPages, readNodes} from '../cluster/api/pages.ts';
import {BUILDER_SELECTOR, LOCAL_REGISTRY_PATH, PULL_SECRET_SELECTOR} from '../cluster/api/paths.ts';
import {cutMessage, isImpersonationRefused, type Reads} from './kube-api.ts';
import type {Collected} from './runner.ts';

/** Runs kubectl with `args` after its connection flags; `input` is its standard input. */
export type RunKubectl = (args: readonly string[], input?: string) => Promise<Collected>;

/** kubectl got no answer, or no usable one; `message` is what it said. */
export class KubectlFailure extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(cutMessage(message), options);
  }
}

/** Each read throws `KubectlFailure` if there is no usable answer. */
export function readThroughKubectl(run: RunKubectl): Reads {
  return {
    read: (query) => readFacts(explainRefusals(run), query),
    get: (path) => readAllPages(path, pagesThrough(run)),
    review: async (path, question) =>
      readRaw(await run(['create', '--raw', path, '--filename', '-'], JSON.stringify(question))),
  };
}

/**
 * Runs one process for each kind of thing, all at once. The user's permissions are left out: that would take one more,
 * and kubectl build names the permission it lacks.
 */
async function readFacts(run: RunKubectl, query: ClusterQuery): Promise<ClusterFacts> {
  const [pullSecret, pullSecrets, builders, localRegistry, nodes] = await Promise.all([
    query.pullSecret === undefined ? undefined : readSecret(run, query.pullSecret),
    query.pullSecrets ? listPullSecrets(run) : undefined,
    query.builders ? readBuilders(run) : undefined,
    query.localRegistry ? pagesThrough(run).ask(LOCAL_REGISTRY_PATH) : undefined,
    query.nodes === undefined ? undefined : readNodes(query.nodes, pagesThrough(run, ['nodes'])),
  ]);
  return {pullSecret, pullSecrets, ...builders, localRegistry, ...nodes};
}

/**
 * `kubectl get` first asks which kinds of objects the server has. If even that is refused, as it is for a user who may
 * not impersonate, it says no more than "unknown"; asked for the path alone, it prints the reason.
 */
function explainRefusals(run: RunKubectl): RunKubectl {
  return async (args) => {
    const ended = await run(args);
    if (!/^Error from server \(Forbidden\): unknown$/m.test(ended.stderr)) return ended;
    const asked = await run(['get', '--raw', '/api']);
    return asked.exitCode === 0 ? ended : asked;
  };
}

/**
 * Asks for kubectl's human-readable output on purpose: kubectl then gets the server's Table, in which a Secret has a
 * type and no data. For any other format it fetches the whole object.
 */
async function readSecret(run: RunKubectl, name: string): Promise<Answer<SecretFacts>> {
  const result = await run(['get', `secrets/${name}`, '--no-headers', '--ignore-not-found']);
  const refusal = readRefusals(result, ['secrets']).get('secrets');
  if (refusal !== undefined) return refusal;
  // NAME TYPE DATA AGE
  const [found, type] = result.stdout.trim().split(/\s+/);
  return found === name && type !== undefined ? {kind: 'found', value: {type}} : {kind: 'missing'};
}

/** Also human-readable, for the same reason. */
async function listPullSecrets(run: RunKubectl): Promise<Answer<readonly string[]>> {
  const result = await run(['get', 'secrets', '--field-selector', PULL_SECRET_SELECTOR, '--no-headers']);
  const refusal = readRefusals(result, ['secrets']).get('secrets');
  if (refusal !== undefined) return refusal;
  const names = result.stdout.split('\n').flatMap((line) => line.trim().split(/\s+/)[0] || []);
  return {kind: 'found', value: names};
}

async function readBuilders(run: RunKubectl): Promise<Pick<ClusterFacts, 'deployments' | 'configMaps'>> {
  const kinds = 'deployments.apps,configmaps';
  const result = await run(['get', kinds, '--selector', BUILDER_SELECTOR, '--output', 'json']);
  const refusals = readRefusals(result, ['deployments', 'configmaps']);
  const items = result.stdout.trim() === '' ? [] : readItems(parseJson(result.stdout));
  const ofKind = (kind: string) =>
    items.filter((item) => typeof item === 'object' && item !== null && 'kind' in item && item.kind === kind);
  return {
    deployments: refusals.get('deployments') ?? {kind: 'found', value: ofKind('Deployment')},
    configMaps: refusals.get('configmaps') ?? {kind: 'found', value: ofKind('ConfigMap')},
  };
}

/** kubectl itself pages through what it is asked for by name, and not through what is asked for by path. */
function pagesThrough(run: RunKubectl, asked?: readonly string[]): Pages {
  return {
    ask: async (path) => readRaw(await run(['get', '--raw', path]), asked),
    isExpired: (error) =>
      error instanceof KubectlFailure && /^Error from server \((?:Expired|Gone)\)/.test(error.message),
  };
}

function readRaw(result: Collected, asked?: readonly string[]): Answer<unknown> {
  if (result.exitCode !== 0 && /^Error from server \(NotFound\)/m.test(result.stderr))
    return {kind: 'missing'};
  const [refusal] = readRefusals(result, asked).values();
  return refusal ?? {kind: 'found', value: parseJson(result.stdout)};
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new KubectlFailure('the answer is not JSON', {cause});
  }
}

type Refusal = {readonly kind: 'forbidden'; readonly message: string};

/** How kubectl's own errors begin; login plugins write to the same stream. */
const OWN_ERROR =
  /^(?:Error from server|error: |Error: |Unable to connect to the server|The connection to the server)/;

export function isOwnError(line: string): boolean {
  return OWN_ERROR.test(line);
}

/** klog's, such as `E1125 01:11:19.398124    9228 v2.go:104] "Unhandled Error" err="websocket: close sent"`. */
const LOG_LINE = /[EWIF]\d{4} \d{2}:\d{2}:\d{2}\.\d+ +\d+ .*$/gm;

/** What kubectl printed to standard error, without its log: that comes by chance, and after what matters. */
export function dropLog(stderr: string): string {
  return stderr.replaceAll(LOG_LINE, '');
}

/** Whether a line on kubectl's standard error is a message of a login plugin, for the user to see. */
export function isForeignLine(line: string): boolean {
  return dropLog(line).trim() !== '' && !OWN_ERROR.test(line) && !/^(?:Warning:|EOF$)/.test(line);
}

const FORBIDDEN = /^Error from server \(Forbidden\): (([a-z]+)\b.*)$/;

/** The 403s among kubectl's errors, by resource. Throws for any other error, and for a resource not in `asked`. */
function readRefusals(
  {exitCode, stderr}: Collected,
  asked?: readonly string[],
): ReadonlyMap<string, Refusal> {
  const refusals = new Map<string, Refusal>();
  if (exitCode === 0) return refusals;
  const lines = stderr.split('\n').filter((line) => line.trim() !== '');
  const errors = lines.filter((line) => OWN_ERROR.test(line));
  const serious = errors.find((line) => !FORBIDDEN.test(line));
  if (serious !== undefined) throw new KubectlFailure(serious);
  for (const line of errors) {
    const [, message = '', resource = ''] = FORBIDDEN.exec(line) ?? [];
    const isAbout = asked === undefined || asked.includes(resource);
    if (!isAbout || isImpersonationRefused(message)) throw new KubectlFailure(line);
    refusals.set(resource, {kind: 'forbidden', message: cutMessage(message)});
  }
  if (refusals.size === 0) throw new KubectlFailure(lines.at(-1) ?? 'kubectl failed without a message');
  return refusals;
}
