/** Owns what a run throws that has to throw. */
import {expect} from 'chai';

export async function catchError(run: Promise<unknown>): Promise<Error> {
  return await run.then(
    () => expect.fail('nothing was thrown'),
    (error) => error,
  );
}
