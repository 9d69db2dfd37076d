/** Owns what is done about a builder before a build, by its verdict, the policy, and whose it is. */
import type {Product} from '../../cluster/product.ts';
import {isLocalCluster} from '../../cluster/product.ts';
import {createCommand} from '../model/create-command.ts';
import type {Verdict} from './verdict.ts';

export type BuilderPolicy = 'ensure' | 'check' | 'never';

export interface BuilderSituation {
  readonly policy: BuilderPolicy;
  readonly product: Product;
  readonly name: string;
  readonly namespace: string;
  readonly madeByPlugin: boolean;
  readonly managedByUs: boolean;
  readonly buildRunning: boolean | 'unknown';
  /** Why it cannot be replaced from here, as a clause. */
  readonly obstacle?: string;
}

export type BuilderAction =
  | {readonly kind: 'use'}
  | {readonly kind: 'create'}
  | {readonly kind: 'wait'}
  | {readonly kind: 'replace'; readonly note: string}
  /** It is used as it is; `command` mends it. */
  | {readonly kind: 'warn'; readonly note: string; readonly command: string};

export function decideBuilder(verdict: Verdict, situation: BuilderSituation): BuilderAction {
  const {policy, name, namespace} = situation;
  const who = `the builder "${name}" in namespace "${namespace}"`;
  const command = createCommand({name, namespace});
  if (policy === 'never') return {kind: 'use'};
  switch (verdict.kind) {
    case 'missing':
      if (policy === 'ensure') return {kind: 'create'};
      return {
        kind: 'warn',
        note: `${who} does not exist, so kubectl build makes one of its own, which harms its node and on which no RUN step works.`,
        command,
      };
    case 'working':
      return {kind: 'use'};
    case 'starting':
      return {kind: 'wait'};
    case 'plugin-made':
    case 'wrong-runtime':
    case 'cannot-run': {
      const kept = whyKept(situation);
      return kept === undefined
        ? {kind: 'replace', note: `${who} ${verdict.reason}; it is replaced by one that works.`}
        : {
            kind: 'warn',
            note: `${who} ${verdict.reason}; it is left as it is, because ${kept}.`,
            command: `${command} --replace`,
          };
    }
    default:
      return verdict satisfies never;
  }
}

/** Nothing where the builder may be replaced without asking. */
function whyKept({
  policy,
  product,
  madeByPlugin,
  managedByUs,
  obstacle,
  buildRunning,
}: BuilderSituation): string | undefined {
  if (policy === 'check') return 'the policy is to check only';
  // Another version of this tool may have its reasons, which this one does not know. It must not undo its work.
  if (managedByUs) return 'kubectl tiltbuild made it, and it was changed since or made by another version';
  if (!madeByPlugin) return 'somebody else made it';
  if (!isLocalCluster(product)) return 'this is not a local development cluster, and others may use it';
  if (obstacle !== undefined) return obstacle;
  if (buildRunning === 'unknown') return 'it cannot be seen whether a build is running on it';
  return buildRunning ? 'a build is running on it' : undefined;
}
