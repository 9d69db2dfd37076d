/** Owns the errors of the `builder` commands for a builder that does not exist, or cannot be seen or changed. */
import type {ClusterFacts} from '../../cluster/api/facts.ts';
import type {Cluster} from '../../cluster/ports.ts';
import type {OpenedCluster} from '../../cluster/with-cluster.ts';
import {TiltbuildError} from '../../errors.ts';
import type {Ports} from '../../ports.ts';
import {advise, flag} from '../../text/advice.ts';
import {findBuildActivity} from '../ensure/running-builds.ts';
import type {BuilderDeployment} from '../model/objects.ts';
import {listKnownBuilders} from '../model/observed-builder.ts';

export interface FoundBuilder {
  readonly deployment: BuilderDeployment;
  readonly facts: ClusterFacts;
}

/** Throws `builder-failed` if there is none of that name. */
export async function demandBuilder(
  name: string,
  {cluster, target: {namespace}}: OpenedCluster,
): Promise<FoundBuilder> {
  const facts = await cluster.read({builders: true});
  const all = demandBuilders(facts, namespace);
  const deployment = all.find((one) => one.name === name);
  if (deployment !== undefined) return {deployment, facts};
  throw new TiltbuildError('builder-failed', `There is no builder "${name}" in namespace "${namespace}".`, {
    remedy: [
      all.length === 0
        ? advise`This namespace has no builder; use another one with ${flag('namespace', 'NAME')}.`
        : `Builders in this namespace: ${all.map((one) => one.name).join(', ')}`,
    ],
  });
}

/** The builders of the namespace. Throws `cluster-denied` on a 403. */
export function demandBuilders(facts: ClusterFacts, namespace: string): readonly BuilderDeployment[] {
  if (facts.deployments?.kind !== 'forbidden') return listKnownBuilders(facts);
  throw new TiltbuildError(
    'cluster-denied',
    `You do not have permission to list deployments.apps in namespace "${namespace}".`,
    {
      detail: [facts.deployments.message],
      remedy: [advise`Ask for this permission, or use another namespace with ${flag('namespace', 'NAME')}.`],
    },
  );
}

/** Throws `builder-failed` if a build is running on it. */
export async function demandIdle(
  deployment: BuilderDeployment,
  cluster: Cluster,
  ports: Pick<Ports, 'notes'>,
): Promise<void> {
  const activity = await findBuildActivity(deployment, cluster);
  const who = `builder "${deployment.name}"`;
  if (activity.kind === 'building') {
    throw new TiltbuildError('builder-failed', `A build is running on ${who}.`, {
      remedy: [advise`Wait until it has finished, or stop it with ${flag('force')}.`],
    });
  }
  if (activity.kind === 'unknown')
    ports.notes.note(`${who} does not say whether a build is running on it (${activity.why}).`);
}

export function kubectlFailed(message: string, stderr = ''): TiltbuildError {
  return new TiltbuildError('builder-failed', message, {
    detail: stderr.split('\n').filter((line) => line.trim() !== ''),
  });
}
