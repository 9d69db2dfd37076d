/** Owns the text of a kubeconfig that holds one target and nothing else, for a program that we start. */
import type {Target} from '../target/target.ts';

const inventedName = 'kubectl-tiltbuild';

/**
 * A kubeconfig that every Kubernetes client reads to the effect of `target`, flags included. It keeps the
 * names, as programs tell a kind cluster by them, and says the namespace even where it is `default`.
 * It may hold credentials: write it for the user's eyes only.
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

/** client-go reads JSON as YAML, where these raw characters are a line break or not allowed at all. */
function escapeForYaml(json: string): string {
  return json.replace(
    /[\u007f-\u00a0\u2028\u2029\ufeff\ufffe\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
