/** Owns the methods of lists. */
import {takePositional, toSmallInt} from './builtin-arguments.ts';
import {areEqual} from './comparison.ts';
import {prefixReason, raise} from './errors.ts';
import {checkChange} from './freezing.ts';
import {refuseIndex, toBounds} from './indexing.ts';
import {iterate} from './iteration.ts';
import type {Method} from './string-methods.ts';
import type {List, StarlarkValue} from './values.ts';

/** Also what += does; a list may be extended by itself. */
export function extendList(list: List, items: Iterable<StarlarkValue>, verb = 'extend'): void {
  checkChange(list, verb, 'list');
  const added = [...items];
  list.items.push(...added);
}

function indexOf(list: List, value: StarlarkValue, start = 0, end = list.items.length): number {
  for (let i = start; i < end; i++) {
    if (areEqual(list.items[i] ?? null, value)) return i;
  }
  return -1;
}

const plainMethods: Readonly<Record<string, Method<List>>> = {
  append: (list, call, name) => {
    const [value = null] = takePositional(name, call, ['any']);
    checkChange(list, 'append to', 'list');
    list.items.push(value);
    return null;
  },
  clear: (list, call, name) => {
    takePositional(name, call, []);
    checkChange(list, 'clear', 'list');
    list.items.length = 0;
    return null;
  },
  extend: (list, call, name) => {
    const [items = null] = takePositional(name, call, ['iterable']);
    extendList(list, iterate(items) ?? []);
    return null;
  },
  index: (list, call, name) => {
    const [value = null, start, end] = takePositional(name, call, ['any', 'any?', 'any?']);
    const at = indexOf(list, value, ...toBounds(start, end, list.items.length));
    return at < 0 ? raise('value not in list') : BigInt(at);
  },
  insert: (list, call, name) => {
    const [index = null, value = null] = takePositional(name, call, ['int', 'any']);
    checkChange(list, 'insert into', 'list');
    list.items.splice(toSmallInt(index), 0, value);
    return null;
  },
  pop: (list, call, name) => {
    const [index = -1n] = takePositional(name, call, ['int?']);
    const given = toSmallInt(index);
    const i = given < 0 ? given + list.items.length : given;
    if (i < 0 || i >= list.items.length) refuseIndex(list, given);
    checkChange(list, 'pop from', 'list');
    return list.items.splice(i, 1)[0] ?? null;
  },
  remove: (list, call, name) => {
    const [value = null] = takePositional(name, call, ['any']);
    checkChange(list, 'remove from', 'list');
    const at = indexOf(list, value);
    if (at < 0) raise('element not found');
    list.items.splice(at, 1);
    return null;
  },
};

/** Errors of methods begin with the name of the method. */
export function prefixAll<T>(
  methods: Readonly<Record<string, Method<T>>>,
): Readonly<Record<string, Method<T>>> {
  return Object.fromEntries(
    Object.entries(methods).map(([name, run]): [string, Method<T>] => [
      name,
      (self, call) => prefixReason(name, () => run(self, call, name)),
    ]),
  );
}

export const listMethods = prefixAll(plainMethods);
