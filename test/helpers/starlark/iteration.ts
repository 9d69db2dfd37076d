/** Owns which values can be looped over, and how long they are. */
import {byteLength} from './byte-strings.ts';
import {keysOf} from './dicts.ts';
import {isObject, type Range, type StarlarkValue} from './values.ts';

export function isIterable(value: StarlarkValue): boolean {
  return isObject(value) && ['list', 'tuple', 'dict', 'range', 'parts', 'mapping'].includes(value.kind);
}

/** Gives undefined for what cannot be looped over. Lists and dicts refuse changes until the loop ends. */
export function iterate(value: StarlarkValue): Iterable<StarlarkValue> | undefined {
  if (!isObject(value)) return undefined;
  switch (value.kind) {
    case 'list':
      return guard(value, value.items);
    case 'dict':
      return guard(value, keysOf(value));
    case 'tuple':
    case 'parts':
      return value.items;
    case 'range':
      return Array.from({length: value.length}, (_, i) => rangeItem(value, i));
    case 'mapping':
      return [...value.host.keys()];
    default:
      return undefined;
  }
}

function* guard(value: {loops: number}, items: Iterable<StarlarkValue>): Iterable<StarlarkValue> {
  value.loops++;
  try {
    yield* items;
  } finally {
    value.loops--;
  }
}

export function rangeItem({start, step}: Range, index: number): bigint {
  return BigInt(start + index * step);
}

/** Gives undefined for what has no length. */
export function lengthOf(value: StarlarkValue): number | undefined {
  if (typeof value === 'string') return byteLength(value);
  if (!isObject(value)) return undefined;
  switch (value.kind) {
    case 'list':
    case 'tuple':
      return value.items.length;
    case 'dict':
      return value.entries.size;
    case 'range':
      return value.length;
    case 'parts':
      return value.method.startsWith('elem') ? value.items.length : undefined;
    case 'mapping':
      return [...value.host.keys()].length;
    default:
      return undefined;
  }
}

export function newRange(start: number, stop: number, step: number): Range {
  const length = Math.max(0, Math.ceil((stop - start) / step));
  return {kind: 'range', start, stop, step, length};
}
