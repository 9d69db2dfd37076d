/** Owns what can go wrong: a closed set of codes, and the one error class that carries them. */
import {type Advice, advise, flag} from './text/advice.ts';

/**
 * Every failure that we foresee, by family. `cli/render/exit-codes.ts` maps each code to an exit code.
 * An error that is not a `TiltbuildError` is a bug of ours.
 */
export type ErrorCode =
  // The command line is wrong.
  | 'usage'
  | 'invalid-reference'
  // The build would run, but its image would not work.
  | 'refused-k3d'
  | 'refused-unqualified-tag'
  // Something that a build needs is missing or broken.
  | 'kubeconfig-missing'
  | 'kubeconfig-unreadable'
  | 'kubeconfig-malformed'
  | 'context-missing'
  | 'cluster-unreachable'
  | 'cluster-denied'
  | 'namespace-missing'
  | 'builder-failed'
  | 'builder-image'
  | 'builder-runtime'
  | 'pull-secret-missing'
  | 'tool-missing'
  | 'build-secret-missing'
  | 'temporary-files'
  | 'system-fault'
  // The build itself failed.
  | 'build-failed'
  | 'check-failed'
  | 'timed-out'
  // The image was built, but its result was not delivered.
  | 'digest-missing'
  | 'reference-unstable'
  | 'image-not-copied'
  | 'result-not-written';

export interface ErrorDetails {
  /** What the user can do about it. */
  readonly remedy?: readonly Advice[];
  /** Lines shown as they are below the message: a caret line, a list of names. */
  readonly detail?: readonly string[];
  readonly cause?: unknown;
}

/** An error for the user: one sentence that says what is wrong and where, then what to do. */
export class TiltbuildError extends Error {
  override readonly name = 'TiltbuildError';
  readonly code: ErrorCode;
  readonly remedy: readonly Advice[];
  readonly detail: readonly string[];

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : {cause: details.cause});
    this.code = code;
    this.remedy = details.remedy ?? [];
    this.detail = details.detail ?? [];
  }
}

/** A signal ended the work. It needs no words, only an exit code: 128 plus the signal's number. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  readonly signal: InterruptSignal;

  constructor(signal: InterruptSignal) {
    super(`interrupted by ${signal}`);
    this.signal = signal;
  }
}

/**
 * The signals that cancel a build, with their numbers on Linux: those that would end the process and mean nothing else.
 * The runtime does not hand over SIGKILL, SIGSTKFLT and SIGPWR (Bun), and has a use for those of a crash.
 */
export const INTERRUPT_SIGNALS = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGTRAP: 5,
  SIGABRT: 6,
  SIGUSR1: 10,
  SIGUSR2: 12,
  SIGALRM: 14,
  SIGTERM: 15,
  SIGXCPU: 24,
  SIGXFSZ: 25,
  SIGVTALRM: 26,
  SIGPROF: 27,
  SIGIO: 29,
  SIGSYS: 31,
} as const;

export type InterruptSignal = keyof typeof INTERRUPT_SIGNALS;

export function timedOut(what = 'The build'): TiltbuildError {
  return new TiltbuildError('timed-out', `${what} exceeded --timeout and was cancelled.`, {
    remedy: [advise`Allow more time with ${flag('timeout', 'DURATION')}, or leave the flag out.`],
  });
}
