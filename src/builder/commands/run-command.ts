/** Owns the `builder` commands: each looks at the cluster, decides, and changes at most one thing. */
import type {Cluster} from '../../cluster/ports.ts';
import {type OpenedCluster, withCluster} from '../../cluster/with-cluster.ts';
import {TiltbuildError} from '../../errors.ts';
import type {Ports} from '../../ports.ts';
import type {Surroundings} from '../../surroundings.ts';
import {advise, command, flag} from '../../text/advice.ts';
import {execArgs, listPods, logArgs, readVersion} from '../ensure/inspect-builder.ts';
import {findBuildActivity} from '../ensure/running-builds.ts';
import type {BuilderDeployment} from '../model/objects.ts';
import {observeBuilder, ownsConfigMap} from '../model/observed-builder.ts';
import {findFaults, judgeBuilder} from '../verdict/verdict.ts';
import type {BuilderActionOf, BuilderCommandRequest} from './command-request.ts';
import {demandBuilder, demandBuilders, demandIdle, kubectlFailed} from './demand-builder.ts';
import {type BuilderRow, formatBuilders} from './list.ts';
import {runBuilderCreate} from './run-create.ts';

/** Gives what goes to standard output. */
export async function runBuilderCommand(
  {action, connection}: BuilderCommandRequest,
  surroundings: Surroundings,
  ports: Ports,
): Promise<string> {
  return await withCluster(connection, surroundings, ports, async (opened) => {
    switch (action.kind) {
      case 'ls':
        return await listBuilders(action, opened, ports);
      case 'create':
        return await runBuilderCreate(action, opened, surroundings, ports);
      case 'rm':
        return await removeBuilder(action, opened, ports);
      case 'logs':
        return await showLogs(action, opened);
      case 'du':
        return await runInEach(action.name, ['buildctl', 'du'], opened, ports);
      case 'images':
      case 'images rm':
      case 'images prune': {
        const {runImagesCommand} = await import('./run-images.ts');
        return await runImagesCommand(action, opened, ports);
      }
      case 'prune': {
        const words = ['buildctl', 'prune', ...(action.all ? ['--all'] : [])];
        return await runInEach(action.name, words, opened, ports);
      }
      default:
        return action satisfies never;
    }
  });
}

async function listBuilders(
  {form}: BuilderActionOf<'ls'>,
  {cluster, target}: OpenedCluster,
  ports: Ports,
): Promise<string> {
  const facts = await cluster.read({builders: true, nodes: 'all'});
  const rows = await Promise.all(
    demandBuilders(facts, target.namespace).map(async (deployment): Promise<BuilderRow> => {
      const [pods = [], version] = await Promise.all([
        listPods(deployment, cluster),
        readVersion(deployment, cluster),
      ]);
      const observed = {...observeBuilder(facts, deployment.name), deployment};
      const runWorks = !findFaults(observed, deployment).some(({kind}) => kind === 'cannot-run');
      return {deployment, verdict: judgeBuilder(observed), pods, runWorks, version};
    }),
  );
  if (rows.length === 0) {
    const create = command('kubectl', 'tiltbuild', 'builder', 'create');
    ports.notes.note(
      advise`there is no builder in namespace "${target.namespace}"; the first build creates one, and so does ${create}.`,
    );
  }
  return formatBuilders(rows, form, ports.wallClock());
}

/** Throws `usage` without a confirmation, and `builder-failed` if nobody is asked and a build is running on it. */
async function removeBuilder(
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

async function showLogs({name, follow}: BuilderActionOf<'logs'>, opened: OpenedCluster): Promise<string> {
  await demandBuilder(name, opened);
  const args = logArgs(`deployment/${name}`, ...(follow ? ['--follow'] : []));
  const {exitCode} = await opened.cluster.kubectlLive(args);
  if (exitCode !== 0) throw kubectlFailed(`Could not read the log of builder "${name}".`);
  return '';
}

/** A builder with several pods has a cache in each. */
async function runInEach(
  name: string,
  words: readonly string[],
  opened: OpenedCluster,
  ports: Ports,
): Promise<string> {
  const {deployment} = await demandBuilder(name, opened);
  const pods = ((await listPods(deployment, opened.cluster)) ?? []).filter(
    ({phase, deleting}) => phase === 'Running' && !deleting,
  );
  if (pods.length === 0) {
    throw new TiltbuildError('builder-failed', `No pod of builder "${name}" is running.`, {
      remedy: [advise`To see its state: ${command('kubectl', 'tiltbuild', 'builder', 'ls')}`],
    });
  }
  for (const pod of pods) {
    if (pods.length > 1) ports.notes.note(`on node ${pod.node ?? '(none)'}:`);
    const {exitCode} = await opened.cluster.kubectlLive(execArgs(pod.name, words));
    if (exitCode !== 0) throw kubectlFailed(`${words.join(' ')} failed in pod ${pod.name}.`);
  }
  return '';
}
