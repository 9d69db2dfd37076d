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

/** The signals that cancel a build. */
export type InterruptSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

export function timedOut(what = 'The build'): TiltbuildError {
  return new TiltbuildError('timed-out', `${what} exceeded --timeout and was cancelled.`, {
    remedy: [advise`Allow more time with ${flag('timeout', 'DURATION')}, or leave the flag out.`],
  });
}
