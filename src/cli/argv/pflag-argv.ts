/**
 * Owns the syntax of the command line: what was typed is read by the rules of spf13/pflag, as kubectl and docker
 * read it, and rewritten to the one form that oclif's parser cannot misread.
 *
 * oclif 5 on its own differs from pflag where it matters here: it takes a value that begins with `-` and looks
 * like a flag for the next flag (`--build-arg -t`), reads `--push=false` as `--push` and a positional `false`,
 * refuses a flag given twice, and mixes what comes after `--` with the positionals.
 */
import {TiltbuildError} from '../../errors.ts';
import {splitKeyValue} from '../../text/key-value.ts';
import {findNearName} from '../../text/near-name.ts';

/** What this module needs to know of a flag; oclif's flag definitions have this shape. */
export interface FlagSyntax {
  readonly type: 'boolean' | 'option';
  readonly char?: string | undefined;
  readonly multiple?: boolean | undefined;
  readonly hidden?: boolean | undefined;
}

export interface ReadArgv {
  /** By the flags' names, as typed: all values of an option, the last one of a boolean. */
  readonly given: ReadonlyMap<string, readonly string[] | boolean>;
  /** For oclif: flags first, in the order typed, then the positionals. Values are protected, see `unprotect`. */
  readonly argv: readonly string[];
  readonly positionals: readonly string[];
  /** What came after `--`, verbatim. */
  readonly passthrough: readonly string[];
}

/** NUL cannot occur in an argument of a process, so a value that begins with it was protected by us. */
const PROTECTION = '\0';

/** Takes back what `readArgv` did to keep a value from looking like a flag. */
export function unprotect(value: string): string {
  return value.startsWith(PROTECTION) ? value.slice(PROTECTION.length) : value;
}

/** strconv.ParseBool, which pflag uses. */
const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ...['1', 't', 'T', 'TRUE', 'true', 'True'].map((word) => [word, true] as const),
  ...['0', 'f', 'F', 'FALSE', 'false', 'False'].map((word) => [word, false] as const),
]);

/**
 * Reads `argv` by pflag's rules for `flags`. `reasons` holds flags that are known and refused, with the reason.
 * Throws `usage` for an unknown or refused flag, a missing value, and a boolean that is none.
 */
export function readArgv(
  argv: readonly string[],
  flags: Readonly<Record<string, FlagSyntax>>,
  reasons: Readonly<Record<string, string>> = {},
): ReadArgv {
  const byChar = new Map(
    Object.entries(flags).flatMap(([name, flag]) => (flag.char ? [[flag.char, name]] : [])),
  );
  const given = new Map<string, string[] | boolean>();
  const positionals: string[] = [];
  const words = [...argv];
  let passthrough: readonly string[] = [];

  const set = (name: string, shown: string, inline: string | undefined): void => {
    const flag = flags[name] as FlagSyntax;
    if (flag.type === 'boolean') {
      const value = BOOLEANS.get(inline ?? 'true');
      if (value === undefined) {
        throw new TiltbuildError(
          'usage',
          `${shown} is either on or off: ${shown}=true or ${shown}=false, not "${inline}".`,
        );
      }
      given.set(name, value);
      return;
    }
    const value = inline ?? words.shift();
    if (value === undefined)
      throw new TiltbuildError('usage', `${shown} needs a value, and none follows it.`);
    const earlier = given.get(name);
    // As with pflag's plain string flags, the last one counts.
    given.set(name, flag.multiple && Array.isArray(earlier) ? [...earlier, value] : [value]);
  };

  const readLong = (word: string): void => {
    const {key: name, value: inline} = splitKeyValue(word.slice(2));
    if (!Object.hasOwn(flags, name)) throw unknownFlag(`--${name}`, flags, reasons);
    set(name, `--${name}`, inline);
  };

  const readShort = (word: string): void => {
    let rest = word.slice(1);
    while (rest !== '') {
      const char = rest[0] as string;
      const name = byChar.get(char);
      if (name === undefined) throw unknownFlag(`-${char}`, flags, reasons);
      rest = rest.slice(1);
      // pflag drops the = of -t=value; in -t= it is the value itself.
      const isAssigned = rest.length > 1 && rest.startsWith('=');
      const isValue = isAssigned || flags[name]?.type === 'option';
      const inline = isAssigned ? rest.slice(1) : rest || undefined;
      set(name, `-${char}`, isValue ? inline : undefined);
      if (isValue) return;
    }
  };

  while (words.length > 0) {
    const word = words.shift() as string;
    if (word === '--') {
      passthrough = words.splice(0);
    } else if (word.startsWith('--')) {
      readLong(word);
    } else if (word.startsWith('-') && word !== '-') {
      readShort(word);
    } else {
      positionals.push(word);
    }
  }

  const flagWords = [...given].flatMap(([name, value]) => writeFlag(name, value));
  return {given, argv: [...flagWords, ...positionals], positionals, passthrough};
}

function writeFlag(name: string, value: string[] | boolean): string[] {
  if (typeof value === 'boolean') return value ? [`--${name}`] : [];
  return value.flatMap((text) => [`--${name}`, text.startsWith('-') ? PROTECTION + text : text]);
}

function unknownFlag(
  shown: string,
  flags: Readonly<Record<string, FlagSyntax>>,
  reasons: Readonly<Record<string, string>>,
): TiltbuildError {
  const reason = reasons[shown];
  if (reason !== undefined) return new TiltbuildError('usage', `${shown} ${reason}`);
  const name = shown.slice(2);
  const names = Object.keys(flags).filter((candidate) => !flags[candidate]?.hidden);
  const nearest = shown.startsWith('--') ? findNearName(name, names, 1) : undefined;
  const suggestion =
    nearest !== undefined
      ? `Did you mean --${nearest}?`
      : 'kubectl tiltbuild --help lists the flags; what only your kubectl build knows goes after --.';
  return new TiltbuildError('usage', `There is no flag ${shown}.`, {remedy: [suggestion]});
}
