/** Owns the `builder` commands: each is a look at the cluster, a decision, and at most one change. */
import {stringify} from 'yaml';
import {
  type BuilderDeployment,
  readBuilderDeployment,
  readBuilderToml,
  readNodeRuntimes,
} from '../cluster/builder-objects.ts';
import {findFaults, judgeBuilder, LOCAL} from '../cluster/builder-verdict.ts';
import type {ApiObject, ClusterFacts} from '../cluster/facts.ts';
import {TiltbuildError} from '../errors.ts';
import type {Surroundings} from './build-request.ts';
import {type BuilderRow, formatBuilders} from './builder-list.ts';
import type {BuilderAction, BuilderCommandRequest} from './builder-request.ts';
import {identifyByNodes, refuseK3d} from './check-product.ts';
import {execArgs, isBuildRunning, listPods, POD_WAIT, readVersion} from './inspect-builder.ts';
import {createBuilder, planBuilder, replaceBuilder} from './make-builder.ts';
import type {Ports} from './ports.ts';
import {waitForBuilder} from './wait-for-builder.ts';
import {type OpenedCluster, withCluster} from './with-cluster.ts';

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
        return await create(action, opened, surroundings, ports);
      case 'rm':
        return await remove(action, opened, ports);
      case 'logs':
        return await showLogs(action, opened);
      case 'du':
        return await runInEach(action.name, ['buildctl', 'du'], opened, ports);
      case 'prune':
        return await runInEach(
          action.name,
          ['buildctl', 'prune', ...(action.all ? ['--all'] : [])],
          opened,
          ports,
        );
      default:
        return action satisfies never;
    }
  });
}

type Of<Kind extends BuilderAction['kind']> = Extract<BuilderAction, {kind: Kind}>;

async function listBuilders({form}: Of<'ls'>, opened: OpenedCluster, ports: Ports): Promise<string> {
  const {cluster, target} = opened;
  const facts = await cluster.read({builders: true, nodes: true});
  const configs = items(facts.configMaps);
  const nodes = facts.nodes?.kind === 'found' ? readNodeRuntimes(facts.nodes.value) : undefined;
  const rows = await Promise.all(
    deploymentsIn(facts, target.namespace).map(async (deployment): Promise<BuilderRow> => {
      const config = configs.find((object) => readBuilderDeployment(object).name === deployment.name);
      const toml = config === undefined ? undefined : readBuilderToml(config);
      const [pods, version] = await Promise.all([
        listPods(deployment, cluster),
        readVersion(deployment, cluster),
      ]);
      const observed = {deployment, toml, nodes};
      const runWorks = !findFaults(observed).some(({kind}) => kind === 'cannot-run');
      return {deployment, verdict: judgeBuilder(observed), pods: pods ?? [], runWorks, version};
    }),
  );
  if (rows.length === 0) {
    ports.notes.note(
      `there is no builder in namespace "${target.namespace}"; the first build makes one, or kubectl tiltbuild builder create.`,
    );
  }
  return formatBuilders(rows, form, ports.wallClock());
}

async function create(
  action: Of<'create'>,
  opened: OpenedCluster,
  {toolVersion}: Surroundings,
  ports: Ports,
): Promise<string> {
  const {cluster, target, byNames} = opened;
  refuseK3d(byNames);
  const facts = await cluster.read({builders: true, nodes: true});
  const identified = byNames.product === 'unknown' ? identifyByNodes(facts, byNames) : byNames;
  refuseK3d(identified);
  const settings = {...action.settings, namespace: target.namespace};
  const fixedNodes = LOCAL[identified.product];
  const request = {settings, policy: 'ensure' as const, timeout: action.timeout, fixedNodes};
  const making = {request, product: identified.product, toolVersion, cluster};
  const nodes = facts.nodes?.kind === 'found' ? readNodeRuntimes(facts.nodes.value) : undefined;
  if (action.dryRun) {
    const {configMap, deployment} = planBuilder(making, nodes);
    return [configMap, deployment]
      .map((object) => stringify(object, {aliasDuplicateObjects: false}))
      .join('---\n');
  }

  const old = deploymentsIn(facts, target.namespace).find(({name}) => name === settings.name);
  if (old === undefined) {
    await createBuilder(making, nodes);
  } else if (!action.replace) {
    throw new TiltbuildError(
      'builder-failed',
      `There is a builder "${old.name}" in namespace "${old.namespace}" already.`,
      {remedy: ['To make it anew: --replace. To see how it is: kubectl tiltbuild builder ls']},
    );
  } else {
    await demandIdle(old, action, opened);
    await replaceBuilder(making, nodes, old);
  }
  await waitForBuilder(request, cluster, ports);
  ports.notes.note(`builder "${settings.name}" in namespace "${settings.namespace}" is ready.`);
  return '';
}

