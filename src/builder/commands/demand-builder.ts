/** Owns what the `builder` commands say of a builder that is not there, not to be seen, or not to be changed. */
import type {ClusterFacts} from '../../cluster/api/facts.ts';
import type {OpenedCluster} from '../../cluster/with-cluster.ts';
import {TiltbuildError} from '../../errors.ts';
import {listKnownBuilders} from '../ensure/observed-builder.ts';
import type {BuilderDeployment} from '../model/objects.ts';

/** Throws `builder-failed` where there is none of that name. */
export async function demandBuilder(
  name: string,
  {cluster, target}: OpenedCluster,
): Promise<BuilderDeployment> {
  const facts = await cluster.read({builders: true, nodes: false});
  const all = demandBuilders(facts, target.namespace);
  const found = all.find((deployment) => deployment.name === name);
  if (found !== undefined) return found;
  throw new TiltbuildError(
    'builder-failed',
    `There is no builder "${name}" in namespace "${target.namespace}".`,
    {
      remedy: [
        all.length === 0
          ? 'There is none at all in this namespace; name another with --namespace.'
          : `Those that are there: ${all.map((deployment) => deployment.name).join(', ')}`,
      ],
    },
  );
}

/** Those of the namespace. Throws `cluster-denied` on a 403. */
export function demandBuilders(facts: ClusterFacts, namespace: string): readonly BuilderDeployment[] {
  if (facts.deployments?.kind === 'forbidden') {
    throw new TiltbuildError('cluster-denied', `You may not list Deployments in namespace "${namespace}".`, {
      detail: [facts.deployments.message],
      remedy: ['Ask for the right list deployments.apps, or name another namespace with --namespace.'],
    });
  }
  return listKnownBuilders(facts);
}

export function kubectlFailed(message: string, stderr: string): TiltbuildError {
  return new TiltbuildError('builder-failed', message, {
    detail: stderr.split('\n').filter((line) => line.trim() !== ''),
  });
}
