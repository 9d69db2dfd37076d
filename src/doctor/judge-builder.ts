/** Owns what is said of the builder: whether it works, what a build does about it, and what else can be done. */
import type {ObservedBuilder} from '../builder/ensure/observed-builder.ts';
import {createCommand} from '../builder/model/create-command.ts';
import {isRootless} from '../builder/model/marks.ts';
import type {BuilderEvent, BuilderPod} from '../builder/model/pods.ts';
import {type BuilderAction, decideBuilder} from '../builder/verdict/decision.ts';
import {describeWaiting, findTrouble} from '../builder/verdict/find-trouble.ts';
import {findFaults, judgeBuilder as judgeState} from '../builder/verdict/verdict.ts';
import type {Product} from '../cluster/product.ts';
import type {TiltbuildError} from '../errors.ts';
import {chooseCure, command, type Finding, fail, ok, warn} from './report.ts';

export interface BuilderSight {
  readonly name: string;
  readonly namespace: string;
  readonly product: Product;
  /** Whether no node will ever join by itself. */
  readonly fixedNodes: boolean;
  readonly observed: ObservedBuilder;
  /** Undefined where they may not be seen. */
  readonly pods: readonly BuilderPod[] | undefined;
  readonly events: readonly BuilderEvent[];
  readonly buildkitVersion: string | undefined;
  /** Names of the other builders in the namespace. */
  readonly others: readonly string[];
  readonly namespaceMissing: boolean;
  /** Why none can be made here. */
  readonly unmakeable: TiltbuildError | undefined;
  /** Why one cannot be replaced from here, as a clause. */
  readonly obstacle: string | undefined;
}

export function judgeBuilder(sight: BuilderSight): Finding {
  const {name, namespace, observed} = sight;
  const verdict = judgeState(observed);
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
      const cure = command(createCommand({name, namespace}, '--replace'));
      if (action.kind === 'replace') {
        return warn(`"${name}" ${verdict.reason}; the next build that finds it idle replaces it`, cure);
      }
      const note = action.kind === 'warn' ? action.note : verdict.reason;
      const {deployment} = observed;
      // What harms the node alone still builds.
      const builds = deployment !== undefined && findFaults({...observed, deployment}).length === 1;
      return verdict.kind === 'plugin-made' && builds ? warn(note, cure) : fail(note, cure);
    }
    default:
      return verdict satisfies never;
  }
}

/** What can be done about it, as a question; undefined where a build would do nothing about it, or could not. */
export function findRepair(sight: BuilderSight): string | undefined {
  const {name, namespace, observed, namespaceMissing, unmakeable} = sight;
  if (namespaceMissing || unmakeable !== undefined) return undefined;
  const who = `The builder "${name}" in namespace "${namespace}" ${judgeState(observed).reason}.`;
  switch (decide(sight).kind) {
    case 'create':
      return `${who} Make it?`;
    case 'replace':
      return `${who} Put one that works in its place?`;
    default:
      return undefined;
  }
}

/** As a build decides it; whether one is running is seen when it comes to that. */
function decide({name, namespace, product, observed, obstacle, unmakeable}: BuilderSight): BuilderAction {
  const {deployment} = observed;
  return decideBuilder(judgeState(observed), {
    policy: 'ensure',
    product,
    name,
    namespace,
    madeByPlugin: deployment?.madeByPlugin ?? false,
    managedByUs: deployment?.managedByUs ?? false,
    obstacle: obstacle ?? unmakeable?.message,
    buildRunning: false,
  });
}

function judgeMissing({name, namespace, namespaceMissing, unmakeable}: BuilderSight): Finding {
  if (namespaceMissing) {
    return fail(
      `there is no namespace "${namespace}" in this cluster`,
      command(`kubectl create namespace ${namespace}`),
    );
  }
  if (unmakeable !== undefined) {
    return fail(
      `there is no "${name}", and none can be made: ${unmakeable.message}`,
      chooseCure(unmakeable.remedy),
    );
  }
  return warn(
    `there is no "${name}" yet; the first build makes one`,
    command(createCommand({name, namespace})),
  );
}

function judgeWorking({name, namespace, observed, buildkitVersion, others}: BuilderSight): Finding {
  const {deployment} = observed;
  const version = buildkitVersion === undefined ? deployment?.image : `BuildKit ${buildkitVersion}`;
  const found =
    deployment !== undefined && isRootless(deployment.labels)
      ? `"${name}" is ready: ${version}, rootless, so that images can only be pushed`
      : `"${name}" is ready: ${version}, RUN works`;
  const [other] = others;
  if (other === undefined) return ok(found);
  return warn(
    `${found}; with other builders in this namespace (${others.join(', ')}) every image travels through your machine`,
    command(`kubectl tiltbuild builder rm ${other} --namespace ${namespace}`),
  );
}

function judgeStarting({name, observed, pods, events, fixedNodes}: BuilderSight, reason: string): Finding {
  const {deployment} = observed;
  const isCurrent = deployment !== undefined && deployment.observedGeneration >= deployment.generation;
  const trouble =
    isCurrent && pods !== undefined ? findTrouble({deployment, pods, events, fixedNodes}) : undefined;
  if (trouble === undefined) {
    const waiting = pods === undefined ? '' : `: ${describeWaiting({pods, events})}`;
    return warn(`"${name}" ${reason}${waiting}`);
  }
  const cure = chooseCure(trouble.remedy);
  return trouble.final ? fail(trouble.message, cure) : warn(trouble.message, cure);
}
