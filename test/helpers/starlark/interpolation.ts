/** Owns the formatting of strings: the % operator and str.format(). */
import {getEntry} from './dicts.ts';
import {prefixReason, raise} from './errors.ts';
import {writeFloat} from './number-literals.ts';
import {quote} from './string-literals.ts';
import {toRepr, toText} from './text.ts';
import {truncate} from './truncation.ts';
import {type Call, isKind, type StarlarkValue, typeOf} from './values.ts';

/** Knows no flags, widths or precisions, as Starlark does not. */
export function interpolate(format: string, value: StarlarkValue): string {
  const given = isKind(value, 'tuple') ? value.items : [value];
  let used = 0;
  const text = format.replace(/%(?:%|(?:\(([^)]*)(\)?))?(.?))/gsu, (whole, key, closed, conversion) => {
    if (whole === '%%') return '%';
    let argument: StarlarkValue;
    if (key === undefined) {
      if (used >= given.length) raise('not enough arguments for format string');
      argument = given[used] ?? null;
    } else {
      if (closed === undefined) raise('incomplete format key');
      argument = lookUp(value, key);
    }
    used++;
    if (conversion === '') raise('incomplete format');
    return convert(conversion, argument);
  });
  if (used < given.length) raise('too many arguments for format string');
  return text;
}

function lookUp(value: StarlarkValue, key: string): StarlarkValue {
  if (!isKind(value, 'dict')) return raise('format requires a mapping');
  const found = getEntry(value, key);
  return found === undefined ? raise(`key not found: ${key}`) : found;
}

function convert(conversion: string, value: StarlarkValue): string {
  switch (conversion) {
    case 's':
      return toText(value);
    case 'r':
      return toRepr(value);
    case 'd':
    case 'i':
      return toInt(conversion, value).toString();
    case 'o':
      return toInt(conversion, value).toString(8);
    case 'x':
      return toInt(conversion, value).toString(16);
    case 'X':
      return toInt(conversion, value).toString(16).toUpperCase();
    case 'e':
    case 'f':
    case 'g':
    case 'E':
    case 'F':
    case 'G':
      return writeAs(conversion, value);
    case 'c':
      return toCharacter(value);
    case '%':
      return '%';
    default:
      return raise(`unknown conversion %${conversion}`);
  }
}

function toInt(conversion: string, value: StarlarkValue): bigint {
  return prefixReason(`%${conversion} format requires integer`, () => truncate(value));
}

function writeAs(conversion: string, value: StarlarkValue): string {
  if (typeof value !== 'number' && typeof value !== 'bigint') {
    return raise(`%${conversion} format requires float, not ${typeOf(value)}`);
  }
  const float = Number(value);
  const lower = conversion.toLowerCase();
  if (lower === 'g' || !Number.isFinite(float)) return writeFloat(float);
  const sign = Object.is(float, -0) ? '-' : '';
  if (lower === 'f') return sign + (Math.abs(float) < 1e21 ? float.toFixed(6) : `${BigInt(float)}.000000`);
  const text = (sign + float.toExponential(6)).replace(/e([+-])(\d)$/, 'e$10$2');
  return conversion === 'E' ? text.toUpperCase() : text;
}

function toCharacter(value: StarlarkValue): string {
  if (typeof value === 'bigint') {
    if (value < 0n || value > 0x10ffffn) raise(`%c format requires a valid Unicode code point, got ${value}`);
    return String.fromCodePoint(Number(value));
  }
  if (typeof value !== 'string') {
    return raise(`%c format requires int or single-character string, not ${typeOf(value)}`);
  }
  return [...value].length === 1 ? value : raise('%c format requires a single-character string');
}

/** Fields may have a name or a number and a conversion; nothing else. */
export function formatFields(format: string, {positional, named}: Call): string {
  let text = '';
  let automatic = 0;
  let manual = false;
  const choose = (name: string): StarlarkValue => {
    if (name === '') {
      if (manual) raise('format: cannot switch from manual field specification to automatic field numbering');
      return positional[automatic++] ?? outOfRange(positional, automatic - 1);
    }
    if (/^[0-9]+$/.test(name)) {
      if (automatic > 0) {
        raise('format: cannot switch from automatic field numbering to manual field specification');
      }
      manual = true;
      return positional[Number(name)] ?? outOfRange(positional, Number(name));
    }
    const value = named.get(name);
    return value === undefined ? refuseField(name) : value;
  };
  let rest = format;
  while (rest !== '') {
    const [, literal = '', mark] = /^([^{}]*)(.?)/s.exec(rest) ?? [];
    text += literal;
    rest = rest.slice(literal.length);
    if (mark === undefined || mark === '') break;
    if (rest[1] === mark) {
      text += mark;
      rest = rest.slice(2);
      continue;
    }
    if (mark === '}') raise("format: single '}' in format");
    const end = rest.indexOf('}');
    if (end < 0) raise("format: unmatched '{' in format");
    text += writeField(rest.slice(1, end), choose);
    rest = rest.slice(end + 1);
  }
  return text;
}

function outOfRange(positional: readonly StarlarkValue[], index: number): StarlarkValue {
  return index < positional.length ? null : raise('format: tuple index out of range');
}

function refuseField(name: string): never {
  if (name.includes('.'))
    raise(`format: attribute syntax x.y is not supported in replacement fields: ${name}`);
  if (name.includes('['))
    raise(`format: element syntax a[i] is not supported in replacement fields: ${name}`);
  if (name.includes('{')) raise('format: nested replacement fields not supported');
  return raise(`format: keyword ${name} not found`);
}

function writeField(field: string, choose: (name: string) => StarlarkValue): string {
  const [, name = '', conversion, spec = ''] = /^([^!:]*)(?:!([^:]*))?(?::(.*))?$/s.exec(field) ?? [];
  const value = choose(name);
  if (spec !== '') raise(`format spec features not supported in replacement fields: ${spec}`);
  if (conversion === undefined || conversion === 's') return toText(value);
  return conversion === 'r' ? toRepr(value) : raise(`format: unknown conversion ${quote(conversion)}`);
}
