/** Owns the check of the builder: whether it works, what the next build does about it, and what the user can do. */
import type {LeftOutNode} from '../builder/manifest/nodes.ts';
import {createCommand} from '../builder/model/builder.ts';
import {podSelector} from '../builder/model/marks.ts';
import type {BuilderDeployment} from '../builder/model/objects.ts';
import type {ObservedBuilder} from '../builder/model/observed-builder.ts';
import type {BuilderEvent, BuilderPod} from '../builder/model/pods.ts';
import {coverNodes, describeCover, UNREADY} from '../builder/verdict/cover-nodes.ts';
import {type Decision, decideBuilder} from '../builder/verdict/decision.ts';
import {describeWaiting, findTrouble} from '../builder/verdict/find-trouble.ts';
import {followsNodes} from '../builder/verdict/follow-nodes.ts';
import {findFaults, judgeBuilder as judgeState} from '../builder/verdict/verdict.ts';
import {isLocalCluster, type Product} from '../cluster/product.ts';
import type {TiltbuildError} from '../errors.ts';
import {type Advice, command} from '../text/advice.ts';
import {chooseFix, type Finding, fail, ok, warn} from './report.ts';

export interface BuilderSight {
  readonly name: string;
  readonly namespace: string;
  readonly product: Product;
  readonly observed: ObservedBuilder;
  /** Undefined without permission to list them. */
  readonly pods: readonly BuilderPod[] | undefined;
  readonly events: readonly BuilderEvent[];
  readonly buildkitVersion: string | undefined;
  /** Names of the other builders in the namespace. */
  readonly others: readonly string[];
  readonly namespaceMissing: boolean;
  /** Why none can be created here. */
  readonly cannotCreate: TiltbuildError | undefined;
  /** Why this user cannot replace one, as a clause. */
  readonly obstacle: string | undefined;
}

export function judgeBuilder(sight: BuilderSight): Finding {
  const verdict = judgeState(sight.observed);
  switch (verdict.kind) {
    case 'missing':
      return judgeMissing(sight);
    case 'working':
      return judgeWorking(sight);
    case 'starting':
      return judgeStarting(sight, verdict.reason);
    case 'plugin-made':
    case 'wrong-runtime':
    case 'cannot-run': {
      const action = decide(sight);
      const fix = createCommand(sight, '--replace');
      if (action.kind === 'replace') {
        return warn(`"${sight.name}" ${verdict.reason}; the next build that finds it idle replaces it`, fix);
      }
      const note = action.kind === 'warn' ? action.note : verdict.reason;
      const {deployment} = sight.observed;
      // A builder that only harms its node still builds.
      const builds = deployment !== undefined && findFaults(sight.observed, deployment).length === 1;
      return verdict.kind === 'plugin-made' && builds ? warn(note, fix) : fail(note, fix);
    }
    default:
      return verdict.kind satisfies never;
  }
}

/** What `--fix` can do about it, as a question; undefined if a build would do nothing about it, or could not. */
export function findRepair(sight: BuilderSight): string | undefined {
  const {name, namespace, observed, namespaceMissing, cannotCreate} = sight;
  if (namespaceMissing || cannotCreate !== undefined) return undefined;
  const state = `The builder "${name}" in namespace "${namespace}" ${judgeState(observed).reason}.`;
  switch (decide(sight).kind) {
    case 'create':
      return `${state} Create it?`;
    case 'replace':
      return `${state} Replace it with one that works?`;
    default:
      return undefined;
  }
}

/** As a build decides; whether a build is running on it is checked when it is replaced. */
function decide({name, namespace, product, observed, obstacle, cannotCreate}: BuilderSight): Decision {
  return decideBuilder(judgeState(observed), {
    policy: 'ensure',
    product,
    name,
    namespace,
    deployment: observed.deployment,
    obstacle: obstacle ?? cannotCreate?.message,
    activity: {kind: 'idle'},
  });
}

function judgeMissing({name, namespace, namespaceMissing, cannotCreate}: BuilderSight): Finding {
  if (namespaceMissing) {
    return fail(
      `there is no namespace "${namespace}" in this cluster`,
      command('kubectl', 'create', 'namespace', namespace),
    );
  }
  if (cannotCreate !== undefined) {
    const {message, remedy} = cannotCreate;
    return fail(`there is no "${name}", and none can be created: ${message}`, chooseFix(remedy));
  }
  return warn(`there is no "${name}" yet; the first build creates one`, createCommand({name, namespace}));
}

function judgeWorking({
  name,
  namespace,
  product,
  observed,
  pods,
  buildkitVersion,
  others,
}: BuilderSight): Finding {
  const {deployment} = observed;
  const version = buildkitVersion === undefined ? deployment?.image : `BuildKit ${buildkitVersion}`;
  const ability = deployment?.rootless ? 'rootless, so images can only be pushed' : 'RUN works';
  const cover = deployment && pods && coverNodes(deployment, observed.nodes ?? [], pods);
  const place = cover && observed.nodes && observed.nodes.length > 1 ? ` on ${describeCover(cover)}` : '';
  const found = `"${name}" is ready${place}: ${version}, ${ability}`;
  const [other] = others;
  if (other === undefined) {
    // Elsewhere one pod is usual, and images go to a registry.
    const isSpread = deployment !== undefined && (deployment.replicas > 1 || isLocalCluster(product));
    const [waiting] = isSpread && !deployment.rootless ? (cover?.waiting ?? []) : [];
    if (deployment === undefined || waiting === undefined) return ok(found);
    return warn(`${found}; not every node gets its images`, adviseNode(waiting, deployment));
  }
  return warn(
    `${found}; with other builders in this namespace (${others.join(', ')}) every image passes through your machine if kubectl build builds it`,
    command('kubectl', 'tiltbuild', 'builder', 'rm', other, '--namespace', namespace),
  );
}

function adviseNode({why}: LeftOutNode, deployment: BuilderDeployment): Advice {
  const {name, namespace} = deployment;
  if (why === UNREADY)
    return command('kubectl', 'describe', 'pods', '--namespace', namespace, '--selector', podSelector(name));
  return followsNodes(deployment)
    ? 'Build once.'
    : createCommand(deployment, '--replace', '--replicas', 'nodes');
}

function judgeStarting({name, product, observed, pods, events}: BuilderSight, reason: string): Finding {
  const {deployment} = observed;
  if (deployment === undefined || pods === undefined) return warn(`"${name}" ${reason}`);
  const input = {deployment, pods, events, fixedNodes: isLocalCluster(product), product};
  const trouble = findTrouble(input);
  if (trouble === undefined) return warn(`"${name}" ${reason}: ${describeWaiting(input)}`);
  const fix = chooseFix(trouble.remedy);
  return trouble.final ? fail(trouble.message, fix) : warn(trouble.message, fix);
}
