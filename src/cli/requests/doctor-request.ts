/** Owns the step from what was typed of `doctor` to one frozen request. */
import {readDuration} from '../../cluster/api/durations.ts';
import type {DoctorRequest} from '../../doctor/doctor-request.ts';
import {TiltbuildError} from '../../errors.ts';
import type {Surroundings} from '../../surroundings.ts';
import type {DoctorInput} from '../help/commands/doctor.ts';
import {readClusterChoices} from './cluster-choices.ts';
import {readConnection} from './connection-request.ts';

/** How long the checks may take where nothing is said, in milliseconds. */
const LIMIT = 3000;

/** Throws `usage`. The builder and the pull secret are chosen as a build chooses them. */
export function readDoctorRequest({flags}: DoctorInput, {env, cwd}: Surroundings): DoctorRequest {
  const choices = readClusterChoices(flags, env);
  if (flags.yes && !flags.fix) {
    throw new TiltbuildError('usage', '--yes answers what --fix asks, and --fix was not given.');
  }
  return Object.freeze({
    form: flags.output ?? 'text',
    ...choices,
    fix: flags.fix,
    yes: flags.yes,
    limit: (flags.timeout && readDuration('--timeout', flags.timeout)) || LIMIT,
    connection: readConnection(flags, cwd),
  });
}
