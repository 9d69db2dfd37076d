/** Owns `builder create`: it creates or replaces a builder, or prints the manifest. */
import {stringify} from 'yaml';
import {identify, refuseK3d} from '../../cluster/product.ts';
import type {OpenedCluster} from '../../cluster/with-cluster.ts';
import {TiltbuildError} from '../../errors.ts';
import type {Ports} from '../../ports.ts';
import type {Surroundings} from '../../surroundings.ts';
import {advise, command, flag} from '../../text/advice.ts';
import {createBuilder, planInCluster, replaceBuilder} from '../ensure/create-builder.ts';
import {addNodeRegistries, readNodeRegistries} from '../ensure/node-registries.ts';
import {waitForBuilder} from '../ensure/wait-for-builder.ts';
import {waitForOthers} from '../ensure/wait-for-others.ts';
import {describeCrowd} from '../manifest/count-replicas.ts';
import {selectBuilderNodes} from '../manifest/nodes.ts';
import {rbacManifest} from '../manifest/rbac.ts';
import {completeSettings, readKeptSettings} from '../model/kept-settings.ts';
import {observeBuilder, readNodesOf} from '../model/observed-builder.ts';
import {usualBuilderRequest} from '../model/request.ts';
import {mergeSettings} from '../model/write-settings.ts';
import type {BuilderActionOf} from './command-request.ts';
import {composeConfig} from './compose-config.ts';
import {demandBuilders, demandIdle} from './demand-builder.ts';

/** Gives the manifests if only they are asked for, else nothing. */
export async function runBuilderCreate(
  action: BuilderActionOf<'create'>,
  {cluster, target, byNames}: OpenedCluster,
  {toolVersion}: Surroundings,
  ports: Ports,
): Promise<string> {
  const {name, given, timeout, replace, reset, force, dryRun, allowK3d} = action;
  if (action.printRbac) return formatManifest(rbacManifest(target.namespace));
  // A rootless builder does not need the runtime of its nodes; one that is replaced may be rootless already.
  refuseK3d(byNames, {allowed: allowK3d || given.rootless === true || replace});
  const facts = await cluster.read({builders: true, nodes: 'all'});
  const identified = identify(facts, byNames);
  const {product} = identified;
  const {namespace} = target;
  const {deployment: current} = observeBuilder(facts, name);
  const before = reset ? undefined : current;
  const {registryMirrorsFromNode, ...others} = replace ? readKeptSettings(before?.settings) : {};
  const kept = action.resetRegistries ? others : {...others, registryMirrorsFromNode};
  const settings = {
    ...completeSettings({name, namespace}, mergeSettings(kept, given)),
    config: await composeConfig(action, before?.config, ports.files),
  };
  refuseK3d(identified, {allowed: allowK3d || settings.rootless});
  const request = {...usualBuilderRequest({name, namespace, product}), settings, timeout};
  // A builder that has read them before need not restart twice.
  const nodeRegistries =
    replace && settings.registryMirrorsFromNode
      ? await readNodeRegistries(before, cluster).catch(withoutAnswer)
      : undefined;
  const creation = {request, product, toolVersion, cluster, nodeRegistries};
  const nodes = readNodesOf(facts);
  if (dryRun) {
    if (settings.registryMirrorsFromNode && nodeRegistries === undefined) ports.notes.note(NOT_READ);
    const {configMap, deployment} = await planInCluster(creation, nodes, replace ? current : undefined);
    return formatManifest([configMap, deployment]);
  }

  const old = demandBuilders(facts, namespace).find((deployment) => deployment.name === name);
  if (old === undefined) {
    await createBuilder(creation, nodes);
  } else if (!replace) {
    throw new TiltbuildError(
      'builder-failed',
      `Builder "${name}" already exists in namespace "${namespace}".`,
      {
        remedy: [
          advise`To recreate it: ${flag('replace')}`,
          advise`To see its state: ${command('kubectl', 'tiltbuild', 'builder', 'ls')}`,
        ],
      },
    );
  } else {
    if (!force) await demandIdle(old, cluster, ports);
    await replaceBuilder(creation, nodes, old);
  }
  const crowd = describeCrowd(settings, product, selectBuilderNodes(nodes ?? [], settings).length);
  if (crowd !== undefined) ports.notes.note(crowd);
  // --timeout is for the whole command.
  const ready = await waitForBuilder(request, cluster, ports, {since: 0});
  const builder = settings.registryMirrorsFromNode
    ? await addNodeRegistries(ready, request, cluster, ports)
    : ready;
  await waitForOthers(request, builder, cluster, ports);
  ports.notes.note(`builder "${name}" in namespace "${namespace}" is ready.`);
  return '';
}

/** The new builder is asked again. */
function withoutAnswer(error: unknown): undefined {
  if (error instanceof TiltbuildError && error.code === 'builder-failed') return undefined;
  throw error;
}

const NOT_READ =
  'the manifest has no mirrors of the nodes, because only a builder that runs with --registry-mirrors-from-node can read them.';

function formatManifest(objects: readonly object[]): string {
  return objects.map((object) => stringify(object, {aliasDuplicateObjects: false})).join('---\n');
}
