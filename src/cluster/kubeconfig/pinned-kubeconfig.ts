/** Owns the text of a kubeconfig with one target and nothing else, for a program that we start. */
import type {Target} from '../target/target.ts';

const inventedName = 'kubectl-tiltbuild';

/**
 * A kubeconfig that leads every Kubernetes client to `target`, flags included. It keeps the names, because programs
 * recognise a kind cluster by them, and has the namespace even where that is `default`. It may hold credentials: only the
 * user may read the file.
 */
export function pinnedKubeconfig(target: Target): string {
  const {name: clusterName, ...cluster} = target.cluster;
  const {name: userName, ...user} = target.user;
  const names = {
    context: target.context || inventedName,
    cluster: clusterName || inventedName,
    user: userName || inventedName,
  };
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': names.context,
    contexts: [
      {
        name: names.context,
        context: {cluster: names.cluster, user: names.user, namespace: target.namespace},
      },
    ],
    clusters: [{name: names.cluster, cluster}],
    users: [{name: names.user, user}],
  };
  return `${escapeForYaml(JSON.stringify(config, null, 2))}\n`;
}

/** client-go reads JSON as YAML, where these characters are line breaks or not allowed. */
function escapeForYaml(json: string): string {
  return json.replace(
    /[\u007f-\u00a0\u2028\u2029\ufeff\ufffe\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
