/** Owns that a working builder is there before a build: used, waited for, created or replaced. */
import type {Cluster} from '../../cluster/ports.ts';
import type {Ports} from '../../ports.ts';
import {advise} from '../../text/advice.ts';
import type {BuilderDeployment} from '../model/objects.ts';
import type {BuilderRequest, BuilderTask} from '../model/request.ts';
import {chooseBuilderAction, noteOtherBuilders} from './choose-action.ts';
import {waitForBuilder} from './wait-for-builder.ts';

/** Gives the builder that the build uses; undefined if there is none, and none was to be created. */
export async function ensureBuilder(task: BuilderTask, ports: Ports): Promise<BuilderDeployment | undefined> {
  const {request, facts, cluster} = task;
  const {name, namespace} = request.settings;
  const {observed, action} = await chooseBuilderAction(task);
  const {deployment} = observed;
  if (request.policy === 'never') return deployment;
  const others = noteOtherBuilders(facts, name);
  if (others !== undefined) ports.notes.note(others);

  switch (action.kind) {
    case 'use':
      return deployment;
    case 'warn':
      ports.notes.note(advise`${action.note} To repair it: ${action.command}`);
      return await useAsItIs(deployment, request, cluster, ports);
    case 'wait':
      return await waitForBuilder(request, cluster, ports);
    case 'create': {
      ports.notes.note(`there is no builder "${name}" in namespace "${namespace}" yet; creating one.`);
      // Most builds find a builder that works, and need not load how one is created.
      const {createBuilder} = await import('./create-builder.ts');
      await createBuilder(task, observed.nodes);
      return await waitForBuilder(request, cluster, ports);
    }
    case 'replace': {
      ports.notes.note(action.note);
      const {repairBuilder} = await import('./repair-builder.ts');
      return await repairBuilder(task, observed.nodes, action.old, ports);
    }
    case 'configure': {
      ports.notes.note(action.note);
      const [{configureBuilder}, {addLocalRegistry}] = await Promise.all([
        import('./configure-builder.ts'),
        import('../manifest/merge-toml.ts'),
      ]);
      await configureBuilder(action.old, (toml) => addLocalRegistry(toml, action.registry), cluster);
      return await waitForBuilder(request, cluster, ports);
    }
    default:
      return action satisfies never;
  }
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
