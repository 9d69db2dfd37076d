/** Owns equality and order of values. */
import {compareText} from './byte-strings.ts';
import {raise} from './errors.ts';
import {rangeItem} from './iteration.ts';
import {isKind, isObject, type StarlarkValue, typeOf} from './values.ts';

/** How deep starlark-go looks into nested values; what holds itself would go on for ever. */
const deepest = 10;

function enter(depth: number): number {
  return depth < 1 ? raise('comparison exceeded maximum recursion depth') : depth - 1;
}

export function areEqual(a: StarlarkValue, b: StarlarkValue, depth = deepest): boolean {
  // An int and a float can be equal; otherwise only values of one type.
  if (isNumber(a) && isNumber(b)) return orderNumbers(a, b) === 0;
  if (!isObject(a) || !isObject(b)) return a === b;
  const within = enter(depth);
  if ((isKind(a, 'list') && isKind(b, 'list')) || (isKind(a, 'tuple') && isKind(b, 'tuple'))) {
    return (
      a.items.length === b.items.length &&
      a.items.every((item, i) => areEqual(item, b.items[i] ?? null, within))
    );
  }
  if (isKind(a, 'dict') && isKind(b, 'dict')) {
    if (a.entries.size !== b.entries.size) return false;
    return [...a.entries].every(([hash, [, value]]) => {
      const other = b.entries.get(hash);
      return other !== undefined && areEqual(value, other[1], within);
    });
  }
  if (isKind(a, 'range') && isKind(b, 'range')) {
    if (a.length !== b.length) return false;
    return a.length === 0 || (rangeItem(a, 0) === rangeItem(b, 0) && (a.length === 1 || a.step === b.step));
  }
  return a === b;
}

function isNumber(value: StarlarkValue): value is bigint | number {
  return typeof value === 'bigint' || typeof value === 'number';
}

/** NaN equals itself, and is greater than all others. */
function orderNumbers(a: bigint | number, b: bigint | number): number {
  if (a < b) return -1;
  return a > b ? 1 : Number(Number.isNaN(a)) - Number(Number.isNaN(b));
}

/** Only values of one type have an order, and an int and a float. */
export function compare(operator: string, a: StarlarkValue, b: StarlarkValue): boolean {
  if (operator === '==') return areEqual(a, b);
  if (operator === '!=') return !areEqual(a, b);
  const order = orderOf(operator, a, b);
  switch (operator) {
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    default:
      return order >= 0;
  }
}

function orderOf(operator: string, a: StarlarkValue, b: StarlarkValue, depth = deepest): number {
  if (isNumber(a) && isNumber(b)) return orderNumbers(a, b);
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b);
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b);
  if ((isKind(a, 'list') && isKind(b, 'list')) || (isKind(a, 'tuple') && isKind(b, 'tuple'))) {
    const within = enter(depth);
    for (let i = 0; i < Math.min(a.items.length, b.items.length); i++) {
      const [x, y] = [a.items[i] ?? null, b.items[i] ?? null];
      if (!areEqual(x, y, within)) return orderOf(operator, x, y, within);
    }
    return a.items.length - b.items.length;
  }
  return raise(`${typeOf(a)} ${operator} ${typeOf(b)} not implemented`);
}
