/** Owns the values that the completion of a command line looks up: in the kubeconfig, and in the cluster. */
import type {Ports} from '../ports.ts';
import type {Surroundings} from '../surroundings.ts';
import type {Answer} from './api/facts.ts';
import {asItems, asObject, asText} from './api/json-values.ts';
import {BUILDER_SELECTOR} from './api/objects.ts';
import {deploymentsPath} from './api/paths.ts';
import type {ConnectionRequest} from './connection.ts';
import {PULL_SECRET_TYPE} from './pull-secret.ts';
import {loadKubeconfig} from './target/load-target.ts';
import {type OpenedCluster, withCluster} from './with-cluster.ts';

export type ValueSource = 'contexts' | 'clusters' | 'users' | 'namespaces' | 'builders' | 'pull-secrets';

export interface CompletionRequest {
  readonly source: ValueSource;
  /** What is typed so far. */
  readonly prefix: string;
  readonly connection: ConnectionRequest;
}

/** How long somebody who pressed a key may wait, in milliseconds; the start of the program comes on top. */
const LONGEST_WAIT = 900;

/** Nothing where nothing is found in time, whatever the reason: nobody wants to read of it between two keys. */
export async function completeValues(
  {source, prefix, connection}: CompletionRequest,
  surroundings: Surroundings,
  ports: Ports,
): Promise<readonly string[]> {
  const late = ports.sleep(LONGEST_WAIT).then(() => []);
  const found = await Promise.race([lookUp(source, connection, surroundings, ports), late]).catch(() => []);
  // A name with a line break or a tab could not be told from two, or from one with a description.
  return found.filter((name) => name.startsWith(prefix) && !/[\t\r\n]/.test(name)).sort();
}

async function lookUp(
  source: ValueSource,
  connection: ConnectionRequest,
  surroundings: Surroundings,
  ports: Ports,
): Promise<readonly string[]> {
  switch (source) {
    case 'contexts':
    case 'clusters':
    case 'users': {
      const {kubeconfig} = await loadKubeconfig(connection, surroundings, ports.files);
      return [...kubeconfig[source].keys()];
    }
    case 'namespaces':
    case 'builders':
    case 'pull-secrets':
      return await withCluster(connection, surroundings, ports, (opened) => askCluster(source, opened));
  }
}

async function askCluster(
  source: 'namespaces' | 'builders' | 'pull-secrets',
  {cluster, target}: OpenedCluster,
): Promise<readonly string[]> {
  switch (source) {
    case 'namespaces':
      return readNames(await cluster.get('/api/v1/namespaces?limit=500'));
    case 'builders': {
      const selector = `labelSelector=${encodeURIComponent(BUILDER_SELECTOR)}`;
      return readNames(await cluster.get(`${deploymentsPath(target.namespace)}?${selector}`));
    }
    case 'pull-secrets': {
      // kubectl's table for people is the one form in which the server does not send the Secrets themselves.
      const {stdout} = await cluster.kubectl([
        'get',
        'secrets',
        '--no-headers',
        `--field-selector=type=${PULL_SECRET_TYPE}`,
      ]);
      const rows = stdout.split('\n').map((line) => line.trim().split(/\s+/));
      return rows.flatMap(([name = '', type]) => (type === PULL_SECRET_TYPE ? [name] : []));
    }
  }
}

function readNames(answer: Answer<unknown>): readonly string[] {
  if (answer.kind !== 'found') return [];
  return asItems(answer.value).map(({metadata}) => asText(asObject(metadata).name));
}
