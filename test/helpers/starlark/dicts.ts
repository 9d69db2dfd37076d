/** Owns dicts: which values may be keys, which keys are the same, and changes of entries. */
import {raise} from './errors.ts';
import {checkChange} from './freezing.ts';
import {type Dict, isKind, isObject, newTuple, type StarlarkValue, type Tuple, typeOf} from './values.ts';

export function newDict(entries: Iterable<readonly [StarlarkValue, StarlarkValue]> = []): Dict {
  const dict: Dict = {kind: 'dict', entries: new Map(), frozen: false, loops: 0};
  for (const [key, value] of entries) dict.entries.set(hashKey(key), [key, value]);
  return dict;
}

/** Equal keys give the same; what cannot be a key is refused. */
export function hashKey(key: StarlarkValue): unknown {
  if (key === null || typeof key === 'boolean') return key;
  if (typeof key === 'string') return `s${key}`;
  if (typeof key === 'bigint') return `n${key}`;
  // 1 and 1.0 are one key.
  if (typeof key === 'number') return Number.isInteger(key) ? `n${BigInt(key)}` : `f${key}`;
  switch (key.kind) {
    case 'tuple':
      return hashTuple(key);
    case 'function':
    case 'builtin':
      return key;
    default:
      return raise(`unhashable type: ${typeOf(key)}`);
  }
}

/** `in` says no for what cannot be a key, where other uses are refused. */
export function isHashable(key: StarlarkValue): boolean {
  if (isKind(key, 'tuple')) return key.items.every(isHashable);
  return !isObject(key) || key.kind === 'function' || key.kind === 'builtin';
}

let identities = 0;
const identityOf = new WeakMap<object, number>();

function hashTuple({items}: Tuple): string {
  const parts = items.map((item) => {
    const key = hashKey(item);
    if (typeof key === 'string') return `${key.length}${key}`;
    if (!isObject(key as StarlarkValue)) return `${key}`;
    const known = identityOf.get(key as object) ?? identities++;
    identityOf.set(key as object, known);
    return `o${known}`;
  });
  return `t${parts.join(',')}`;
}

export function getEntry(dict: Dict, key: StarlarkValue): StarlarkValue | undefined {
  return dict.entries.get(hashKey(key))?.[1];
}

export function setEntry(dict: Dict, key: StarlarkValue, value: StarlarkValue): void {
  checkChange(dict, 'insert into', 'hash table');
  const hash = hashKey(key);
  const kept = dict.entries.get(hash)?.[0];
  dict.entries.set(hash, [kept === undefined ? key : kept, value]);
}

/** Gives what was taken out. */
export function deleteEntry(dict: Dict, key: StarlarkValue): StarlarkValue | undefined {
  checkChange(dict, 'delete from', 'hash table');
  const hash = hashKey(key);
  const value = dict.entries.get(hash)?.[1];
  dict.entries.delete(hash);
  return value;
}

export function clearDict(dict: Dict): void {
  checkChange(dict, 'clear', 'hash table');
  dict.entries.clear();
}

export function keysOf(dict: Dict): StarlarkValue[] {
  return [...dict.entries.values()].map(([key]) => key);
}

export function itemsOf(dict: Dict): Tuple[] {
  return [...dict.entries.values()].map((entry) => newTuple(entry));
}
