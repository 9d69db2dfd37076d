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
