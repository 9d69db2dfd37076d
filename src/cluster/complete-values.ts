/** Owns the values that shell completion looks up in the kubeconfig and in the cluster. */
import type {Ports} from '../ports.ts';
import type {Surroundings} from '../surroundings.ts';
import type {Answer} from './api/facts.ts';
import {asItems, asObject, asText} from './api/json-values.ts';
import {buildersPath, NAMESPACES_PATH} from './api/paths.ts';
import type {ConnectionRequest} from './connection.ts';
import {loadKubeconfig} from './target/load-target.ts';
import {type OpenedCluster, withCluster} from './with-cluster.ts';

export type ValueSource = 'contexts' | 'clusters' | 'users' | 'namespaces' | 'builders' | 'pull-secrets';

export interface CompletionRequest {
  readonly source: ValueSource;
  /** What the user has typed so far. */
  readonly prefix: string;
  readonly connection: ConnectionRequest;
}

/** How long a user who pressed Tab waits at most, in milliseconds, beside the start of the program. */
const LONGEST_WAIT = 900;

/** Empty where nothing is found in time, whatever the reason: an error would disturb the command line. */
export async function completeValues(
  {source, prefix, connection}: CompletionRequest,
  surroundings: Surroundings,
  ports: Ports,
): Promise<readonly string[]> {
  const late = ports.sleep(LONGEST_WAIT).then(() => []);
  const found = await Promise.race([lookUp(source, connection, surroundings, ports), late]).catch(() => []);
  // A name with a line break or a tab would look like two, or like one with a description.
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
      return readNames(await cluster.get(NAMESPACES_PATH));
    case 'builders':
      return readNames(await cluster.get(buildersPath(target.namespace)));
    case 'pull-secrets': {
      const {pullSecrets} = await cluster.read({pullSecrets: true});
      return pullSecrets?.kind === 'found' ? pullSecrets.value : [];
    }
  }
}

function readNames(answer: Answer<unknown>): readonly string[] {
  if (answer.kind !== 'found') return [];
  return asItems(answer.value).map(({metadata}) => asText(asObject(metadata).name));
}
