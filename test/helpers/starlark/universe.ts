/** Owns the names that every Starlark file knows. */
import {findAttribute, listAttributes} from './attributes.ts';
import {takeArguments, takeOne, takePositional, toSmallInt} from './builtin-arguments.ts';
import {updateDict} from './dict-methods.ts';
import {newDict} from './dicts.ts';
import {prefixReason, raise} from './errors.ts';
import {iterate, lengthOf, newRange} from './iteration.ts';
import {numberBuiltins} from './number-builtins.ts';
import {orderBuiltins} from './order-builtins.ts';
import {toRepr, toText} from './text.ts';
import {type Call, isTrue, newBuiltin, newList, newTuple, type StarlarkValue, typeOf} from './values.ts';

type Run = (call: Call, name: string) => StarlarkValue | undefined;

/** The items of the only argument, which may be missing where `type` says so. */
function takeItems(name: string, call: Call, type: string): StarlarkValue[] {
  const [items] = takePositional(name, call, [type]);
  return items === undefined ? [] : [...(iterate(items) ?? [])];
}

function joinTexts({positional, named}: Call, name: string): string {
  const {sep = ' '} = takeArguments(name, {positional: [], named}, {sep: 'string?'});
  return positional.map(toText).join(String(sep));
}

const builtins: Readonly<Record<string, Run>> = {
  all: (call, name) => takeItems(name, call, 'iterable').every(isTrue),
  any: (call, name) => takeItems(name, call, 'iterable').some(isTrue),
  bool: (call, name) => isTrue(takePositional(name, call, ['any?'])[0] ?? null),
  dict: (call, name) => {
    const dict = newDict();
    prefixReason(name, () => updateDict(dict, call));
    return dict;
  },
  dir: (call, name) => newList(listAttributes(takeOne(name, call))),
  enumerate: (call, name) => {
    const [items = null, start = 0n] = takePositional(name, call, ['iterable', 'int?']);
    const pairs = [...(iterate(items) ?? [])].map((item, i) =>
      newTuple([BigInt(i + toSmallInt(start)), item]),
    );
    return newList(pairs);
  },
  fail: (call, name) => raise(`fail: ${joinTexts(call, name)}`),
  getattr: (call, name) => {
    const [of = null, attribute, fallback] = takePositional(name, call, ['any', 'string', 'any?']);
    const value = findAttribute(of, String(attribute)) ?? fallback;
    return value === undefined ? raise(`getattr: ${typeOf(of)} has no .${attribute} field or method`) : value;
  },
  hasattr: (call, name) => {
    const [of = null, attribute] = takePositional(name, call, ['any', 'string']);
    return findAttribute(of, String(attribute)) !== undefined;
  },
  hash: (call, name) => {
    const [text] = takePositional(name, call, ['string']);
    return hashText(String(text));
  },
  len: (call, name) => {
    const [value = null] = takePositional(name, call, ['any']);
    const length = lengthOf(value);
    return length === undefined ? raise(`len: value of type ${typeOf(value)} has no len`) : BigInt(length);
  },
  list: (call, name) => newList(takeItems(name, call, 'iterable?')),
  range: (call, name) => {
    const [first = 0n, last, by = 1n] = takePositional(name, call, ['int', 'int?', 'int?']);
    if (by === 0n) raise('range: step argument must not be zero');
    const [start, stop] = last === undefined ? [0n, first] : [first, last];
    return prefixReason(name, () => newRange(toSmallInt(start), toSmallInt(stop), toSmallInt(by)));
  },
  repr: (call, name) => toRepr(takePositional(name, call, ['any'])[0] ?? null),
  reversed: (call, name) => newList(takeItems(name, call, 'iterable').reverse()),
  // The resolver refuses it: Tilt does not allow sets.
  set: () => raise('this Starlark dialect does not support sets'),
  str: (call, name) => toText(takeOne(name, call)),
  tuple: (call, name) => newTuple(takeItems(name, call, 'iterable?')),
  type: (call, name) => typeOf(takeOne(name, call)),
  zip: ({positional, named}, name) => {
    if (named.size > 0) raise(`${name} does not accept keyword arguments`);
    const columns = positional.map((column, i) => [
      ...(iterate(column) ?? raise(`zip: argument #${i + 1} is not iterable: ${typeOf(column)}`)),
    ]);
    const length = columns.length === 0 ? 0 : Math.min(...columns.map((column) => column.length));
    return newList(Array.from({length}, (_, i) => newTuple(columns.map((column) => column[i] ?? null))));
  },
};

/** As Java hashes strings, but over code points, as starlark-go does in effect. */
function hashText(text: string): bigint {
  let hash = 0;
  for (const char of text) hash = (Math.imul(hash, 31) + (char.codePointAt(0) ?? 0)) | 0;
  return BigInt(hash);
}

/** `print` differs between files, as each is run with its own. */
export function createUniverse(print: (line: string) => void): ReadonlyMap<string, StarlarkValue> {
  const runs: Record<string, Run> = {
    ...builtins,
    ...numberBuiltins,
    ...orderBuiltins,
    print: (call, name) => {
      print(joinTexts(call, name));
      return null;
    },
  };
  return new Map<string, StarlarkValue>([
    ['None', null],
    ['True', true],
    ['False', false],
    ...Object.entries(runs).map(([name, run]): [string, StarlarkValue] => [
      name,
      newBuiltin(name, (call) => run(call, name)),
    ]),
  ]);
}
