/** Owns the vocabulary of a diagnosis: checks, what each found, the cure, and the verdict on all of them. */
import {type Advice, formatAdvice} from '../text/advice.ts';

/** `skipped`: not run, because another check failed that it needs. */
export type Mark = 'ok' | 'warn' | 'fail' | 'skipped';

/** In the order in which they are shown; the titles are what people read. */
export const CHECKS = {
  kubectl: 'kubectl',
  build: 'kubectl build',
  buildkit: 'kubectl buildkit',
  path: 'PATH',
  tilt: 'Tilt',
  kubeconfig: 'kubeconfig',
  server: 'API server',
  user: 'user',
  rights: 'rights',
  product: 'product',
  nodes: 'nodes',
  builder: 'builder',
  'pull-secret': 'pull secret',
} as const;

export type CheckName = keyof typeof CHECKS;

/** `command` can be pasted as it is; `advice` is a sentence where no command helps. */
export interface Cure {
  readonly kind: 'command' | 'advice';
  readonly text: string;
}

/** What a check came to. */
export interface Finding {
  readonly mark: Mark;
  readonly found: string;
  /** There where something is wrong. */
  readonly cure?: Cure;
  /** There where it was skipped: what has to be cured first. */
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

export type Findings = Readonly<Record<CheckName, Finding>>;

export function makeReport(findings: Findings): Report {
  const checks = (Object.keys(CHECKS) as CheckName[]).map((name) => ({name, ...findings[name]}));
  return {checks, works: checks.every(({mark}) => mark === 'ok' || mark === 'warn')};
}

export function ok(found: string): Finding {
  return {mark: 'ok', found};
}

export function warn(found: string, cure?: Cure): Finding {
  return cure === undefined ? {mark: 'warn', found} : {mark: 'warn', found, cure};
}

export function fail(found: string, cure?: Cure): Finding {
  return cure === undefined ? {mark: 'fail', found} : {mark: 'fail', found, cure};
}

export function skip(waitsFor: CheckName): Finding {
  return {mark: 'skipped', found: `not checked: waits for "${CHECKS[waitsFor]}"`, waitsFor};
}

export function command(text: string): Cure {
  return {kind: 'command', text};
}

export function advice(text: string): Cure {
  return {kind: 'advice', text};
}

/** The one cure among the lines that come with an error: its first command that stands alone, else its first line. */
export function chooseCure(remedy: readonly Advice[]): Cure | undefined {
  const lines = remedy.map((entry) => formatAdvice(entry).trim());
  const alone = lines.findLast((line) => /^(kubectl|oc) /.test(line) && !/^kubectl \S+ \S+ shows/.test(line));
  if (alone !== undefined) return command(alone);
  return lines[0] === undefined ? undefined : advice(lines[0]);
}
