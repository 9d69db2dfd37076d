/** Owns `builder rm`: it removes a builder and its configuration. */
import type {Cluster} from '../../cluster/ports.ts';
import type {OpenedCluster} from '../../cluster/with-cluster.ts';
import {TiltbuildError} from '../../errors.ts';
import type {Ports} from '../../ports.ts';
import {advise, flag} from '../../text/advice.ts';
import {findBuildActivity} from '../ensure/running-builds.ts';
import type {BuilderDeployment} from '../model/objects.ts';
import {ownsConfigMap} from '../model/observed-builder.ts';
import type {BuilderActionOf} from './command-request.ts';
import {demandBuilder, demandIdle, kubectlFailed} from './demand-builder.ts';

/** Throws `usage` without a confirmation, and `builder-failed` if nobody is asked and a build is running on it. */
export async function removeBuilder(
  {name, yes, force}: BuilderActionOf<'rm'>,
  opened: OpenedCluster,
  ports: Ports,
): Promise<string> {
  const {cluster, target} = opened;
  const {deployment, facts} = await demandBuilder(name, opened);
  if (yes && !force) await demandIdle(deployment, cluster, ports);
  if (!yes && !(await ports.confirm(await askToRemove(deployment, force, cluster)))) {
    throw new TiltbuildError('usage', 'Nothing was removed.', {
      remedy: [advise`To remove it without a question: ${flag('yes')}`],
    });
  }
  const configMap = ownsConfigMap(facts, name) ? [`configmap/${name}`] : [];
  const objects = [`deployment/${name}`, ...configMap];
  const {exitCode, stderr} = await cluster.kubectl(['delete', ...objects, '--ignore-not-found']);
  if (exitCode !== 0) throw kubectlFailed('Could not remove the builder.', stderr);
  if (facts.configMaps?.kind === 'forbidden')
    ports.notes.note('its ConfigMap stays, because you do not have permission to list configmaps.');
  ports.notes.note(`removed builder "${name}" from namespace "${target.namespace}".`);
  return '';
}

async function askToRemove(deployment: BuilderDeployment, force: boolean, cluster: Cluster): Promise<string> {
  const {name, namespace} = deployment;
  const question = `Remove the builder "${name}" in namespace "${namespace}" and its cache? [y/N] `;
  const activity = force ? undefined : await findBuildActivity(deployment, cluster);
  switch (activity?.kind) {
    case 'building':
      return `A build is running on it. ${question}`;
    case 'unknown':
      return `A build may be running on it (${activity.why}). ${question}`;
    default:
      return question;
  }
}
