/** Owns that a builder is there that works, before a build: looked at, waited for, made or replaced. */
import type {Cluster} from '../../cluster/ports.ts';
import type {Ports} from '../../ports.ts';
import type {BuilderDeployment} from '../model/objects.ts';
import type {BuilderRequest, BuilderSurroundings} from '../model/request.ts';
import {chooseBuilderAction, noteOtherBuilders} from './choose-action.ts';
import {waitForBuilder} from './wait-for-builder.ts';

/** Gives the builder as it is used; undefined where there is none and none was to be made. */
export async function ensureBuilder(
  surroundings: BuilderSurroundings,
  ports: Ports,
): Promise<BuilderDeployment | undefined> {
  const {request, facts, cluster} = surroundings;
  const {name, namespace} = request.settings;
  const {observed, action} = await chooseBuilderAction(surroundings);
  const {deployment} = observed;
  if (request.policy === 'never') return deployment;
  const others = noteOtherBuilders(facts, name);
  if (others !== undefined) ports.notes.note(others);

  switch (action.kind) {
    case 'use':
      return deployment;
    case 'warn':
      ports.notes.note(`${action.note} To mend it: ${action.command}`);
      return await useAsItIs(deployment, request, cluster, ports);
    case 'wait':
      return await waitForBuilder(request, cluster, ports);
    case 'create': {
      ports.notes.note(`there is no builder "${name}" in namespace "${namespace}" yet; making one.`);
      // Most builds find a builder that works, and have no time to load how one is made.
      await (await import('./make-builder.ts')).createBuilder(surroundings, observed.nodes);
      return await waitForBuilder(request, cluster, ports);
    }
    case 'replace':
      ports.notes.note(action.note);
      return await (await import('./repair-builder.ts')).mendBuilder(
        surroundings,
        observed.nodes,
        deployment as BuilderDeployment,
        ports,
      );
    default:
      return action satisfies never;
  }
}

/**
 * The delegate waits for ever for a builder that cannot start, so it is waited for here; but for one that is made for
 * Docker, which the delegate may still flip to containerd.
 */
async function useAsItIs(
  deployment: BuilderDeployment | undefined,
  request: BuilderRequest,
  cluster: Cluster,
  ports: Ports,
): Promise<BuilderDeployment | undefined> {
  if (deployment === undefined || deployment.readyReplicas > 0) return deployment;
  return deployment.labels.runtime === 'docker' ? deployment : await waitForBuilder(request, cluster, ports);
}
