/** Owns reading the delegate's argv as spf13/pflag does, by the flags in its recorded help. */
import {readRecording} from './transcripts.mjs';

/** A usage error; the message follows "Error: ". */
export class Refusal extends Error {}

/** By long names and by letters. Hidden flags are not among them: nobody may pass those. */
const flags = new Map(
  [
    ...readRecording('help').stdout.matchAll(
      /^ +(?:-(\w), )?--([a-z-]+)(?: (stringArray|strings|string))? {2,}/gm,
    ),
  ].flatMap(([, letter, name, type = 'bool']) => [
    [`--${name}`, {name, type}],
    [`-${letter}`, {name, type}],
  ]),
);

/** Flags and positional arguments, in any order; `--` ends the flags. A flag that may be repeated has a list. */
export function parseArgv(argv) {
  const given = new Map();
  const positional = [];
  const rest = [...argv];
  while (rest.length > 0) {
    const arg = rest.shift();
    if (arg === '--') positional.push(...rest.splice(0));
    else if (arg === '-' || !arg.startsWith('-')) positional.push(arg);
    else {
      const {name, value} = readFlag(arg, rest);
      given.set(name, Array.isArray(value) ? [...(given.get(name) ?? []), ...value] : value);
    }
  }
  return {given, positional};
}

function readFlag(arg, rest) {
  const [, word, ...inline] = /^(--[^=]*|-\w)(?:=(.*)|(.+))?$/s.exec(arg) ?? [];
  const {name, type} = flags.get(word) ?? {};
  if (name === undefined) throw new Refusal(`unknown flag: ${word}`);
  const value = inline.find((text) => text !== undefined) ?? (type === 'bool' ? 'true' : rest.shift());
  if (value === undefined) throw new Refusal(`flag needs an argument: ${word}`);
  if (type === 'bool' && !/^(1|t|T|TRUE|true|True|0|f|F|FALSE|false|False)$/.test(value))
    throw new Refusal(`invalid argument "${value}" for "${word}" flag`);
  switch (type) {
    case 'bool':
      return {name, value: /^[1tT]/.test(value)};
    case 'stringArray':
      return {name, value: [value]};
    case 'strings':
      return {name, value: value === '' ? [] : readCsv(value)};
    default:
      return {name, value};
  }
}

/** The fields of one line, as Go's encoding/csv reads it with its defaults. */
export function readCsv(text) {
  const fields = [];
  const field = /(?:"((?:[^"]|"")*)"|([^",\n]*))(,|$)/y;
  for (let separator = ','; separator === ','; ) {
    const [whole, quoted, plain, next] = field.exec(text) ?? [];
    if (whole === undefined) throw new Refusal(`parse error on line 1: ${text}`);
    fields.push(plain ?? quoted.replaceAll('""', '"'));
    separator = next;
  }
  return fields;
}
