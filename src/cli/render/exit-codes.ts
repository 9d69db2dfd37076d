/** Owns the exit codes: the one place where errors become numbers. */
import {type ErrorCode, INTERRUPT_SIGNALS, Interrupted, TiltbuildError} from '../../errors.ts';

/** A bug of ours; sysexits' EX_SOFTWARE. */
export const BUG = 70;

/** The exit code of `doctor` if a build would not work. */
export const UNFIT = 4;

const EXIT_CODES: Readonly<Record<ErrorCode, number>> = {
  'build-failed': 1,
  'check-failed': 1,
  usage: 2,
  'invalid-reference': 2,
  'refused-k3d': 3,
  'refused-unqualified-tag': 3,
  'kubeconfig-missing': 4,
  'kubeconfig-unreadable': 4,
  'kubeconfig-malformed': 4,
  'context-missing': 4,
  'cluster-unreachable': 4,
  'cluster-denied': 4,
  'namespace-missing': 4,
  'builder-failed': 4,
  'builder-image': 4,
  'builder-runtime': 4,
  'pull-secret-missing': 4,
  'tool-missing': 4,
  'build-secret-missing': 4,
  'temporary-files': 4,
  'system-fault': 4,
  'digest-missing': 5,
  'reference-unstable': 5,
  'image-not-copied': 5,
  'result-not-written': 5,
  // As timeout(1) has it.
  'timed-out': 124,
};

export function exitCodeOf(error: unknown): number {
  if (error instanceof TiltbuildError) return EXIT_CODES[error.code];
  if (error instanceof Interrupted) return 128 + INTERRUPT_SIGNALS[error.signal]; // As shells have it.
  return BUG;
}

/** As the help and the reference list them. */
export const EXIT_CODE_TABLE: readonly (readonly [codes: string, meaning: string])[] = [
  ['0', 'success'],
  ['1', 'the build failed, or --check found something'],
  ['2', 'invalid command line'],
  ['3', 'refused, because it would not work (k3d; an unqualified tag on kind)'],
  ['4', 'missing or out of reach: context, cluster, permission, builder, kubectl build, secret'],
  ['5', 'built, but the result could not be delivered'],
  ['70', 'internal error: a bug of kubectl tiltbuild'],
  ['124', '--timeout exceeded'],
  ['129, 130, 143', 'interrupted by SIGHUP, SIGINT, SIGTERM'],
];
