/** Owns what is said when all of it took longer than it may. */
import {TiltbuildError} from '../../errors.ts';

export function timedOut(): TiltbuildError {
  return new TiltbuildError('timed-out', 'It took longer than --timeout allows, and was cancelled.', {
    remedy: ['Allow it more, or leave --timeout out.'],
  });
}
