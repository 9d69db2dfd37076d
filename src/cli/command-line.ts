/** Owns the step from argv to what is to be done: a text to show, a build to run, or something about a builder. */
import {type Command, Errors} from '@oclif/core';
import type {BuildRequest, Surroundings} from '../build/build-request.ts';
import type {BuilderAction, BuilderCommandRequest} from '../build/builder-request.ts';
import type {DoctorRequest} from '../build/doctor/doctor-request.ts';
import {TiltbuildError} from '../errors.ts';
import {demandOneContext, readBuildRequest} from './build-request.ts';
import {readBuilderRequest} from './builder-request.ts';
import {BuildCommand, type BuildInput} from './commands/build.ts';
import {
  BuilderCreate,
  BuilderDiskUsage,
  type BuilderInput,
  BuilderList,
  BuilderLogs,
  BuilderPrune,
  BuilderRemove,
} from './commands/builder.ts';
import {DoctorCommand, type DoctorInput} from './commands/doctor.ts';
import {type Completion, readCompletion} from './complete.ts';
import {readDoctorRequest} from './doctor-request.ts';
import {loadOclif, ROOT_COMMAND, renderHelp, renderTopic} from './oclif-boot.ts';
import {type FlagSyntax, readArgv} from './pflag-argv.ts';
import {REFUSED_FLAGS} from './refused-flags.ts';

const BUILDER_COMMANDS: Readonly<Record<BuilderAction['kind'], typeof Command & Command.Class>> = {
  create: BuilderCreate,
  du: BuilderDiskUsage,
  logs: BuilderLogs,
  ls: BuilderList,
  prune: BuilderPrune,
  rm: BuilderRemove,
};

const DOCTOR = 'doctor';

/** By oclif's names for them. */
export const commands: Readonly<Record<string, Command.Class>> = {
  [ROOT_COMMAND]: BuildCommand,
  [DOCTOR]: DoctorCommand,
  ...Object.fromEntries(
    Object.entries(BUILDER_COMMANDS).map(([name, command]) => [`builder:${name}`, command]),
  ),
};

export type Invocation =
  | {readonly kind: 'text'; readonly text: string}
  | {readonly kind: 'version'}
  | {readonly kind: 'completion'; readonly completion: Completion}
  | {
      readonly kind: 'build';
      readonly request: BuildRequest;
      readonly verbose: boolean;
      readonly dryRun: boolean;
    }
  | {readonly kind: 'builder'; readonly request: BuilderCommandRequest}
  | {readonly kind: 'doctor'; readonly request: DoctorRequest};

/**
 * A first word that is a command's name is the command; a directory of that name is built as `./builder`.
 * Throws `TiltbuildError` for whatever cannot be meant.
 */
export async function readCommandLine(
  argv: readonly string[],
  surroundings: Surroundings,
): Promise<Invocation> {
  if (argv[0] === '__complete') {
    return {kind: 'completion', completion: readCompletion(argv.slice(1), commands, surroundings.cwd)};
  }
  if (argv[0] === 'builder') return await readBuilderLine(argv.slice(1), surroundings);
  if (argv[0] === DOCTOR) return await readDoctorLine(argv.slice(1), surroundings);
  const read = readArgv(argv, BuildCommand.flags, REFUSED_FLAGS);
  if (read.argv.includes('--version')) return {kind: 'version'};
  // oclif goes through every flag of every command that it is given, so it gets this one alone.
  const config = await loadOclif({[ROOT_COMMAND]: BuildCommand});
  if (read.argv.includes('--help')) return {kind: 'text', text: await renderHelp(config, ROOT_COMMAND)};

  demandOneContext(read.positionals);
  const input = await parse(() => config.runCommand<BuildInput>(ROOT_COMMAND, [...read.argv]));
  return {
    kind: 'build',
    request: readBuildRequest(input, read.passthrough, surroundings),
    verbose: input.flags.verbose,
    dryRun: input.flags['dry-run'],
  };
}

async function readBuilderLine(words: readonly string[], surroundings: Surroundings): Promise<Invocation> {
  const [name, ...rest] = words;
  const config = await loadOclif(commands);
  if (name === undefined || name === '--help' || name === '-h') {
    return {kind: 'text', text: await renderTopic(config, 'builder')};
  }
  if (!isBuilderCommand(name)) {
    throw new TiltbuildError('usage', `There is no command "builder ${name}".`, {
      remedy: [
        `There are: ${Object.keys(BUILDER_COMMANDS).join(', ')}.`,
        'A directory called builder is built as ./builder.',
      ],
    });
  }
  const id = `builder:${name}`;
  const read = readArgv(rest, BUILDER_COMMANDS[name].flags as Readonly<Record<string, FlagSyntax>>);
  if (read.argv.includes('--help')) return {kind: 'text', text: await renderHelp(config, id)};
  if (name === 'rm' && read.positionals.length === 0) {
    throw new TiltbuildError('usage', 'builder rm needs the name of the builder.', {
      remedy: ['kubectl tiltbuild builder ls shows those that are there.'],
    });
  }
  if (read.passthrough.length > 0)
    throw new TiltbuildError('usage', `builder ${name} hands nothing on after --.`);
  const input = await parse(() => config.runCommand<BuilderInput>(id, [...read.argv]));
  return {kind: 'builder', request: readBuilderRequest(name, input, surroundings)};
}

async function readDoctorLine(words: readonly string[], surroundings: Surroundings): Promise<Invocation> {
  const config = await loadOclif({[DOCTOR]: DoctorCommand});
  const read = readArgv(words, DoctorCommand.flags as Readonly<Record<string, FlagSyntax>>);
  if (read.argv.includes('--help')) return {kind: 'text', text: await renderHelp(config, DOCTOR)};
  const [word] = [...read.positionals, ...read.passthrough];
  if (word !== undefined) {
    throw new TiltbuildError('usage', `doctor takes flags alone, and "${word}" is none.`, {
      remedy: ['A directory called doctor is built as ./doctor.'],
    });
  }
  const input = await parse(() => config.runCommand<DoctorInput>(DOCTOR, [...read.argv]));
  return {kind: 'doctor', request: readDoctorRequest(input, surroundings)};
}

function isBuilderCommand(name: string): name is BuilderAction['kind'] {
  return Object.hasOwn(BUILDER_COMMANDS, name);
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
