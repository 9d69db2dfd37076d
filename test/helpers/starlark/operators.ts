/** Owns what the operators do with values. */
import {byteLength} from './byte-strings.ts';
import {areEqual, compare} from './comparison.ts';
import {getEntry, isHashable, newDict} from './dicts.ts';
import {raise} from './errors.ts';
import {interpolate} from './interpolation.ts';
import {rangeItem} from './iteration.ts';
import {truncate} from './truncation.ts';
import {isKind, isTrue, newList, newTuple, type StarlarkValue, typeOf} from './values.ts';

const comparisons = new Set(['==', '!=', '<', '<=', '>', '>=']);
const largest = 1 << 30;

export function applyUnary(operator: string, value: StarlarkValue): StarlarkValue {
  if (operator === 'not') return !isTrue(value);
  if (typeof value === 'bigint') {
    if (operator === '-') return -value;
    return operator === '~' ? ~value : value;
  }
  if (typeof value === 'number' && operator !== '~') return operator === '-' ? -value : value;
  return raise(`unknown unary op: ${operator} ${typeOf(value)}`);
}

export function applyBinary(operator: string, a: StarlarkValue, b: StarlarkValue): StarlarkValue {
  if (comparisons.has(operator)) return compare(operator, a, b);
  if (operator === 'in') return contains(operator, b, a);
  if (operator === 'not in') return !contains(operator, b, a);
  if (typeof a === 'bigint' && typeof b === 'bigint')
    return applyToInts(operator, a, b) ?? unknown(operator, a, b);
  if ((typeof a === 'number' || typeof a === 'bigint') && (typeof b === 'number' || typeof b === 'bigint')) {
    return applyToFloats(operator, toFloat(a), toFloat(b)) ?? unknown(operator, a, b);
  }
  if (typeof a === 'string' && operator === '%') return interpolate(a, b);
  if (operator === '+') return add(a, b) ?? unknown(operator, a, b);
  if (operator === '*')
    return (typeof a === 'bigint' ? repeat(b, a) : repeat(a, b)) ?? unknown(operator, a, b);
  if (operator === '|' && isKind(a, 'dict') && isKind(b, 'dict')) {
    return newDict([...a.entries.values(), ...b.entries.values()]);
  }
  return unknown(operator, a, b);
}

function unknown(operator: string, a: StarlarkValue, b: StarlarkValue): never {
  return raise(`unknown binary op: ${typeOf(a)} ${operator} ${typeOf(b)}`);
}

export function toFloat(value: bigint | number): number {
  const float = Number(value);
  if (typeof value === 'bigint' && !Number.isFinite(float)) raise('int too large to convert to float');
  return float;
}

function applyToInts(operator: string, a: bigint, b: bigint): StarlarkValue | undefined {
  switch (operator) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
      return applyToFloats('/', toFloat(a), toFloat(b));
    case '//':
      if (b === 0n) raise('floored division by zero');
      return (a - modulo(a, b)) / b;
    case '%':
      if (b === 0n) raise('integer modulo by zero');
      return modulo(a, b);
    case '&':
      return a & b;
    case '|':
      return a | b;
    case '^':
      return a ^ b;
    case '<<':
      if (b < 0n) raise(`negative shift count: ${b}`);
      if (b >= 512n) raise(`shift count too large: ${b}`);
      return a << b;
    case '>>':
      if (b < 0n) raise(`negative shift count: ${b}`);
      return a >> b;
    default:
      return undefined;
  }
}

/** Takes the sign of the divisor, as the division goes down. */
function modulo(a: bigint, b: bigint): bigint {
  const rest = a % b;
  return rest !== 0n && rest < 0n !== b < 0n ? rest + b : rest;
}

function applyToFloats(operator: string, a: number, b: number): number | undefined {
  switch (operator) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
      if (b === 0) raise('floating-point division by zero');
      return a / b;
    case '//':
      if (b === 0) raise('floored division by zero');
      return Math.floor(a / b);
    case '%': {
      if (b === 0) raise('floating-point modulo by zero');
      const rest = a % b;
      return rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest;
    }
    default:
      return undefined;
  }
}

function add(a: StarlarkValue, b: StarlarkValue): StarlarkValue | undefined {
  if (typeof a === 'string' && typeof b === 'string') return a + b;
  if (isKind(a, 'list') && isKind(b, 'list')) return newList([...a.items, ...b.items]);
  if (isKind(a, 'tuple') && isKind(b, 'tuple')) return newTuple([...a.items, ...b.items]);
  return undefined;
}

function repeat(value: StarlarkValue, count: StarlarkValue): StarlarkValue | undefined {
  if (typeof count !== 'bigint') return undefined;
  const isText = typeof value === 'string';
  if (!isText && !isKind(value, 'list') && !isKind(value, 'tuple')) return undefined;
  if (count >= BigInt(largest)) raise(`repeat count ${count} too large`);
  const times = count < 0n ? 0 : Number(count);
  const size = isText ? byteLength(value) : value.items.length;
  if (size * times >= largest) raise(`excessive repeat (${size} * ${count} elements)`);
  if (size === 0) return isText ? '' : copyOf(value, []);
  if (isText) return value.repeat(times);
  return copyOf(value, Array.from({length: times}, () => value.items).flat());
}

function copyOf(value: StarlarkValue, items: StarlarkValue[]): StarlarkValue {
  return isKind(value, 'list') ? newList(items) : newTuple(items);
}

function contains(operator: string, within: StarlarkValue, value: StarlarkValue): boolean {
  if (isKind(within, 'list') || isKind(within, 'tuple'))
    return within.items.some((item) => areEqual(item, value));
  if (isKind(within, 'dict')) return isHashable(value) && getEntry(within, value) !== undefined;
  if (isKind(within, 'mapping')) return typeof value === 'string' && within.host.get(value) !== undefined;
  if (typeof within === 'string') {
    if (typeof value === 'string') return within.includes(value);
    raise(`'in <string>' requires string as left operand, not ${typeOf(value)}`);
  }
  if (isKind(within, 'range')) {
    if (typeof value !== 'bigint' && typeof value !== 'number') {
      raise(`'in <range>' requires integer as left operand, not ${typeOf(value)}`);
    }
    const sought = Number.isFinite(Number(value)) ? truncate(value) : undefined;
    return Array.from({length: within.length}, (_, i) => rangeItem(within, i)).some(
      (item) => item === sought,
    );
  }
  return unknown(operator, value, within);
}
