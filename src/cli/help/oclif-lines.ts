/** Owns the command lines that oclif reads, and all help: what is not a build, and may take its time. */
import {type Command, Errors} from '@oclif/core';
import type {BuilderAction} from '../../builder/commands/command-request.ts';
import {TiltbuildError} from '../../errors.ts';
import type {Surroundings} from '../../surroundings.ts';
import {readCompletion} from '../argv/complete.ts';
import type {Invocation} from '../argv/invocation.ts';
import {type FlagSyntax, readArgv} from '../argv/pflag-argv.ts';
import {readBuilderRequest} from '../requests/builder-request.ts';
import {readDoctorRequest} from '../requests/doctor-request.ts';
import {BuildCommand} from './commands/build.ts';
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
import {loadOclif, ROOT_COMMAND, renderHelp, renderTopic} from './oclif-boot.ts';

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

export async function readBuildHelp(): Promise<Invocation> {
  // oclif goes through every flag of every command that it is given, so it gets this one alone.
  const config = await loadOclif({[ROOT_COMMAND]: BuildCommand});
  return {kind: 'text', text: await renderHelp(config, ROOT_COMMAND)};
}

export function readCompletionLine(words: readonly string[], {cwd}: Surroundings): Invocation {
  return {kind: 'completion', completion: readCompletion(words, commands, cwd)};
}

export async function readBuilderLine(
  words: readonly string[],
  surroundings: Surroundings,
): Promise<Invocation> {
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

export async function readDoctorLine(
  words: readonly string[],
  surroundings: Surroundings,
): Promise<Invocation> {
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
