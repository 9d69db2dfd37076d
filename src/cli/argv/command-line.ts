/** Owns the step from argv to what is to be done: a text to show, a build to run, or something else. */
import {LOGIN_COMMAND} from '../../image-build/delegate/lend-login.ts';
import type {Surroundings} from '../../surroundings.ts';
import {demandOneContext, readBuildRequest} from '../requests/build-request.ts';
import {readFlagValues} from './flag-values.ts';
import {flags} from './flags.ts';
import type {Invocation} from './invocation.ts';
import {readArgv} from './pflag-argv.ts';
import {REFUSED_FLAGS} from './refused-flags.ts';

/**
 * A first word that is a command's name is the command; a directory of that name is built as `./builder`.
 * Throws `TiltbuildError` for whatever cannot be meant.
 */
export async function readCommandLine(
  argv: readonly string[],
  surroundings: Surroundings,
): Promise<Invocation> {
  const [first, ...rest] = argv;
  switch (first) {
    case LOGIN_COMMAND: {
      const [file, plugin, ...args] = rest;
      if (file !== undefined && plugin !== undefined) return {kind: 'login', question: {file, plugin, args}};
      break;
    }
    case '__complete':
      return (await import('../help/oclif-lines.ts')).readCompletionLine(rest, surroundings);
    case 'builder':
      return await (await import('../help/oclif-lines.ts')).readBuilderLine(rest, surroundings);
    case 'doctor':
      return await (await import('../help/oclif-lines.ts')).readDoctorLine(rest, surroundings);
  }
  const {given, positionals, passthrough} = readArgv(argv, flags, REFUSED_FLAGS);
  if (given.get('version') === true) return {kind: 'version'};
  if (given.get('help') === true) return await (await import('../help/oclif-lines.ts')).readBuildHelp();

  const context = demandOneContext(positionals);
  const values = readFlagValues(given);
  return {
    kind: 'build',
    request: readBuildRequest({flags: values, context}, passthrough, surroundings),
    verbose: values.verbose,
    dryRun: values['dry-run'],
  };
}
