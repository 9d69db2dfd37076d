/** Owns `builder rm`: a builder removed, once that is confirmed. */
import type {OpenedCluster} from '../../cluster/with-cluster.ts';
import {TiltbuildError} from '../../errors.ts';
import type {Ports} from '../../ports.ts';
import type {BuilderActionOf} from './command-request.ts';
import {demandBuilder, kubectlFailed} from './demand-builder.ts';

/** Throws `usage` where it is not confirmed. */
export async function runBuilderRemove(
  {name, yes}: BuilderActionOf<'rm'>,
  opened: OpenedCluster,
  ports: Ports,
): Promise<string> {
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
