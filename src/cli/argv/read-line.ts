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
  const {words} = readFlags(argv, everyFlag);
  const naming = findCommand(words.slice(0, MOST_WORDS));
  if (naming === undefined) return {command: 'build', ...readFlags(argv, commands.build.flags)};

  const {command, indexes} = naming;
  const last = indexes.at(-1) ?? 0;
  const {flags} = commands[command];
  const line = readFlags(
    argv.filter((_, index) => !indexes.includes(index)),
    flags,
  );
  // In front of the command a letter that several commands use is a build's: `-f logs builder` has a Dockerfile.
  const before = readFlags(argv.slice(0, last), everyFlag).given;
  const faults = [...before.keys()]
    .filter((name) => !Object.hasOwn(flags, name))
    .map((name) => ({kind: 'unknown', shown: `--${name}`}) as const);
  return {command, ...line, faults: [...faults, ...line.faults]};
}

/** `builder images rm` */
const MOST_WORDS = 3;

/** The command that most of the words name, and where they stand. */
function findCommand(
  words: ReadFlags['words'],
): {readonly command: CommandName; readonly indexes: readonly number[]} | undefined {
  if (words.length === 0) return undefined;
  const text = words.map((word) => word.text).join(' ');
  return isNamedCommand(text)
    ? {command: text, indexes: words.map(({index}) => index)}
    : findCommand(words.slice(0, -1));
}