async function demandIdle(
  old: BuilderDeployment,
  {force}: Of<'create'>,
  {cluster}: OpenedCluster,
): Promise<void> {
  if (force || (await isBuildRunning(old, cluster)) !== true) return;
  throw new TiltbuildError('builder-failed', `A build is running on the builder "${old.name}".`, {
    remedy: ['Wait until it is done, or end it with --force.'],
  });
}

async function remove({name, yes}: Of<'rm'>, opened: OpenedCluster, ports: Ports): Promise<string> {
  const {cluster, target} = opened;
  await demandBuilder(name, opened);
  const question = `Remove the builder "${name}" in namespace "${target.namespace}", with its cache? [y/N] `;
  if (!yes && !(await ports.confirm(question))) {
    throw new TiltbuildError('usage', 'Nothing was removed.', {
      remedy: ['To remove it without being asked: --yes'],
    });
  }
  const {exitCode, stderr} = await cluster.kubectl([
    'delete',
    `deployment/${name}`,
    `configmap/${name}`,
    '--ignore-not-found',
  ]);
  if (exitCode !== 0) throw kubectlFailed('The builder could not be removed.', stderr);
  ports.notes.note(`builder "${name}" in namespace "${target.namespace}" is removed.`);
  return '';
}

async function showLogs({name, follow}: Of<'logs'>, opened: OpenedCluster): Promise<string> {
  await demandBuilder(name, opened);
  const where = [`deployment/${name}`, ...POD_WAIT, '--container', 'buildkitd'];
  const args = ['logs', ...where, ...(follow ? ['--follow'] : [])];
  const {exitCode} = await opened.cluster.kubectlLive(args);
  if (exitCode !== 0) throw kubectlFailed(`The log of the builder "${name}" could not be read.`, '');
  return '';
}

/** A builder with several pods has a cache in each. */
async function runInEach(
  name: string,
  command: readonly string[],
  opened: OpenedCluster,
  ports: Ports,
): Promise<string> {
  const deployment = await demandBuilder(name, opened);
  const pods = ((await listPods(deployment, opened.cluster)) ?? []).filter(({phase}) => phase === 'Running');
  if (pods.length === 0) {
    throw new TiltbuildError('builder-failed', `No pod of the builder "${name}" is running.`, {
      remedy: ['kubectl tiltbuild builder ls shows how it is.'],
    });
  }
  for (const pod of pods) {
    if (pods.length > 1) ports.notes.note(`on node ${pod.node ?? '(none)'}:`);
    const {exitCode} = await opened.cluster.kubectlLive(execArgs(pod.name, command));
    if (exitCode !== 0) throw kubectlFailed(`${command.join(' ')} failed in pod ${pod.name}.`, '');
  }
  return '';
}

async function demandBuilder(name: string, {cluster, target}: OpenedCluster): Promise<BuilderDeployment> {
  const facts = await cluster.read({builders: true, nodes: false});
  const all = deploymentsIn(facts, target.namespace);
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

/** Builders only: what has the labels by chance and not the annotation is somebody else's. Throws on a 403. */
function deploymentsIn({deployments}: ClusterFacts, namespace: string): readonly BuilderDeployment[] {
  if (deployments?.kind === 'forbidden') {
    throw new TiltbuildError('cluster-denied', `You may not list Deployments in namespace "${namespace}".`, {
      detail: [deployments.message],
      remedy: ['Ask for the right list deployments.apps, or name another namespace with --namespace.'],
    });
  }
  return items(deployments)
    .map(readBuilderDeployment)
    .filter(({madeByPlugin, managedByUs}) => madeByPlugin || managedByUs);
}

function items(answer: ClusterFacts['deployments']): readonly ApiObject[] {
  return answer?.kind === 'found' ? answer.value : [];
}

function kubectlFailed(message: string, stderr: string): TiltbuildError {
  return new TiltbuildError('builder-failed', message, {
    detail: stderr.split('\n').filter((line) => line.trim() !== ''),
  });
}
