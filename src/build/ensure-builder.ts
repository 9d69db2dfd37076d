/** Owns that a builder is there that works, before a build: looked at, waited for, made or replaced. */
import {type BuilderPolicy, decideBuilder} from '../cluster/builder-decision.ts';
import type {BuilderDeployment} from '../cluster/builder-objects.ts';
import type {BuilderSettings} from '../cluster/builder-settings.ts';
import {judgeBuilder} from '../cluster/builder-verdict.ts';
import type {ClusterFacts} from '../cluster/facts.ts';
import type {Product} from '../cluster/product.ts';
import {BUILD_RIGHTS, BUILDER_RIGHTS} from '../cluster/rights.ts';
import {demandNamespace, demandRights, findObstacle} from './builder-rights.ts';
import {isBuildRunning} from './inspect-builder.ts';
import {createBuilder} from './make-builder.ts';
import {mendBuilder} from './mend-builder.ts';
import {listKnownBuilders, observeBuilder} from './observed-builder.ts';
import type {Cluster, Ports} from './ports.ts';
import {waitForBuilder} from './wait-for-builder.ts';

export interface BuilderRequest {
  readonly settings: BuilderSettings;
  readonly policy: BuilderPolicy;
  /** How long a builder may take to start, in milliseconds. */
  readonly timeout: number;
  /** When all of it has to be done, by `ports.now`; undefined for no limit. */
  readonly deadline?: number;
  /** Whether no node will ever join by itself, as on a local development cluster. */
  readonly fixedNodes: boolean;
}

export interface BuilderSurroundings {
  readonly request: BuilderRequest;
  readonly product: Product;
  readonly facts: ClusterFacts;
  readonly cluster: Cluster;
  readonly toolVersion: string;
}

/** Gives the builder as it is used; undefined where there is none and none was to be made. */
export async function ensureBuilder(
  surroundings: BuilderSurroundings,
  ports: Ports,
): Promise<BuilderDeployment | undefined> {
  const {request, product, facts, cluster} = surroundings;
  const {name, namespace} = request.settings;
  const observed = observeBuilder(facts, name);
  if (request.policy === 'never') return observed.deployment;
  demandRights(facts, namespace, BUILD_RIGHTS, name);

  const {deployment} = observed;
  const verdict = judgeBuilder(observed);
  // kubectl build would retry there for a minute and a half, whatever the policy.
  if (verdict.kind === 'missing') await demandNamespace(namespace, cluster);
  const situation = {
    policy: request.policy,
    product,
    name,
    namespace,
    madeByPlugin: deployment?.madeByPlugin ?? false,
    managedByUs: deployment?.managedByUs ?? false,
    obstacle: findObstacle(facts),
    buildRunning: false,
  };
  let action = decideBuilder(verdict, situation);
  if (action.kind === 'replace' && deployment !== undefined) {
    // Asking costs an exec, so only what would be replaced is asked.
    action = decideBuilder(verdict, {...situation, buildRunning: await isBuildRunning(deployment, cluster)});
  }
  warnOfOthers(facts, name, ports);

  switch (action.kind) {
    case 'use':
      return deployment;
    case 'warn':
      ports.notes.note(`${action.note} To mend it: ${action.command}`);
      return await useAsItIs(deployment, request, cluster, ports);
    case 'wait':
      return await waitForBuilder(request, cluster, ports);
    case 'create': {
      demandRights(facts, namespace, BUILDER_RIGHTS, name);
      ports.notes.note(`there is no builder "${name}" in namespace "${namespace}" yet; making one.`);
      await createBuilder(surroundings, observed.nodes);
      return await waitForBuilder(request, cluster, ports);
    }
    case 'replace':
      ports.notes.note(action.note);
      return await mendBuilder(surroundings, observed.nodes, deployment as BuilderDeployment, ports);
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

/** kubectl build counts builders, not nodes: with two of them every image travels through the user's machine. */
function warnOfOthers(facts: ClusterFacts, name: string, {notes}: Ports): void {
  const others = listKnownBuilders(facts).filter((deployment) => deployment.name !== name);
  if (others.length === 0) return;
  const names = others.map((deployment) => `"${deployment.name}"`).join(', ');
  notes.note(
    `there are other builders beside "${name}" in this namespace: ${names}. With more than one, every image travels through your machine. To remove one: kubectl tiltbuild builder rm NAME`,
  );
}
