/**
 * Owns reads through kubectl, for clusters whose credentials only kubectl can get: exec plugins, auth providers,
 * proxies. One process asks for the secret and the builder together, a second one beside it for the nodes.
 */
import {readNodeList} from '../cluster/api-objects.ts';
import type {Answer, BuilderFacts, ClusterFacts, ClusterQuery, SecretFacts} from '../cluster/facts.ts';
import type {Collected} from './runner.ts';

/** Runs kubectl with `args` behind its connection flags. */
export type RunKubectl = (args: readonly string[]) => Promise<Collected>;

/** kubectl could not ask, or was given no answer that counts; `message` is what it said. */
export class KubectlFailure extends Error {}

export async function askKubectl(run: RunKubectl, query: ClusterQuery): Promise<ClusterFacts> {
  const [named, nodes] = await Promise.all([
    query.pullSecret === undefined && query.builder === undefined ? undefined : readNamed(run, query),
    query.nodes ? readNodes(run) : undefined,
  ]);
  return {...named, nodes};
}

/**
 * Asks with the human output on purpose: kubectl then takes the server's Table, in which a Secret has a type
 * and no data, where every other format makes it fetch the whole object.
 */
async function readNamed(run: RunKubectl, query: ClusterQuery): Promise<ClusterFacts> {
  const names = [
    ...(query.pullSecret === undefined ? [] : [`secrets/${query.pullSecret}`]),
    ...(query.builder === undefined ? [] : [`deployments.apps/${query.builder}`]),
  ];
  const result = await run(['get', ...names, '--show-labels', '--no-headers', '--ignore-not-found']);
  const rows = result.stdout.split('\n').map((line) => line.trim().split(/\s+/));
  const refusals = readRefusals(result);

  const secret = (): Answer<SecretFacts> => {
    // NAME TYPE DATA AGE LABELS
    const row = rows.find((cells) => cells.length === 5 && bareName(cells[0]) === query.pullSecret);
    return row
      ? {kind: 'found', value: {type: row[1] as string}}
      : (refusals.get('secrets') ?? {kind: 'missing'});
  };
  const builder = (): Answer<BuilderFacts> => {
    // NAME READY UP-TO-DATE AVAILABLE AGE LABELS
    const row = rows.find((cells) => cells.length === 6 && bareName(cells[0]) === query.builder);
    return row
      ? {kind: 'found', value: {labels: readLabels(row[5] as string)}}
      : (refusals.get('deployments') ?? {kind: 'missing'});
  };
  return {
    pullSecret: query.pullSecret === undefined ? undefined : secret(),
    builder: query.builder === undefined ? undefined : builder(),
  };
}

async function readNodes(run: RunKubectl): Promise<ClusterFacts['nodes']> {
  const result = await run(['get', '--raw', '/api/v1/nodes?limit=20']);
  const refusal = readRefusals(result).get('nodes');
  return refusal ?? {kind: 'found', value: readNodeList(parseJson(result.stdout))};
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new KubectlFailure('it answered with something that is not JSON', {cause});
  }
}

/** kubectl puts `secret/` before a name where it found several kinds; where it found one, the name stands alone. */
function bareName(cell: string | undefined): string | undefined {
  return cell?.slice(cell.lastIndexOf('/') + 1);
}

function readLabels(cell: string): Record<string, string> {
  if (cell === '<none>') return {};
  return Object.fromEntries(cell.split(',').map((pair) => pair.split('=') as [string, string]));
}

type Refusal = {readonly kind: 'forbidden'; readonly message: string};

/** What kubectl's own errors begin with; login plugins write to the same stream. */
const OWN_ERROR =
  /^(?:Error from server|error: |Error: |Unable to connect to the server|The connection to the server)/;

/** Whether a line on kubectl's stderr is from somebody else, who wants to be heard: a login plugin. */
export function isForeignLine(line: string): boolean {
  // klog's own look like E1125 01:11:19.398124 … memcache.go:265].
  return line.trim() !== '' && !OWN_ERROR.test(line) && !/^(?:[EWIF]\d{4} |Warning:)/.test(line);
}

/** The 403s among kubectl's errors, by resource. Any other error is thrown. */
function readRefusals({exitCode, stderr}: Collected): ReadonlyMap<string, Refusal> {
  const refusals = new Map<string, Refusal>();
  if (exitCode === 0) return refusals;
  const lines = stderr.split('\n').filter((line) => line.trim() !== '');
  for (const line of lines.filter((text) => OWN_ERROR.test(text))) {
    const found = /^Error from server \(Forbidden\): ((secrets|deployments|nodes)\b.*)$/.exec(line);
    if (found === null) throw new KubectlFailure(line);
    refusals.set(found[2] as string, {kind: 'forbidden', message: found[1] as string});
  }
  if (refusals.size === 0) throw new KubectlFailure(lines.at(-1) ?? 'kubectl failed and did not say why');
  return refusals;
}
