/** Owns that a working builder is there before a build: used, waited for, created or replaced. */
import type {Cluster} from '../../cluster/ports.ts';
import {TiltbuildError} from '../../errors.ts';
import type {Ports} from '../../ports.ts';
import {advise} from '../../text/advice.ts';
import {describeCrowd} from '../manifest/count-replicas.ts';
import {listLeftOut, selectBuilderNodes} from '../manifest/nodes.ts';
import {readPlacement} from '../model/kept-settings.ts';
import type {NodeRuntime} from '../model/node-runtimes.ts';
import type {BuilderDeployment} from '../model/objects.ts';
import type {BuilderRequest, BuilderTask} from '../model/request.ts';
import {chooseBuilderAction} from './choose-action.ts';
import {waitForBuilder} from './wait-for-builder.ts';

/** Gives the builder that the build uses; undefined if there is none, and none was to be created. */
export async function ensureBuilder(task: BuilderTask, ports: Ports): Promise<BuilderDeployment | undefined> {
  const {request, cluster} = task;
  const {name, namespace} = request.settings;
  const {observed, action} = await chooseBuilderAction(task);
  const {deployment} = observed;
  if (request.policy === 'never') return deployment;
  const {nodes = []} = observed;
  const placement = deployment === undefined ? request.settings : readPlacement(deployment.settings);
  for (const {name: node, why} of listLeftOut(nodes, placement))
    ports.notes.detail(`node ${node}: no builder, because it ${why}`);

  switch (action.kind) {
    case 'use':
      return deployment;
    case 'warn':
      ports.notes.note(advise`${action.note} To repair it: ${action.command}`);
      return await useAsItIs(deployment, request, cluster, ports);
    case 'wait':
      return await waitForBuilder(request, cluster, ports);
    case 'create': {
      // Most builds find a builder that works, and need not load how one is created.
      const {createBuilder} = await import('./create-builder.ts');
      if (!(await createBuilder(task, observed.nodes))) {
        ports.notes.note(`another command is creating the builder "${name}"; waiting for it.`);
        return await waitForBuilder(request, cluster, ports);
      }
      ports.notes.note(`there is no builder "${name}" in namespace "${namespace}" yet; creating one.`);
      noteCrowd(task, nodes, ports);
      return await waitForPods(await waitForBuilder(request, cluster, ports), task, ports);
    }
    case 'replace': {
      ports.notes.note(action.note);
      const {repairBuilder} = await import('./repair-builder.ts');
      return await waitForPods(await repairBuilder(task, observed.nodes, action.old, ports), task, ports);
    }
    case 'scale': {
      ports.notes.note(action.note);
      const {scaleBuilder} = await import('./scale-builder.ts');
      task.pods.forget();
      const scaled = await scaleBuilder(action.old, action.replicas, cluster).catch(withoutScale(ports));
      return scaled === undefined ? deployment : await waitForPods(scaled, task, ports);
    }
    case 'configure': {
      ports.notes.note(action.note);
      const [{configureBuilder}, {addLocalRegistry}] = await Promise.all([
        import('./configure-builder.ts'),
        import('../manifest/merge-toml.ts'),
      ]);
      await configureBuilder(action.old, (toml) => addLocalRegistry(toml, action.registry), cluster);
      return await waitForPods(await waitForBuilder(request, cluster, ports), task, ports);
    }
    default:
      return action satisfies never;
  }
}

function noteCrowd({request, product}: BuilderTask, nodes: readonly NodeRuntime[], {notes}: Ports): void {
  const {length} = selectBuilderNodes(nodes, request.settings);
  const note = describeCrowd(request.settings, product, length);
  if (note !== undefined) notes.note(note);
}

async function waitForPods(
  deployment: BuilderDeployment,
  {request, cluster}: BuilderTask,
  ports: Ports,
): Promise<BuilderDeployment> {
  if (deployment.replicas > 1) {
    const {waitForOthers} = await import('./wait-for-others.ts');
    await waitForOthers(request, deployment, cluster, ports);
  }
  return deployment;
}

/** The pods that it has can build. */
function withoutScale({notes}: Ports) {
  return (error: unknown): undefined => {
    if (!(error instanceof TiltbuildError)) throw error;
    notes.note(`its pods stay as they are: ${[error.message, ...error.detail].join(' ')}`);
  };
}

/**
 * The delegate waits forever for a builder that cannot start, so this waits for it first. One for Docker is left to the
 * delegate, which may still change it to containerd.
 */
async function useAsItIs(
  deployment: BuilderDeployment | undefined,
  request: BuilderRequest,
  cluster: Cluster,
  ports: Ports,
): Promise<BuilderDeployment | undefined> {
  if (deployment === undefined || deployment.readyReplicas > 0) return deployment;
  return deployment.runtime === 'docker' ? deployment : await waitForBuilder(request, cluster, ports);
}
