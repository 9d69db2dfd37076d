/** Owns what a run throws that has to throw. */
import {expect} from 'chai';
import {TiltbuildError} from '../../src/errors.ts';
import {formatAdvice} from '../../src/text/advice.ts';

export async function catchError(run: Promise<unknown>): Promise<Error> {
  return await run.then(
    () => expect.fail('nothing was thrown'),
    (error) => error,
  );
}

/** What is rejected while `work` runs, and not handled in the same turn. */
export async function collectUnhandled(work: () => Promise<unknown>): Promise<readonly unknown[]> {
  const unhandled: unknown[] = [];
  const listen = (reason: unknown) => void unhandled.push(reason);
  const others = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection').on('unhandledRejection', listen);
  try {
    await work();
    await new Promise(setImmediate);
  } finally {
    process.off('unhandledRejection', listen);
    for (const other of others) process.on('unhandledRejection', other);
  }
  return unhandled;
}

/** The error for the user that `run` throws. */
export function refusalOf(run: () => unknown): TiltbuildError {
  try {
    run();
  } catch (error) {
    if (error instanceof TiltbuildError) return error;
    throw error;
  }
  return expect.fail('nothing was refused');
}

/** The hints of an error, one a line. */
export function hintsOf({remedy}: TiltbuildError): string {
  return remedy.map((advice) => formatAdvice(advice)).join('\n');
}
