/** Owns the `builder` commands: each is a look at the cluster, a decision, and at most one change. */
import {type OpenedCluster, withCluster} from '../../cluster/with-cluster.ts';
import {TiltbuildError} from '../../errors.ts';
import type {Ports} from '../../ports.ts';
import type {Surroundings} from '../../surroundings.ts';
import {execArgs, listPods, POD_WAIT, readVersion} from '../ensure/inspect-builder.ts';
import {observeBuilder} from '../ensure/observed-builder.ts';
import {findFaults, judgeBuilder} from '../verdict/verdict.ts';
import type {BuilderActionOf, BuilderCommandRequest} from './command-request.ts';
import {demandBuilder, demandBuilders, kubectlFailed} from './demand-builder.ts';
import {type BuilderRow, formatBuilders} from './list.ts';
import {runBuilderCreate} from './run-create.ts';
import {runBuilderRemove} from './run-remove.ts';

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
        return await runBuilderRemove(action, opened, ports);
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

async function listBuilders(
  {form}: BuilderActionOf<'ls'>,
  opened: OpenedCluster,
  ports: Ports,
): Promise<string> {
  const {cluster, target} = opened;
  const facts = await cluster.read({builders: true, nodes: true});
  const rows = await Promise.all(
    demandBuilders(facts, target.namespace).map(async (deployment): Promise<BuilderRow> => {
      const [pods, version] = await Promise.all([
        listPods(deployment, cluster),
        readVersion(deployment, cluster),
      ]);
      const observed = {...observeBuilder(facts, deployment.name), deployment};
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

async function showLogs({name, follow}: BuilderActionOf<'logs'>, opened: OpenedCluster): Promise<string> {
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
