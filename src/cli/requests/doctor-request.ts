/** Owns the step from the flags of `doctor` and the environment to one frozen request. */
import {readDuration} from '../../cluster/api/durations.ts';
import type {DoctorRequest} from '../../doctor/doctor-request.ts';
import {TiltbuildError} from '../../errors.ts';
import type {Surroundings} from '../../surroundings.ts';
import type {ValuesOf} from '../commands/definition.ts';
import type {doctor} from '../commands/doctor.ts';
import {readClusterChoices} from './cluster-choices.ts';
import {readConnection} from './connection-request.ts';

/** The default time limit of the checks, in milliseconds. */
const LIMIT = 3000;

/** Throws `usage`. The engine, the builder and the pull secret are chosen as for a build. */
export function readDoctorRequest(
  flags: ValuesOf<typeof doctor.flags>,
  {env, cwd}: Surroundings,
): DoctorRequest {
  const choices = readClusterChoices(flags, env);
  if (flags.yes && !flags.fix) {
    throw new TiltbuildError('usage', '--yes has no effect without --fix.');
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
