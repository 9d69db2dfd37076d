/** Owns the list of commands, by the words that name them; `build` is what no word names. */
import type {TiltArgument} from '../../tilt/tiltfile-phrases.ts';
import {build} from './build.ts';
import {
  builder,
  create,
  du,
  images,
  listImages,
  logs,
  ls,
  prune,
  pruneImages,
  removeImages,
  rm,
} from './builder.ts';
import type {CommandDefinition, Flags} from './definition.ts';
import {doctor} from './doctor.ts';

const COMMANDS = {
  build,
  builder,
  'builder create': create,
  'builder du': du,
  'builder images': images,
  'builder images ls': listImages,
  'builder images prune': pruneImages,
  'builder images rm': removeImages,
  'builder logs': logs,
  'builder ls': ls,
  'builder prune': prune,
  'builder rm': rm,
  doctor,
} as const;

export type CommandName = keyof typeof COMMANDS;

export const commands: Readonly<Record<CommandName, CommandDefinition>> = COMMANDS;
export const commandNames = Object.keys(COMMANDS) as readonly CommandName[];

/** Whether words name a command. */
export function isNamedCommand(words: string): words is Exclude<CommandName, 'build'> {
  return words !== 'build' && Object.hasOwn(COMMANDS, words);
}

/** The flags of all commands. A build's come last, so that a letter which others use as well is the build's. */
export const everyFlag: Flags = Object.assign(
  {},
  ...Object.values(COMMANDS)
    .map(({flags}) => flags)
    .toReversed(),
);

export function titleOf(name: CommandName): string {
  return name === 'build' ? 'kubectl tiltbuild' : `kubectl tiltbuild ${name}`;
}

/** What a flag of a build is in a Tiltfile. */
export function findTiltArgument(flag: string): TiltArgument | undefined {
  const flags: Flags = build.flags;
  return Object.hasOwn(flags, flag) ? flags[flag]?.tilt : undefined;
}
