/** Owns that a builder is there that works, before a build: looked at, waited for, made or replaced. */
import {readNodes} from '../cluster/api-objects.ts';
import {
  type BuilderDeployment,
  type NodeRuntime,
  readBuilderDeployment,
  readBuilderToml,
  readNodeRuntimes,
} from '../cluster/builder-objects.ts';
import type {BuilderSettings} from '../cluster/builder-settings.ts';
import {type BuilderPolicy, decideBuilder, judgeBuilder} from '../cluster/builder-verdict.ts';
import type {Answer, ApiObject, ClusterFacts} from '../cluster/facts.ts';
import type {Product} from '../cluster/product.ts';
import {
  BUILD_RIGHTS,
  BUILDER_RIGHTS,
  formatRight,
  missingRights,
  REPLACE_RIGHTS,
  type Right,
} from '../cluster/rights.ts';
import {TiltbuildError} from '../errors.ts';
import {countLeftoverMounts, isBuildRunning} from './inspect-builder.ts';
import {createBuilder, replaceBuilder} from './make-builder.ts';
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
  const observed = observe(facts, name);
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
    case 'replace': {
      ports.notes.note(action.note);
      const leftovers = await countLeftoverMounts(deployment as BuilderDeployment, cluster);
      await replaceBuilder(surroundings, observed.nodes, deployment as BuilderDeployment);
      const builder = await waitForBuilder(request, cluster, ports);
      if (leftovers > 0) {
        ports.notes.note(
          `the old builder left ${leftovers} mounts of containerd's socket on its node; they go when the node restarts.`,
        );
      }
      return builder;
    }
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

/** Why a builder cannot be replaced here, as a clause; undefined where nothing is in the way. */
function findObstacle({nodes, rules}: ClusterFacts): string | undefined {
  if (nodes?.kind !== 'found')
    return 'you may not list the nodes, and so their container runtime is not known';
  const missing = rules === undefined ? [] : missingRights(rules, REPLACE_RIGHTS).map(formatRight);
  return missing.length === 0 ? undefined : `you may not ${missing.join(', ')}`;
}

interface ObservedBuilder {
  readonly deployment: BuilderDeployment | undefined;
  readonly toml: string | undefined;
  readonly nodes: readonly NodeRuntime[] | undefined;
}

function observe({deployments, configMaps, nodes}: ClusterFacts, name: string): ObservedBuilder {
  const config = found(configMaps).find((object) => nameOf(object) === name);
  return {
    deployment: found(deployments)
      .map(readBuilderDeployment)
      .find((deployment) => deployment.name === name),
    toml: config === undefined ? undefined : readBuilderToml(config),
    nodes: nodes?.kind === 'found' ? readNodeRuntimes(nodes.value) : undefined,
  };
}

/**
 * Throws `cluster-denied` for a right that is missing: kubectl build would need it as well, and retries for ever
 * where it is refused (its source, `createConfigMap` and `createBuilder`).
 */
function demandRights(
  {deployments, rules}: ClusterFacts,
  namespace: string,
  wanted: readonly Right[],
  name: string,
): void {
  const missing = rules === undefined ? [] : missingRights(rules, wanted, name).map(formatRight);
  if (deployments?.kind === 'forbidden' && missing.length === 0) missing.push('list deployments.apps');
  if (missing.length === 0) return;
  throw new TiltbuildError(
    'cluster-denied',
    `You may not ${missing.join(', ')} in namespace "${namespace}", which a build needs.`,
    {
      detail: deployments?.kind === 'forbidden' ? [deployments.message] : [],
      remedy: [
        `Ask for ${missing.length === 1 ? 'that right' : 'those rights'}, or build in another namespace with --namespace.`,
        `To check: kubectl auth can-i ${missing[0]} --namespace ${namespace}`,
      ],
    },
  );
}

/** Throws `namespace-missing`; kubectl build would retry for a minute and a half (recordings, namespace-missing). */
async function demandNamespace(namespace: string, cluster: Cluster): Promise<void> {
  const answer = await cluster.get(`/api/v1/namespaces/${encodeURIComponent(namespace)}`);
  // Who may not look at namespaces can still be allowed to build in one.
  if (answer.kind !== 'missing') return;
  throw new TiltbuildError('namespace-missing', `There is no namespace "${namespace}" in this cluster.`, {
    remedy: [
      `Create it with: kubectl create namespace ${namespace}`,
      'Or name another one with --namespace.',
    ],
  });
}

/** kubectl build counts builders, not nodes: with two of them every image travels through the user's machine. */
function warnOfOthers({deployments}: ClusterFacts, name: string, {notes}: Ports): void {
  const others = found(deployments)
    .map(readBuilderDeployment)
    .filter((deployment) => deployment.name !== name && (deployment.madeByPlugin || deployment.managedByUs));
  if (others.length === 0) return;
  const names = others.map((deployment) => `"${deployment.name}"`).join(', ');
  notes.note(
    `there are other builders beside "${name}" in this namespace: ${names}. With more than one, every image travels through your machine. To remove one: kubectl tiltbuild builder rm NAME`,
  );
}

function found(answer: Answer<readonly ApiObject[]> | undefined): readonly ApiObject[] {
  return answer?.kind === 'found' ? answer.value : [];
}

function nameOf(object: ApiObject): string {
  return readNodes([object])[0]?.name ?? '';
}
