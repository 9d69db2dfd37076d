/** Owns the methods of strings. */
import {takePositional, toSmallInt} from './builtin-arguments.ts';
import {raise} from './errors.ts';
import {formatFields} from './interpolation.ts';
import {iterate} from './iteration.ts';
import {capitalize, isEach, isLower, isTitle, isUpper, toTitle} from './string-case.ts';
import {count, find, partition, replace, split, splitLines, strip} from './string-splitting.ts';
import {type Call, isKind, newList, newTuple, type StarlarkValue, typeOf} from './values.ts';

export type Method<T> = (self: T, call: Call, name: string) => StarlarkValue | undefined;

/** A method that takes no arguments. */
function plain(run: (text: string, name: string) => StarlarkValue): Method<string> {
  return (text, call, name) => {
    takePositional(name, call, []);
    return run(text, name);
  };
}

function asString(value: StarlarkValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

function parts(text: string, method: string): StarlarkValue {
  const bytes = [...Buffer.from(text, 'utf8')];
  const points = [...text];
  const items: Record<string, () => StarlarkValue[]> = {
    // A byte that is no character of its own cannot be shown here.
    elems: () => bytes.map((byte) => (byte < 128 ? String.fromCharCode(byte) : '\ufffd')),
    elem_ords: () => bytes.map(BigInt),
    codepoints: () => points,
    codepoint_ords: () => points.map((point) => BigInt(point.codePointAt(0) ?? 0)),
  };
  return {kind: 'parts', text, method, items: items[method]?.() ?? []};
}

const finding =
  (fromEnd: boolean): Method<string> =>
  (text, call, name) => {
    const [sought, ...bounds] = takePositional(name, call, ['string', 'any?', 'any?']);
    const at = find(text, asString(sought), bounds, fromEnd);
    if (at < 0 && name.endsWith('index')) raise(`${name}: substring not found`);
    return BigInt(at);
  };

const splitting =
  (fromEnd: boolean): Method<string> =>
  (text, call, name) => {
    const [separator, limit] = takePositional(name, call, ['any?', 'int?']);
    return newList(split(text, separator, limit, fromEnd));
  };

const stripping =
  (start: boolean, end: boolean): Method<string> =>
  (text, call, name) =>
    strip(text, asString(takePositional(name, call, ['string?'])[0]), start, end);

const partitioning =
  (fromEnd: boolean): Method<string> =>
  (text, call, name) => {
    const separator = asString(takePositional(name, call, ['string'])[0]);
    if (separator === '') raise(`${name}: empty separator`);
    return newTuple(partition(text, separator, fromEnd));
  };

const matching =
  (matches: (text: string, affix: string) => boolean): Method<string> =>
  (text, call, name) => {
    const [affix = null, start, end] = takePositional(name, call, ['any', 'any?', 'any?']);
    const from = find(text, '', [start, end], false);
    const to = find(text, '', [start, end], true);
    const part = from < 0 ? '' : Buffer.from(text).subarray(from, to).toString();
    if (typeof affix === 'string') return matches(part, affix);
    if (!isKind(affix, 'tuple'))
      return raise(`${name}: got ${typeOf(affix)}, want string or tuple of string`);
    return affix.items.some((item, i) => {
      if (typeof item === 'string') return matches(part, item);
      return raise(`${name}: want string, got ${typeOf(item)}, for element ${i}`);
    });
  };

const removing =
  (remove: (text: string, affix: string) => string): Method<string> =>
  (text, call, name) =>
    remove(text, asString(takePositional(name, call, ['string'])[0]));

function join(separator: string, call: Call, name: string): string {
  const [items = null] = takePositional(name, call, ['iterable']);
  const texts: string[] = [];
  for (const item of iterate(items) ?? []) {
    if (typeof item !== 'string') raise(`join: in list, want string, got ${typeOf(item)}`);
    texts.push(item);
  }
  return texts.join(separator);
}

export const stringMethods: Readonly<Record<string, Method<string>>> = {
  capitalize: plain(capitalize),
  codepoint_ords: plain(parts),
  codepoints: plain(parts),
  count: (text, call, name) => {
    const [sought, ...bounds] = takePositional(name, call, ['string', 'any?', 'any?']);
    return BigInt(count(text, asString(sought), bounds));
  },
  elem_ords: plain(parts),
  elems: plain(parts),
  endswith: matching((text, affix) => text.endsWith(affix)),
  find: finding(false),
  format: (text, call) => formatFields(text, call),
  index: finding(false),
  isalnum: plain((text) => isEach(text, /[\p{L}\p{Nd}]/u)),
  isalpha: plain((text) => isEach(text, /\p{L}/u)),
  isdigit: plain((text) => isEach(text, /\p{Nd}/u)),
  islower: plain(isLower),
  isspace: plain((text) => isEach(text, /\s/)),
  istitle: plain(isTitle),
  isupper: plain(isUpper),
  join,
  lower: plain((text) => text.toLowerCase()),
  lstrip: stripping(true, false),
  partition: partitioning(false),
  removeprefix: removing((text, affix) => (text.startsWith(affix) ? text.slice(affix.length) : text)),
  removesuffix: removing((text, affix) =>
    text.endsWith(affix) ? text.slice(0, text.length - affix.length) : text,
  ),
  replace: (text, call, name) => {
    const [from, to, limit] = takePositional(name, call, ['string', 'string', 'int?']);
    return replace(text, asString(from), asString(to), limit === undefined ? -1 : toSmallInt(limit));
  },
  rfind: finding(true),
  rindex: finding(true),
  rpartition: partitioning(true),
  rsplit: splitting(true),
  rstrip: stripping(false, true),
  split: splitting(false),
  splitlines: (text, call, name) => {
    const [keepEnds = false] = takePositional(name, call, ['bool?']);
    return newList(splitLines(text, keepEnds === true));
  },
  startswith: matching((text, affix) => text.startsWith(affix)),
  strip: stripping(true, true),
  title: plain(toTitle),
  upper: plain((text) => text.toUpperCase()),
};
