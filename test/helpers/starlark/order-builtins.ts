/** Owns the builtins that put values in order: max, min and sorted. */
import {takeArguments} from './builtin-arguments.ts';
import {callValue} from './calls.ts';
import {compare} from './comparison.ts';
import {raise} from './errors.ts';
import {iterate} from './iteration.ts';
import {type Call, newList, type StarlarkValue, typeOf} from './values.ts';

function applyKey(key: StarlarkValue, item: StarlarkValue): StarlarkValue {
  return key === null ? item : callValue(key, {positional: [item], named: new Map()});
}

function findExtreme(name: string, {positional, named}: Call, operator: '<' | '>'): StarlarkValue {
  if (positional.length === 0) raise(`${name} requires at least one positional argument`);
  const {key = null} = takeArguments(name, {positional: [], named}, {key: 'callable?'});
  const [only = null] = positional;
  const items =
    positional.length > 1
      ? positional
      : [...(iterate(only) ?? raise(`${name}: ${typeOf(only)} value is not iterable`))];
  const [first, ...others] = items;
  if (first === undefined) return raise(`${name}: argument is an empty sequence`);
  let best = first;
  let bestKey = applyKey(key, first);
  for (const item of others) {
    const itemKey = applyKey(key, item);
    if (!compare(operator, itemKey, bestKey)) continue;
    best = item;
    bestKey = itemKey;
  }
  return best;
}

function sort(call: Call): StarlarkValue {
  const {
    iterable = null,
    key = null,
    reverse,
  } = takeArguments('sorted', call, {
    iterable: 'iterable',
    key: 'callable?',
    reverse: 'bool?',
  });
  const sign = reverse === true ? -1 : 1;
  const keyed = [...(iterate(iterable) ?? [])].map((item) => ({item, by: applyKey(key, item)}));
  keyed.sort((a, b) => {
    if (compare('<', a.by, b.by)) return -sign;
    return compare('<', b.by, a.by) ? sign : 0;
  });
  return newList(keyed.map(({item}) => item));
}

export const orderBuiltins: Readonly<Record<string, (call: Call) => StarlarkValue>> = {
  max: (call) => findExtreme('max', call, '>'),
  min: (call) => findExtreme('min', call, '<'),
  sorted: sort,
};
