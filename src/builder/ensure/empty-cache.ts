/** Owns emptying a builder's cache: what BuildKit keeps in a node's containerd does not go with its pods. */
import type {Cluster} from '../../cluster/ports.ts';
import type {Ports} from '../../ports.ts';
import type {BuilderDeployment} from '../model/objects.ts';
import {isStaying} from '../model/pods.ts';
import {execArgs, listPods} from './inspect-builder.ts';

/** Empties the cache in each pod, and notes what that freed. Gives why it could not in one of them, as a clause. */
export async function emptyCache(
  deployment: BuilderDeployment,
  cluster: Cluster,
  {notes}: Pick<Ports, 'notes'>,
): Promise<string | undefined> {
  const pods = await listPods(deployment, cluster);
  if (pods === undefined) return 'you do not have permission to list pods';
  const running = pods.filter(isStaying);
  const emptied = await Promise.all(
    running.map(async ({name, node}) => {
      const {exitCode, stdout} = await cluster.kubectl(execArgs(name, ['buildctl', 'prune', '--all']));
      return {isDone: exitCode === 0, name, node, freed: /^Total:\s*(\S+)/m.exec(stdout)?.[1]};
    }),
  );
  for (const {isDone, node, freed} of emptied)
    if (isDone) notes.note(`freed ${freed ?? '0B'} of build cache on node ${node ?? '(none)'}.`);
  const failed = emptied.find(({isDone}) => !isDone);
  if (failed !== undefined) return `buildctl prune failed in pod ${failed.name}`;
  return running.length < Math.max(1, deployment.replicas) ? 'not all of its pods are running' : undefined;
}
