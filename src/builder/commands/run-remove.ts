/** Owns `builder rm`: it removes a builder, its configuration and its cache. */
import type {Cluster} from '../../cluster/ports.ts';
import {identify} from '../../cluster/product.ts';
import type {OpenedCluster} from '../../cluster/with-cluster.ts';
import {TiltbuildError} from '../../errors.ts';
import type {Ports} from '../../ports.ts';
import type {Surroundings} from '../../surroundings.ts';
import {advise, command, flag} from '../../text/advice.ts';
import {createBuilder, readAgain, replaceBuilder} from '../ensure/create-builder.ts';
import {emptyCache} from '../ensure/empty-cache.ts';
import {findBuildActivity} from '../ensure/running-builds.ts';
import {listStateDirectories} from '../ensure/state-directory.ts';
import {waitForBuilder} from '../ensure/wait-for-builder.ts';
import {waitForOthers} from '../ensure/wait-for-others.ts';
import {selectBuilderNodes} from '../manifest/nodes.ts';
import type {BuilderDeployment} from '../model/objects.ts';
import {ownsConfigMap, readNodesOf} from '../model/observed-builder.ts';
import {type BuilderRequest, usualBuilderRequest} from '../model/request.ts';
import type {BuilderActionOf} from './command-request.ts';
import {demandBuilder, demandBuilders, demandIdle, kubectlFailed} from './demand-builder.ts';

/** Throws `usage` without a confirmation, and `builder-failed` if nobody is asked and a build is running on it. */
export async function removeBuilder(
  action: BuilderActionOf<'rm'>,
  opened: OpenedCluster,
  {toolVersion}: Surroundings,
  ports: Ports,
): Promise<string> {
  const {name, yes, force} = action;
  const {cluster, target} = opened;
  const isRecreated = action.purge && (await recreateIfGone(action, opened, toolVersion, ports));
  const {deployment, facts} = await demandBuilder(name, opened);
  if (!yes && !isRecreated) await demandConsent(await askToRemove(deployment, force, cluster), ports);
  else if (!force) await demandIdle(deployment, cluster, ports);
  const whyNot =
    deployment.runtime === 'containerd' ? await emptyCache(deployment, cluster, ports) : undefined;
  const configMap = ownsConfigMap(facts, name) ? [`configmap/${name}`] : [];
  const objects = [`deployment/${name}`, ...configMap];
  const {exitCode, stderr} = await cluster.kubectl(['delete', ...objects, '--ignore-not-found']);
  if (exitCode !== 0) throw kubectlFailed(`Could not remove the builder "${name}".`, stderr);
  if (facts.configMaps?.kind === 'forbidden')
    ports.notes.note('its ConfigMap stays, because you do not have permission to list configmaps.');
  ports.notes.note(`removed builder "${name}" from namespace "${target.namespace}".`);
  if (whyNot !== undefined) {
    const purge = command('kubectl', 'tiltbuild', 'builder', 'rm', name, '--purge');
    ports.notes.note(advise`its cache stays on the node, because ${whyNot}. To remove it: ${purge}`);
  }
  return '';
}

async function demandConsent(question: string, {confirm}: Ports): Promise<void> {
  if (await confirm(question)) return;
  throw new TiltbuildError('usage', 'Nothing was removed.', {
    remedy: [advise`To remove it without a question: ${flag('yes')}`],
  });
}

/** A builder of the same name finds the cache of the one that is gone, on whatever node that was. */
async function recreateIfGone(
  {name, yes, timeout}: BuilderActionOf<'rm'>,
  {cluster, target: {namespace}, byNames}: OpenedCluster,
  toolVersion: string,
  ports: Ports,
): Promise<boolean> {
  const facts = await cluster.read({builders: true, nodes: 'all'});
  if (demandBuilders(facts, namespace).some((deployment) => deployment.name === name)) return false;
  const gone = `There is no builder "${name}" in namespace "${namespace}".`;
  if (!yes)
    await demandConsent(`${gone} Create one, and remove it with the cache of the last one? [y/N] `, ports);
  const {product} = identify(facts, byNames);
  const usual = usualBuilderRequest({name, namespace, product});
  const nodes = readNodesOf(facts);
  // On all of them, however many those are.
  const replicas = selectBuilderNodes(nodes ?? [], usual.settings).length || 1;
  const request = {...usual, timeout, settings: {...usual.settings, replicas}};
  ports.notes.note(`there is no builder "${name}"; creating one to remove what the last one left.`);
  const creation = {request, product, toolVersion, cluster};
  const [current, ...older] = await listStateDirectories(request.settings, cluster);
  for (const stateDirectory of older) {
    await createBuilder({...creation, stateDirectory}, nodes);
    await emptyOlder(stateDirectory, request, cluster, ports);
  }
  const last = older.length > 0 ? await readAgain(request.settings, cluster) : undefined;
  if (last === undefined) await createBuilder({...creation, stateDirectory: current}, nodes);
  else await replaceBuilder({...creation, stateDirectory: current}, nodes, last);
  const created = await waitForBuilder(request, cluster, ports);
  await waitForOthers(request, created, cluster, ports);
  return true;
}

/** A directory of earlier versions, which a builder of another cluster on the same node may be using. */
async function emptyOlder(
  directory: string,
  request: BuilderRequest,
  cluster: Cluster,
  ports: Ports,
): Promise<void> {
  try {
    const whyNot = await emptyCache(await waitForBuilder(request, cluster, ports), cluster, ports);
    if (whyNot !== undefined) ports.notes.note(`what is in ${directory} stays, because ${whyNot}.`);
  } catch (error) {
    if (!(error instanceof TiltbuildError) || error.code !== 'builder-failed') throw error;
    ports.notes.note(`what is in ${directory} stays: ${error.message}`);
  }
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
