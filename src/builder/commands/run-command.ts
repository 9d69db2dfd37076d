/** Owns the `builder` commands: each looks at the cluster, decides, and changes at most one thing. */
import {type OpenedCluster, withCluster} from '../../cluster/with-cluster.ts';
import {TiltbuildError} from '../../errors.ts';
import type {Ports} from '../../ports.ts';
import type {Surroundings} from '../../surroundings.ts';
import {advise, command} from '../../text/advice.ts';
import {demandRunningPods, execArgs, listPods, logArgs, readVersion} from '../ensure/inspect-builder.ts';
import {observeBuilder} from '../model/observed-builder.ts';
import {coverNodes} from '../verdict/cover-nodes.ts';
import {findFaults, judgeBuilder} from '../verdict/verdict.ts';
import type {BuilderActionOf, BuilderCommandRequest} from './command-request.ts';
import {demandBuilder, demandBuilders, type FoundBuilder, kubectlFailed} from './demand-builder.ts';
import {type BuilderRow, formatBuilders} from './list.ts';
import {runBuilderCreate} from './run-create.ts';
import {removeBuilder} from './run-remove.ts';

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
        return await removeBuilder(action, opened, surroundings, ports);
      case 'logs':
        return await showLogs(action, opened);
      case 'du': {
        const found = await demandBuilder(action.name, opened);
        await runInEach(found, ['buildctl', 'du'], opened, ports);
        return await describeImages(found, opened, ports);
      }
      case 'images':
      case 'images rm':
      case 'images prune': {
        const {runImagesCommand} = await import('./run-images.ts');
        return await runImagesCommand(action, opened, ports);
      }
      case 'prune': {
        const words = ['buildctl', 'prune', ...(action.all ? ['--all'] : [])];
        await runInEach(await demandBuilder(action.name, opened), words, opened, ports);
        return '';
      }
      default:
        return action satisfies never;
    }
  });
}

/** What the images take besides the cache. */
async function describeImages(found: FoundBuilder, opened: OpenedCluster, ports: Ports): Promise<string> {
  const {summarizeImages} = await import('./run-images.ts');
  try {
    return await summarizeImages(found, opened, ports);
  } catch (error) {
    if (!(error instanceof TiltbuildError)) throw error;
    ports.notes.note(`the images are not counted: ${error.message}`);
    return '';
  }
}

/** How long a builder may take to tell its version, in milliseconds. */
const LONGEST_VERSION = 5_000;

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
        // A stream into a pod may hang, and must not hold up the rest.
        Promise.race([readVersion(deployment, cluster), ports.sleep(LONGEST_VERSION).then(() => undefined)]),
      ]);
      const observed = {...observeBuilder(facts, deployment.name), deployment};
      const runWorks = !findFaults(observed, deployment).some(({kind}) => kind === 'cannot-run');
      const cover = coverNodes(deployment, observed.nodes ?? [], pods);
      return {deployment, verdict: judgeBuilder(observed), pods, cover, runWorks, version};
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

async function showLogs({name, follow}: BuilderActionOf<'logs'>, opened: OpenedCluster): Promise<string> {
  await demandBuilder(name, opened);
  const args = logArgs(`deployment/${name}`, ...(follow ? ['--follow'] : []));
  const {exitCode} = await opened.cluster.kubectlLive(args);
  if (exitCode !== 0) throw kubectlFailed(`Could not read the log of builder "${name}".`);
  return '';
}

/** A builder with several pods has a cache in each, and one that fails is no reason to leave out the others. */
async function runInEach(
  {deployment}: FoundBuilder,
  words: readonly string[],
  opened: OpenedCluster,
  ports: Ports,
): Promise<void> {
  const pods = await demandRunningPods(deployment, opened.cluster);
  const failed: string[] = [];
  for (const pod of pods) {
    if (pods.length > 1) ports.notes.note(`on node ${pod.node ?? '(none)'}:`);
    const {exitCode} = await opened.cluster.kubectlLive(execArgs(pod.name, words));
    if (exitCode !== 0) failed.push(pod.name);
  }
  if (failed.length > 0) throw kubectlFailed(`${words.join(' ')} failed in pod ${failed.join(', ')}.`);
}
