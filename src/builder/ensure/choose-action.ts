/** Owns what would be done about a builder before a build: looked at and decided, and nothing changed. */
import type {ClusterFacts} from '../../cluster/api/facts.ts';
import type {BuilderSurroundings} from '../model/request.ts';
import {type BuilderAction, decideBuilder} from '../verdict/decision.ts';
import {demandNamespace, demandRights, findObstacle} from '../verdict/demand-rights.ts';
import {BUILD_RIGHTS, BUILDER_RIGHTS} from '../verdict/rights.ts';
import {judgeBuilder, type Verdict} from '../verdict/verdict.ts';
import {isBuildRunning} from './inspect-builder.ts';
import {listKnownBuilders, type ObservedBuilder, observeBuilder} from './observed-builder.ts';

export interface BuilderChoice {
  readonly observed: ObservedBuilder;
  readonly verdict: Verdict;
  readonly action: BuilderAction;
}

/** Throws `cluster-denied` for a right that is missing, `namespace-missing`. */
export async function chooseBuilderAction({
  request,
  product,
  facts,
  cluster,
}: Omit<BuilderSurroundings, 'toolVersion'>): Promise<BuilderChoice> {
  const {name, namespace} = request.settings;
  const observed = observeBuilder(facts, name);
  const verdict = judgeBuilder(observed);
  if (request.policy === 'never') return {observed, verdict, action: {kind: 'use'}};
  demandRights(facts, namespace, BUILD_RIGHTS, name);

  const {deployment} = observed;
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
  if (action.kind === 'create') demandRights(facts, namespace, BUILDER_RIGHTS, name);
  return {observed, verdict, action};
}

/** kubectl build counts builders, not nodes: with two of them every image travels through the user's machine. */
export function noteOtherBuilders(facts: ClusterFacts, name: string): string | undefined {
  const others = listKnownBuilders(facts).filter((deployment) => deployment.name !== name);
  if (others.length === 0) return undefined;
  const names = others.map((deployment) => `"${deployment.name}"`).join(', ');
  return `there are other builders beside "${name}" in this namespace: ${names}. With more than one, every image travels through your machine. To remove one: kubectl tiltbuild builder rm NAME`;
}
