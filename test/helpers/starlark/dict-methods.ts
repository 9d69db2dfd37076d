/** Owns the methods of dicts and of what looks like one. */
import {takePositional} from './builtin-arguments.ts';
import {clearDict, deleteEntry, getEntry, itemsOf, keysOf, setEntry} from './dicts.ts';
import {raise} from './errors.ts';
import {isIterable, iterate, lengthOf} from './iteration.ts';
import {prefixAll} from './list-methods.ts';
import {entriesOf} from './text.ts';
import {
  type Call,
  type Dict,
  isKind,
  type Mapping,
  newList,
  newTuple,
  type StarlarkValue,
  typeOf,
} from './values.ts';

/** What dict() and dict.update() take: a dict or pairs, and then names. */
export function updateDict(dict: Dict, {positional, named}: Call): void {
  if (positional.length > 1) raise(`got ${positional.length} arguments, want at most 1`);
  const [updates] = positional;
  if (updates !== undefined) for (const [key, value] of pairsOf(updates)) setEntry(dict, key, value);
  for (const [key, value] of named) setEntry(dict, key, value);
}

function pairsOf(updates: StarlarkValue): (readonly [StarlarkValue, StarlarkValue])[] {
  if (isKind(updates, 'dict')) return [...updates.entries.values()];
  if (isKind(updates, 'mapping')) return entriesOf(updates);
  if (!isIterable(updates)) raise(`got ${typeOf(updates)}, want iterable`);
  return [...(iterate(updates) ?? [])].map((pair, i) => {
    const what = `dictionary update sequence element #${i}`;
    if (!isIterable(pair)) raise(`${what} is not iterable (${typeOf(pair)})`);
    const [key = null, value = null] = iterate(pair) ?? [];
    if (lengthOf(pair) !== 2) raise(`${what} has length ${lengthOf(pair)}, want 2`);
    return [key, value];
  });
}

export const dictMethods = prefixAll<Dict>({
  clear: (dict, call, name) => {
    takePositional(name, call, []);
    clearDict(dict);
    return null;
  },
  get: (dict, call, name) => {
    const [key = null, fallback = null] = takePositional(name, call, ['any', 'any?']);
    const value = getEntry(dict, key);
    return value === undefined ? fallback : value;
  },
  items: (dict, call, name) => {
    takePositional(name, call, []);
    return newList(itemsOf(dict));
  },
  keys: (dict, call, name) => {
    takePositional(name, call, []);
    return newList(keysOf(dict));
  },
  pop: (dict, call, name) => {
    const [key = null, fallback] = takePositional(name, call, ['any', 'any?']);
    const value = deleteEntry(dict, key);
    if (value !== undefined) return value;
    return fallback === undefined ? raise('missing key') : fallback;
  },
  popitem: (dict, call, name) => {
    takePositional(name, call, []);
    const [first] = itemsOf(dict);
    if (first === undefined) return raise('empty dict');
    deleteEntry(dict, first.items[0] ?? null);
    return first;
  },
  setdefault: (dict, call, name) => {
    const [key = null, fallback = null] = takePositional(name, call, ['any', 'any?']);
    const value = getEntry(dict, key);
    if (value !== undefined) return value;
    setEntry(dict, key, fallback);
    return fallback;
  },
  update: (dict, call) => {
    updateDict(dict, call);
    return null;
  },
  values: (dict, call, name) => {
    takePositional(name, call, []);
    return newList(itemsOf(dict).map(({items}) => items[1] ?? null));
  },
});

function getText({host}: Mapping, key: StarlarkValue): string | undefined {
  return typeof key === 'string' ? host.get(key) : undefined;
}

export const mappingMethods = prefixAll<Mapping>({
  get: (mapping, call, name) => {
    const [key = null, fallback = null] = takePositional(name, call, ['any', 'any?']);
    return getText(mapping, key) ?? fallback;
  },
  items: (mapping, call, name) => {
    takePositional(name, call, []);
    return newList(entriesOf(mapping).map((entry) => newTuple(entry)));
  },
  keys: (mapping, call, name) => {
    takePositional(name, call, []);
    return newList([...mapping.host.keys()]);
  },
  pop: (mapping, call, name) => {
    const [key = null, fallback] = takePositional(name, call, ['any', 'any?']);
    const value = getText(mapping, key);
    if (value === undefined) return fallback === undefined ? raise('missing key') : fallback;
    mapping.host.delete(String(key));
    return value;
  },
  values: (mapping, call, name) => {
    takePositional(name, call, []);
    return newList(entriesOf(mapping).map(([, value]) => value));
  },
});
