/** Owns a look at a command line that is not finished: by pflag's rules, and with patience for what makes no sense. */
import {splitKeyValue} from '../../text/key-value.ts';
import type {FlagSyntax} from './pflag-argv.ts';

/** What completion needs to know of a flag; oclif's definitions have this shape. */
export interface CompletedFlag extends FlagSyntax {
  readonly summary?: string | undefined;
  readonly options?: readonly string[] | undefined;
}

export interface Scan {
  /** The flags that were given, with their values; a boolean has none. */
  readonly given: ReadonlyMap<string, readonly string[]>;
  /** How many words were no flag. */
  readonly positionals: number;
  /** The flag whose value comes next. */
  readonly pending: string | undefined;
  /** Whether `--` was there, behind which all is another program's. */
  readonly passthrough: boolean;
}

export function scanWords(words: readonly string[], flags: Readonly<Record<string, CompletedFlag>>): Scan {
  const byChar = new Map(Object.entries(flags).map(([name, {char}]) => [char, name]));
  const given = new Map<string, readonly string[]>();
  let positionals = 0;
  let pending: string | undefined;
  const add = (name: string, values: readonly string[]) =>
    given.set(name, [...(given.get(name) ?? []), ...values]);

  for (const word of words) {
    if (pending !== undefined) {
      add(pending, [word]);
      pending = undefined;
    } else if (word === '--') {
      return {given, positionals, pending, passthrough: true};
    } else if (!word.startsWith('-') || word === '-') {
      positionals += 1;
    } else {
      const {name, value} = word.startsWith('--') ? readLong(word) : readShort(word, byChar, flags);
      if (name === undefined || !Object.hasOwn(flags, name)) continue;
      if (flags[name]?.type === 'boolean') add(name, []);
      else if (value === undefined) pending = name;
      else add(name, [value]);
    }
  }
  return {given, positionals, pending, passthrough: false};
}

interface Word {
  readonly name: string | undefined;
  readonly value?: string | undefined;
}

function readLong(word: string): Word {
  const {key, value} = splitKeyValue(word.slice(2));
  return {name: key, value};
}

/** The first that takes a value ends a group of short flags; of one without, the last is as good as any. */
function readShort(
  word: string,
  byChar: ReadonlyMap<string | undefined, string>,
  flags: Readonly<Record<string, CompletedFlag>>,
): Word {
  const chars = [...word.slice(1)];
  const index = chars.findIndex((char) => flags[byChar.get(char) ?? '']?.type === 'option');
  if (index < 0) return {name: byChar.get(chars.at(-1))};
  const rest = chars.slice(index + 1).join('');
  const value = rest.length > 1 && rest.startsWith('=') ? rest.slice(1) : rest || undefined;
  return {name: byChar.get(chars[index]), value};
}
