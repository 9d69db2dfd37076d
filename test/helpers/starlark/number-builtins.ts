/** Owns the builtins that make numbers and characters of other values. */
import {takeArguments, takeOne, takePositional, toSmallInt} from './builtin-arguments.ts';
import {prefixReason, raise} from './errors.ts';
import {parseFloatText, parseInteger} from './number-literals.ts';
import {toFloat} from './operators.ts';
import {quote} from './string-literals.ts';
import {truncate} from './truncation.ts';
import {type Call, type StarlarkValue, typeOf} from './values.ts';

function readInt(text: string, base: StarlarkValue): bigint {
  const radix = typeof base === 'bigint' ? Number(base) : raise('int: base must be an integer >= 2 && <= 36');
  if (radix !== 0 && (radix < 2 || radix > 36)) raise('int: base must be an integer >= 2 && <= 36');
  return parseInteger(text, radix) ?? raise(`int: invalid literal with base ${radix}: ${text}`);
}

export const numberBuiltins: Readonly<Record<string, (call: Call, name: string) => StarlarkValue>> = {
  abs: (call, name) => {
    const [value = null] = takePositional(name, call, ['any']);
    if (typeof value === 'bigint') return value < 0n ? -value : value;
    return typeof value === 'number'
      ? Math.abs(value)
      : raise(`abs: got ${typeOf(value)}, want int or float`);
  },
  chr: (call, name) => {
    const code = toSmallInt(takeOne(name, call));
    if (code < 0) raise(`chr: Unicode code point ${code} out of range (<0)`);
    if (code > 0x10ffff) {
      raise(`chr: Unicode code point U+${code.toString(16).toUpperCase()} out of range (>0x10FFFF)`);
    }
    return String.fromCodePoint(code);
  },
  float: (call, name) => {
    if (call.positional.length === 0 && call.named.size === 0) return 0;
    const value = takeOne(name, call);
    if (typeof value === 'boolean') return value ? 1 : 0;
    if (typeof value === 'bigint' || typeof value === 'number') return toFloat(value);
    if (typeof value !== 'string') return raise(`float got ${typeOf(value)}, want number or string`);
    if (value === '') raise('float: empty string');
    const float = parseFloatText(value) ?? raise(`invalid float literal: ${value}`);
    if (!Number.isFinite(float) && /\d/.test(value)) raise('floating-point number too large');
    return float;
  },
  int: (call, name) => {
    const {x = null, base} = takeArguments(name, call, {x: 'any', base: 'any?'});
    if (typeof x === 'string') return readInt(x, base ?? 10n);
    if (base !== undefined) raise("int: can't convert non-string with explicit base");
    if (typeof x === 'boolean') return x ? 1n : 0n;
    return prefixReason(name, () => truncate(x));
  },
  ord: (call, name) => {
    const value = takeOne(name, call);
    if (typeof value !== 'string') return raise(`ord: got ${typeOf(value)}, want string`);
    const points = [...value];
    if (points.length !== 1) {
      raise(`ord: string encodes ${points.length} Unicode code points, want 1 (${quote(value)})`);
    }
    return BigInt(value.codePointAt(0) ?? 0);
  },
};
