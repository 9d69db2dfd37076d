/** Owns the types of a diagnosis: its checks, what each one found, and how to fix it. */
import {type Advice, isCommand} from '../text/advice.ts';

/** `skipped`: not run, because it needs another check that failed. */
export type Mark = 'ok' | 'warn' | 'fail' | 'skipped';

/** By name, in the order in which they are shown, with their titles. */
export const CHECKS = {
  kubectl: 'kubectl',
  build: 'kubectl build',
  buildkit: 'kubectl buildkit',
  engine: 'engine',
  path: 'PATH',
  tilt: 'Tilt',
  kubeconfig: 'kubeconfig',
  server: 'API server',
  user: 'user',
  rights: 'permissions',
  product: 'product',
  nodes: 'nodes',
  builder: 'builder',
  'pull-secret': 'pull secret',
  images: 'images',
} as const;

/** Shown only where they found something. */
const OCCASIONAL: ReadonlySet<CheckName> = new Set(['images']);

export type CheckName = keyof typeof CHECKS;

export interface Finding {
  readonly mark: Mark;
  readonly found: string;
  /** Set if something is wrong and can be fixed: a command to paste, or a sentence. */
  readonly fix?: Advice;
  /** Set if it was skipped: the check to fix first. */
  readonly waitsFor?: CheckName;
}

export interface Check extends Finding {
  readonly name: CheckName;
}

export interface Report {
  readonly checks: readonly Check[];
  /** Whether a build would work. */
  readonly works: boolean;
}

export type Findings = Readonly<Partial<Record<CheckName, Finding>>>;

/** A check without a finding was skipped, and waits for `ground`. */
export function makeReport(findings: Findings, ground: CheckName): Report {
  const checks = (Object.keys(CHECKS) as CheckName[])
    .filter((name) => findings[name] !== undefined || !OCCASIONAL.has(name))
    .map((name) => ({name, ...(findings[name] ?? skip(ground))}));
  return {checks, works: checks.every(({mark}) => mark === 'ok' || mark === 'warn')};
}

export function ok(found: string): Finding {
  return {mark: 'ok', found};
}

export function warn(found: string, fix?: Advice): Finding {
  return {mark: 'warn', found, fix};
}

export function fail(found: string, fix?: Advice): Finding {
  return {mark: 'fail', found, fix};
}

export function skip(waitsFor: CheckName): Finding {
  return {mark: 'skipped', found: `not checked: waits for "${CHECKS[waitsFor]}"`, waitsFor};
}

/** The one fix among an error's remedies: the last command on its own, else the first sentence. */
export function chooseFix(remedy: readonly Advice[]): Advice | undefined {
  return remedy.findLast(isCommand) ?? remedy[0];
}
