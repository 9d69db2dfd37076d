/** Owns what can go wrong: a closed set of codes, and the one error class that carries them. */
import type {Advice} from './text/advice.ts';

/**
 * Every failure that we foresee, by the family it belongs to. `cli/render/exit-codes.ts` maps each to an exit code.
 * An error that is not a `TiltbuildError` is a bug of ours.
 */
export type ErrorCode =
  // What was typed cannot be meant.
  | 'usage'
  | 'invalid-reference'
  // It could be done, but would not work.
  | 'refused-k3d'
  | 'refused-unqualified-tag'
  // The surroundings lack something.
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
  // Another tool failed at its own work.
  | 'build-failed'
  | 'timed-out'
  // The image is there, the result is not.
  | 'digest-missing'
  | 'reference-unstable'
  | 'result-not-written';

export interface ErrorDetails {
  /** What the user can do about it, one entry a line. */
  readonly remedy?: readonly Advice[];
  /** Lines shown as they are under the message: a caret line, a list of names. */
  readonly detail?: readonly string[];
  readonly cause?: unknown;
}

/** An error that the user is meant to read: one sentence on what and where, then what to do. */
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

/** A signal ended the work: nothing to explain, only an exit code to give (128 and the signal's number). */
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

export function timedOut(): TiltbuildError {
  return new TiltbuildError('timed-out', 'It took longer than --timeout allows, and was cancelled.', {
    remedy: ['Allow it more, or leave --timeout out.'],
  });
}
