/** Owns what to do about a builder before a build, by its verdict, the policy, and who created it. */
import {isLocalCluster, type Product} from '../../cluster/product.ts';
import type {Command} from '../../text/advice.ts';
import {createCommand} from '../model/builder.ts';
import type {LocalRegistry} from '../model/local-registry.ts';
import type {BuilderDeployment} from '../model/objects.ts';
import type {BuilderPolicy} from '../model/request.ts';
import type {Verdict} from './verdict.ts';

/** Whether a build is running on a builder; `why` is a clause. */
export type BuildActivity =
  | {readonly kind: 'building' | 'idle'}
  | {readonly kind: 'unknown'; readonly why: string};

export interface BuilderSituation {
  readonly policy: BuilderPolicy;
  readonly product: Product;
  readonly name: string;
  readonly namespace: string;
  readonly deployment: BuilderDeployment | undefined;
  readonly activity: BuildActivity;
  /** Why this user cannot replace it, as a clause. */
  readonly obstacle?: string;
}

export type Decision =
  | {readonly kind: 'use'}
  | {readonly kind: 'create'}
  | {readonly kind: 'wait'}
  | {readonly kind: 'replace'; readonly note: string; readonly old: BuilderDeployment}
  /** It works, but does not know the registry that the build pushes to. */
  | {
      readonly kind: 'configure';
      readonly note: string;
      readonly old: BuilderDeployment;
      readonly registry: LocalRegistry;
    }
  /** It works, and nodes have joined or gone since it was given its pods. */
  | {
      readonly kind: 'scale';
      readonly note: string;
      readonly old: BuilderDeployment;
      readonly replicas: number;
    }
  /** It is used as it is; `command` repairs it. */
  | {readonly kind: 'warn'; readonly note: string; readonly command: Command};

export function decideBuilder(verdict: Verdict, situation: BuilderSituation): Decision {
  const {policy, name, namespace, deployment} = situation;
  const who = `the builder "${name}" in namespace "${namespace}"`;
  if (policy === 'never') return {kind: 'use'};
  if (verdict.kind === 'working') return {kind: 'use'};
  if (verdict.kind === 'starting') return {kind: 'wait'};
  if (deployment === undefined) {
    if (policy === 'ensure') return {kind: 'create'};
    return {
      kind: 'warn',
      note: `${who} does not exist, so kubectl build creates its own, which harms its node and cannot run RUN steps.`,
      command: createCommand(situation),
    };
  }
  const kept = whyKept(situation, deployment);
  return kept === undefined
    ? {kind: 'replace', note: `${who} ${verdict.reason}; replacing it.`, old: deployment}
    : {
        kind: 'warn',
        note: `${who} ${verdict.reason}; it is not replaced, because ${kept}.`,
        command: createCommand(situation, '--replace'),
      };
}

/** What to do about a builder that works, but does not know this registry. */
export function decideRegistry(
  old: BuilderDeployment,
  registry: LocalRegistry,
  situation: BuilderSituation,
): Decision {
  const {policy, name, namespace, obstacle, activity} = situation;
  if (policy === 'never') return {kind: 'use'};
  const note = `the builder "${name}" in namespace "${namespace}" has no settings for the cluster's registry ${registry.inCluster}, which has no TLS`;
  const kept =
    policy === 'check'
      ? CHECK_ONLY
      : old.managedByUs
        ? (obstacle ?? whyBusy(activity))
        : 'kubectl tiltbuild did not create it';
  return kept === undefined
    ? {kind: 'configure', note: `${note}; adding them, and restarting it.`, old, registry}
    : {
        kind: 'warn',
        note: `${note}; they are not added, because ${kept}.`,
        command: createCommand(situation, '--replace'),
      };
}

/** What to do about a builder that works and is to have this number of pods. */
export function decideReplicas(old: BuilderDeployment, replicas: number): Decision {
  const who = `the builder "${old.name}" in namespace "${old.namespace}"`;
  if (replicas === old.replicas) return {kind: 'use'};
  const note =
    replicas > old.replicas
      ? `${who} has fewer pods than there are nodes for it; adding ${replicas - old.replicas}.`
      : `${who} has more pods than there are nodes for it; removing ${old.replicas - replicas}.`;
  return {kind: 'scale', note, old, replicas};
}

const CHECK_ONLY = 'the policy is to check only';

/** Undefined for a builder that may be replaced without asking. */
function whyKept(
  {policy, product, obstacle, activity}: BuilderSituation,
  {managedByUs, madeByPlugin}: BuilderDeployment,
): string | undefined {
  if (policy === 'check') return CHECK_ONLY;
  // Another version of this program may have reasons that this one does not know, and must not undo its work.
  if (managedByUs)
    return 'kubectl tiltbuild created it, and it was changed since, or another version created it';
  if (!madeByPlugin) return 'somebody else created it';
  if (!isLocalCluster(product)) return 'this is not a local development cluster, and others may use it';
  return obstacle ?? whyBusy(activity);
}

function whyBusy(activity: BuildActivity): string | undefined {
  switch (activity.kind) {
    case 'building':
      return 'a build is running on it';
    case 'unknown':
      return `a build may be running on it (${activity.why})`;
    case 'idle':
      return undefined;
    default:
      return activity satisfies never;
  }
}
