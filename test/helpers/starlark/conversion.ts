/** Owns the way of values between Starlark and plain JavaScript. */
import {newDict} from './dicts.ts';
import {isObject, newList, type StarlarkValue} from './values.ts';

/** Takes null, undefined, booleans, numbers, strings, arrays, maps and plain objects. Whole numbers become ints. */
export function fromJs(value: unknown): StarlarkValue {
  if (value === null || value === undefined) return null;
  switch (typeof value) {
    case 'boolean':
    case 'string':
    case 'bigint':
      return value;
    case 'number':
      return Number.isSafeInteger(value) ? BigInt(value) : value;
    case 'object':
      break;
    default:
      throw new TypeError(`Starlark has no ${typeof value}`);
  }
  if (Array.isArray(value)) return newList(value.map(fromJs));
  const entries = value instanceof Map ? [...value] : Object.entries(value as object);
  return newDict(entries.map(([key, item]) => [fromJs(key), fromJs(item)] as const));
}

/** Lists and tuples become arrays, a dict an object, or a Map if its keys are not strings; functions stay. */
export function toJs(value: StarlarkValue): unknown {
  if (typeof value === 'bigint') {
    return BigInt(Number(value)) === value && Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }
  if (!isObject(value)) return value;
  switch (value.kind) {
    case 'list':
    case 'tuple':
      return value.items.map(toJs);
    case 'dict': {
      const entries = [...value.entries.values()].map(([key, item]) => [toJs(key), toJs(item)] as const);
      return entries.every(([key]) => typeof key === 'string')
        ? Object.fromEntries(entries)
        : new Map(entries);
    }
    case 'mapping':
      return Object.fromEntries([...value.host.keys()].map((key) => [key, value.host.get(key)]));
    case 'opaque':
      return value.host;
    default:
      return value;
  }
}
