/** Owns the syntax of a command line: it is read by the rules of spf13/pflag, as kubectl and docker read it. */
import {splitKeyValue} from '../../text/key-value.ts';
import type {Flags, ValuesOf} from '../commands/definition.ts';

/** By long names, in the order given: each value of a flag, or `true` and `false` of a switch. */
export type Given = ReadonlyMap<string, readonly (string | boolean)[]>;

export interface ReadFlags {
  readonly given: Given;
  /** What is no flag and no value, and where it stands. */
  readonly words: readonly {readonly text: string; readonly index: number}[];
  /** What comes after `--`, verbatim; undefined where there is no `--`. */
  readonly rest: readonly string[] | undefined;
  /** The flag at the end whose value is missing. */
  readonly pending: string | undefined;
  /** What pflag would refuse, in the order given. */
  readonly faults: readonly FlagFault[];
}

/** `shown` is the flag as it was typed, with its dashes. */
export type FlagFault =
  | {readonly kind: 'unknown' | 'no-value'; readonly shown: string}
  | {readonly kind: 'no-boolean'; readonly shown: string; readonly value: string}
  | {
      readonly kind: 'no-option';
      readonly shown: string;
      readonly value: string;
      readonly options: readonly string[];
    };

/** Reads any line, and never throws: completion needs unfinished lines, and errors are reported for wrong ones. */
export function readFlags(argv: readonly string[], flags: Flags): ReadFlags {
  const names = new Map(Object.entries(flags).flatMap(([name, {char}]) => (char ? [[char, name]] : [])));
  const given = new Map<string, (string | boolean)[]>();
  const words: {text: string; index: number}[] = [];
  const faults: FlagFault[] = [];
  let rest: readonly string[] | undefined;
  let pending: {readonly name: string; readonly shown: string} | undefined;

  const add = (name: string, value: string | boolean) => given.set(name, [...(given.get(name) ?? []), value]);
  const addText = (name: string, shown: string, value: string) => {
    const flag = flags[name];
    if (flag?.type === 'choice' && !flag.options.includes(value))
      faults.push({kind: 'no-option', shown, value, options: flag.options});
    add(name, value);
  };
  const addFlag = ({shown, name, inline}: Occurrence) => {
    if (name === undefined) faults.push({kind: 'unknown', shown});
    else if (flags[name]?.type === 'switch') {
      const value = BOOLEANS.get(inline ?? 'true');
      if (value === undefined) faults.push({kind: 'no-boolean', shown, value: inline ?? ''});
      else add(name, value);
    } else if (inline === undefined) pending = {name, shown};
    else addText(name, shown, inline);
  };

  for (const [index, word] of argv.entries()) {
    if (pending !== undefined) {
      addText(pending.name, pending.shown, word);
      pending = undefined;
    } else if (word === '--') {
      rest = argv.slice(index + 1);
      break;
    } else if (word.startsWith('--')) {
      addFlag(divideLong(word, flags));
    } else if (word.startsWith('-') && word !== '-') {
      divideShort(word, flags, names).forEach(addFlag);
    } else {
      words.push({text: word, index});
    }
  }
  if (pending !== undefined) faults.push({kind: 'no-value', shown: pending.shown});
  return {given, words, rest, pending: pending?.name, faults};
}

/** The same words in groups: each flag with the value in the word behind it, all others alone. */
export function groupWords(argv: readonly string[], flags: Flags): readonly (readonly string[])[] {
  const groups: string[][] = [];
  for (const word of argv) {
    const last = groups.at(-1);
    if (last !== undefined && readFlags(last, flags).pending !== undefined) last.push(word);
    else groups.push([word]);
  }
  return groups;
}

export function valuesOf<F extends Flags>(flags: F, given: Given): ValuesOf<F> {
  const values = Object.entries(flags).map(([name, {type}]) => {
    const all = given.get(name) ?? [];
    return [name, type === 'list' ? all : (all.at(-1) ?? (type === 'switch' ? false : undefined))];
  });
  return Object.fromEntries(values);
}

interface Occurrence {
  readonly shown: string;
  /** Undefined where there is no such flag. */
  readonly name: string | undefined;
  /** A value in the same word. */
  readonly inline: string | undefined;
}

/** strconv.ParseBool, which pflag uses. */
const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ...['1', 't', 'T', 'TRUE', 'true', 'True'].map((word) => [word, true] as const),
  ...['0', 'f', 'F', 'FALSE', 'false', 'False'].map((word) => [word, false] as const),
]);

function divideLong(word: string, flags: Flags): Occurrence {
  const {key, value} = splitKeyValue(word.slice(2));
  return {shown: `--${key}`, name: Object.hasOwn(flags, key) ? key : undefined, inline: value};
}

/** A group of switches, of which the last may be a flag with a value. */
function divideShort(
  word: string,
  flags: Flags,
  names: ReadonlyMap<string | undefined, string>,
): readonly Occurrence[] {
  const [char = '', ...others] = word.slice(1);
  const rest = others.join('');
  const name = names.get(char);
  const shown = `-${char}`;
  // pflag drops the = of -t=value; in -t= it is the value itself.
  const isAssigned = rest.length > 1 && rest.startsWith('=');
  if (name === undefined || rest === '') return [{shown, name, inline: undefined}];
  if (isAssigned) return [{shown, name, inline: rest.slice(1)}];
  if (flags[name]?.type !== 'switch') return [{shown, name, inline: rest}];
  return [{shown, name, inline: undefined}, ...divideShort(`-${rest}`, flags, names)];
}
