/** Owns what a refused or failed Starlark program is told as, and the calls that were under way. */

export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A call under way; `at` is where it stands now. */
export interface CallSite {
  readonly name: string;
  readonly file: string;
  at: Position;
}

export class StarlarkError extends Error {
  override readonly name = 'StarlarkError';
  /** What went wrong, without the place. */
  readonly reason: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** The calls under way, the outermost first, one a line. */
  readonly backtrace: string;

  constructor(reason: string, calls: readonly CallSite[], cause?: unknown) {
    const innermost = calls.at(-1);
    const file = innermost?.file ?? '<host>';
    const {line, column} = innermost?.at ?? {line: 0, column: 0};
    super(`${file}:${line}:${column}: ${reason}`, cause === undefined ? undefined : {cause});
    this.reason = reason;
    this.file = file;
    this.line = line;
    this.column = column;
    this.backtrace = calls
      .map((call) => `${call.file}:${call.at.line}:${call.at.column}: in ${call.name}`)
      .join('\n');
  }
}

const underWay: CallSite[] = [];

/** All Starlark code runs synchronously, so that one stack serves every file and every call from the host. */
export function callsUnderWay(): readonly CallSite[] {
  return underWay;
}

export function withinCall<T>(call: CallSite, run: () => T): T {
  underWay.push(call);
  try {
    return run();
  } finally {
    underWay.pop();
  }
}

export function raise(reason: string, cause?: unknown): never {
  throw new StarlarkError(
    reason,
    underWay.map((call) => ({name: call.name, file: call.file, at: call.at})),
    cause,
  );
}

/** For errors found before anything runs. */
export function refuse(reason: string, file: string, at: Position): never {
  throw new StarlarkError(reason, [{name: '<syntax>', file, at}]);
}

/** Runs a step of a builtin, and puts the builtin's name before the reason if it fails without one. */
export function prefixReason<T>(prefix: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof StarlarkError)) throw error;
    const named = error.reason.startsWith(`${prefix}: `);
    return raise(named ? error.reason : `${prefix}: ${error.reason}`, error.cause);
  }
}
