/** Owns the step from what was typed of `doctor` to one frozen request. */
import type {Surroundings} from '../build/build-request.ts';
import type {DoctorRequest} from '../build/doctor/doctor-request.ts';
import {chooseBuilder} from '../cluster/builder.ts';
import {readDuration} from '../cluster/durations.ts';
import {demandObjectName} from '../cluster/object-name.ts';
import {choosePullSecret} from '../cluster/pull-secret.ts';
import {TiltbuildError} from '../errors.ts';
import type {DoctorInput} from './commands/doctor.ts';
import {readConnection} from './connection-request.ts';

/** How long the checks may take where nothing is said, in milliseconds. */
const LIMIT = 3000;

/** Throws `usage`. The builder and the pull secret are chosen as a build chooses them. */
export function readDoctorRequest({flags}: DoctorInput, {env, cwd}: Surroundings): DoctorRequest {
  const builder = chooseBuilder(flags.builder, env.BUILDX_BUILDER);
  const pullSecret = choosePullSecret(flags['registry-secret'], env.KUBECTL_BUILD_REGISTRY_SECRET);
  demandObjectName(builder.name, flags.builder ? '--builder' : 'BUILDX_BUILDER');
  if (pullSecret.kind === 'named') demandObjectName(pullSecret.name, pullSecret.by);
  if (flags.yes && !flags.fix) {
    throw new TiltbuildError('usage', '--yes answers what --fix asks, and --fix was not given.');
  }
  return Object.freeze({
    form: flags.output ?? 'text',
    builder,
    pullSecret,
    fix: flags.fix,
    yes: flags.yes,
    limit: (flags.timeout && readDuration('--timeout', flags.timeout)) || LIMIT,
    connection: readConnection(flags, cwd),
  });
}
