/** Owns `builder create`: a builder made or replaced, or only shown as it would be made. */
import {stringify} from 'yaml';
import {identify, isLocalCluster, refuseK3d} from '../../cluster/product.ts';
import type {OpenedCluster} from '../../cluster/with-cluster.ts';
import {TiltbuildError} from '../../errors.ts';
import type {Ports} from '../../ports.ts';
import type {Surroundings} from '../../surroundings.ts';
import {isBuildRunning} from '../ensure/inspect-builder.ts';
import {createBuilder, planBuilder, replaceBuilder} from '../ensure/make-builder.ts';
import {readNodesOf} from '../ensure/observed-builder.ts';
import {waitForBuilder} from '../ensure/wait-for-builder.ts';
import type {BuilderDeployment} from '../model/objects.ts';
import type {BuilderActionOf} from './command-request.ts';
import {demandBuilders} from './demand-builder.ts';

/** Gives the manifests where they are only asked for, else nothing. */
export async function runBuilderCreate(
  action: BuilderActionOf<'create'>,
  opened: OpenedCluster,
  {toolVersion}: Surroundings,
  ports: Ports,
): Promise<string> {
  const {cluster, target, byNames} = opened;
  refuseK3d(byNames);
  const facts = await cluster.read({builders: true, nodes: true});
  const identified = identify(facts, byNames);
  refuseK3d(identified);
  const settings = {...action.settings, namespace: target.namespace};
  const fixedNodes = isLocalCluster(identified.product);
  const request = {settings, policy: 'ensure' as const, timeout: action.timeout, fixedNodes};
  const making = {request, product: identified.product, toolVersion, cluster};
  const nodes = readNodesOf(facts);
  if (action.dryRun) {
    const {configMap, deployment} = planBuilder(making, nodes);
    return [configMap, deployment]
      .map((object) => stringify(object, {aliasDuplicateObjects: false}))
      .join('---\n');
  }

  const old = demandBuilders(facts, target.namespace).find(({name}) => name === settings.name);
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
  {force}: BuilderActionOf<'create'>,
  {cluster}: OpenedCluster,
): Promise<void> {
  if (force || (await isBuildRunning(old, cluster)) !== true) return;
  throw new TiltbuildError('builder-failed', `A build is running on the builder "${old.name}".`, {
    remedy: ['Wait until it is done, or end it with --force.'],
  });
}
