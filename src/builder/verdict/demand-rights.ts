/** Owns what a builder cannot do without in its namespace: the namespace itself, and the user's rights there. */
import type {ClusterFacts} from '../../cluster/api/facts.ts';
import {namespacePath} from '../../cluster/api/paths.ts';
import type {Cluster} from '../../cluster/ports.ts';
import {TiltbuildError} from '../../errors.ts';
import {formatRight, missingRights, REPLACE_RIGHTS, type Right} from './rights.ts';

/**
 * Throws `cluster-denied` for a right that is missing: kubectl build would need it as well, and retries for ever
 * where it is refused (its source, `createConfigMap` and `createBuilder`).
 */
export function demandRights(
  {deployments, rules}: ClusterFacts,
  namespace: string,
  wanted: readonly Right[],
  name: string,
): void {
  const missing = rules === undefined ? [] : missingRights(rules, wanted, name).map(formatRight);
  if (deployments?.kind === 'forbidden' && missing.length === 0) missing.push('list deployments.apps');
  if (missing.length === 0) return;
  throw new TiltbuildError(
    'cluster-denied',
    `You may not ${missing.join(', ')} in namespace "${namespace}", which a build needs.`,
    {
      detail: deployments?.kind === 'forbidden' ? [deployments.message] : [],
      remedy: [
        `Ask for ${missing.length === 1 ? 'that right' : 'those rights'}, or build in another namespace with --namespace.`,
        `To check: kubectl auth can-i ${missing[0]} --namespace ${namespace}`,
      ],
    },
  );
}

/** Throws `namespace-missing`; kubectl build would retry for a minute and a half (recordings, namespace-missing). */
export async function demandNamespace(namespace: string, cluster: Cluster): Promise<void> {
  const answer = await cluster.get(namespacePath(namespace));
  // Who may not look at namespaces can still be allowed to build in one.
  if (answer.kind !== 'missing') return;
  throw new TiltbuildError('namespace-missing', `There is no namespace "${namespace}" in this cluster.`, {
    remedy: [
      `Create it with: kubectl create namespace ${namespace}`,
      'Or name another one with --namespace.',
    ],
  });
}

/** Why a builder cannot be replaced here, as a clause; undefined where nothing is in the way. */
export function findObstacle({nodes, rules}: ClusterFacts): string | undefined {
  if (nodes?.kind !== 'found')
    return 'you may not list the nodes, and so their container runtime is not known';
  const missing = rules === undefined ? [] : missingRights(rules, REPLACE_RIGHTS).map(formatRight);
  return missing.length === 0 ? undefined : `you may not ${missing.join(', ')}`;
}
