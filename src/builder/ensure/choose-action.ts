/** Owns choosing what to do about a builder before a build, without changing anything. */
import type {ClusterFacts} from '../../cluster/api/facts.ts';
import {type Advice, advise, command} from '../../text/advice.ts';
import {hasRegistry} from '../model/buildkitd-settings.ts';
import type {NodeRuntime} from '../model/node-runtimes.ts';
import type {BuilderDeployment} from '../model/objects.ts';
import {listKnownBuilders, type ObservedBuilder, observeBuilder} from '../model/observed-builder.ts';
import type {BuilderTask} from '../model/request.ts';
import {type Decision, decideBuilder, decideRegistry, decideReplicas} from '../verdict/decision.ts';
import {countWanted, followsNodes, listWantedNodes} from '../verdict/follow-nodes.ts';
import {
  BUILD_PERMISSIONS,
  BUILDER_PERMISSIONS,
  demandNamespace,
  demandPermissions,
  findMissingChange,
  findObstacle,
  missingPermissions,
} from '../verdict/permissions.ts';
import {judgeBuilder, type Verdict} from '../verdict/verdict.ts';
import type {PodList} from './pod-list.ts';

export interface BuilderChoice {
  readonly observed: ObservedBuilder;
  readonly verdict: Verdict;
  readonly action: Decision;
}

/** Throws `cluster-denied` for a missing permission, `namespace-missing`. */
export async function chooseBuilderAction({
  request,
  product,
  facts: seen,
  cluster,
  pods,
  localRegistry,
}: Omit<BuilderTask, 'toolVersion'>): Promise<BuilderChoice> {
  const {policy} = request;
  const {name, namespace} = request.settings;
  if (policy === 'never') {
    const observed = observeBuilder(seen, name);
    return {observed, verdict: judgeBuilder(observed), action: {kind: 'use'}};
  }
  const facts = await readRemainingNodes(seen, name, cluster);
  const observed = observeBuilder(facts, name);
  const verdict = judgeBuilder(observed);
  demandPermissions(facts, namespace, BUILD_PERMISSIONS, name);

  const {deployment} = observed;
  // kubectl build would retry there for a minute and a half, whatever the policy.
  if (deployment === undefined) await demandNamespace(namespace, cluster);
  const situation = {policy, product, name, namespace, deployment, obstacle: findObstacle(facts)};
  let action = decideBuilder(verdict, {...situation, activity: {kind: 'idle'}});
  if (action.kind === 'replace') {
    // This costs a connection, so it is asked only of a builder that would be replaced.
    const {findBuildActivity} = await import('./running-builds.ts');
    const activity = await findBuildActivity(action.old, cluster);
    action = decideBuilder(verdict, {...situation, activity});
  }
  if (
    deployment !== undefined &&
    localRegistry !== undefined &&
    (action.kind === 'use' || action.kind === 'wait') &&
    !observed.tomlUnknown &&
    !hasRegistry(observed.toml ?? '', localRegistry.inCluster)
  ) {
    const {findBuildActivity} = await import('./running-builds.ts');
    const activity = await findBuildActivity(deployment, cluster);
    const change = {...situation, obstacle: findMissingChange(facts.rules), activity};
    action = decideRegistry(deployment, localRegistry, change);
  }
  if (action.kind === 'use' && policy === 'ensure' && deployment !== undefined) {
    action = decideReplicas(deployment, await findReplicas(deployment, observed.nodes, facts, pods));
  }
  if (action.kind === 'create') demandPermissions(facts, namespace, BUILDER_PERMISSIONS, name);
  return {observed, verdict, action};
}

/** How many pods it is to have: the number that it has, unless it follows the nodes. */
async function findReplicas(
  deployment: BuilderDeployment,
  nodes: readonly NodeRuntime[] | undefined,
  {moreNodes, rules}: ClusterFacts,
  list: PodList,
): Promise<number> {
  const {replicas} = deployment;
  if (nodes === undefined || moreNodes || !followsNodes(deployment)) return replicas;
  const wanted = listWantedNodes(deployment, nodes);
  if (wanted === undefined || missingPermissions(rules, SCALE).length > 0) return replicas;
  // One that is cordoned may still have a pod, in place of one that has joined.
  if (wanted.length === replicas && !nodes.some(({unschedulable}) => unschedulable)) return replicas;
  const pods = await list.get();
  return pods === undefined ? replicas : countWanted(wanted, nodes, pods);
}

const SCALE = ['update deployments.apps'] as const;

/** A builder that works needs no other nodes than were seen; all that is done about another one depends on all of them. */
async function readRemainingNodes(
  facts: ClusterFacts,
  name: string,
  cluster: BuilderTask['cluster'],
): Promise<ClusterFacts> {
  if (!facts.moreNodes || judgeBuilder(observeBuilder(facts, name)).kind === 'working') return facts;
  const {nodes} = await cluster.read({nodes: 'all'});
  return {...facts, nodes, moreNodes: false};
}

/** kubectl build counts builders, not nodes: with two builders every image passes through the user's machine. */
export function noteOtherBuilders(facts: ClusterFacts, name: string): Advice | undefined {
  const others = listKnownBuilders(facts).filter((deployment) => deployment.name !== name);
  if (others.length === 0) return undefined;
  const names = others.map((deployment) => `"${deployment.name}"`).join(', ');
  const remove = command('kubectl', 'tiltbuild', 'builder', 'rm', 'NAME');
  return advise`this namespace has other builders besides "${name}": ${names}. With more than one, every image passes through your machine. To remove one: ${remove}`;
}
