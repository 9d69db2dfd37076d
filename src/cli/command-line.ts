/** Owns the step from argv to what is to be done: a text to show, or a build to run. */
import {Errors} from '@oclif/core';
import type {BuildRequest, Surroundings} from '../build/build-request.ts';
import {TiltbuildError} from '../errors.ts';
import {demandOneContext, readBuildRequest} from './build-request.ts';
import {BuildCommand, type BuildInput} from './commands/build.ts';
import {flags} from './flags.ts';
import {loadOclif, ROOT_COMMAND, renderHelp, VERSION} from './oclif-boot.ts';
import {readArgv} from './pflag-argv.ts';
import {REFUSED_FLAGS} from './refused-flags.ts';

export const commands = {[ROOT_COMMAND]: BuildCommand};

export type Invocation =
  | {readonly kind: 'text'; readonly text: string}
  | {readonly kind: 'build'; readonly request: BuildRequest; readonly verbose: boolean};

/** Throws `TiltbuildError` for whatever cannot be meant. */
export async function readCommandLine(
  argv: readonly string[],
  surroundings: Surroundings,
): Promise<Invocation> {
  const read = readArgv(argv, flags, REFUSED_FLAGS);
  if (read.argv.includes('--version')) return {kind: 'text', text: `kubectl-tiltbuild ${VERSION}\n`};
  const config = await loadOclif(commands);
  if (read.argv.includes('--help')) return {kind: 'text', text: await renderHelp(config, ROOT_COMMAND)};

  demandOneContext(read.positionals);
  const input = await parse(() => config.runCommand<BuildInput>(ROOT_COMMAND, [...read.argv]));
  return {
    kind: 'build',
    request: readBuildRequest(input, read.passthrough, surroundings),
    verbose: input.flags.verbose,
  };
}

async function parse<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof Errors.CLIError)) throw error;
    const message = error.message.replace(/\s*See more help with --help$/, '').replaceAll('\0', '');
    throw new TiltbuildError('usage', message, {
      remedy: ['kubectl tiltbuild --help lists the flags.'],
      cause: error,
    });
  }
}
