/** Owns which command a line names, and how its flags are read. */
import {type CommandName, commands, everyFlag, isNamedCommand} from '../commands/commands.ts';
import {type ReadFlags, readFlags} from './read-flags.ts';

export interface Line extends ReadFlags {
  readonly command: CommandName;
}

/**
 * As with cobra, the first words that are neither a flag nor its value name the command, and all flags are the
 * command's, wherever they stand. Never throws.
 */
export function readLine(argv: readonly string[]): Line {
  const [first, second] = readFlags(argv, everyFlag).words;
  if (first === undefined || !isNamedCommand(first.text))
    return {command: 'build', ...readFlags(argv, commands.build.flags)};

  const both = second === undefined ? '' : `${first.text} ${second.text}`;
  const [command, last] = second && isNamedCommand(both) ? [both, second.index] : [first.text, first.index];
  const {flags} = commands[command];
  const line = readFlags(
    argv.filter((_, index) => index !== first.index && index !== last),
    flags,
  );
  // In front of the command a letter that several commands use is a build's: `-f logs builder` has a Dockerfile.
  const before = readFlags(argv.slice(0, last), everyFlag).given;
  const faults = [...before.keys()]
    .filter((name) => !Object.hasOwn(flags, name))
    .map((name) => ({kind: 'unknown', shown: `--${name}`}) as const);
  return {command, ...line, faults: [...faults, ...line.faults]};
}
