/** Owns how builtins take their arguments, and how wrong ones are told. */
import {raise} from './errors.ts';
import {isIterable} from './iteration.ts';
import {quote} from './string-literals.ts';
import {type Call, isKind, type StarlarkValue, typeOf} from './values.ts';

type Check = (value: StarlarkValue) => boolean;

const checks: Readonly<Record<string, Check>> = {
  any: () => true,
  string: (value) => typeof value === 'string',
  int: (value) => typeof value === 'bigint',
  bool: (value) => typeof value === 'boolean',
  list: (value) => isKind(value, 'list'),
  dict: (value) => isKind(value, 'dict'),
  iterable: isIterable,
  callable: (value) => isKind(value, 'function') || isKind(value, 'builtin'),
};

function check(name: string, parameter: string | number, want: string, value: StarlarkValue): StarlarkValue {
  if (checks[want]?.(value) === true) return value;
  return raise(`${name}: for parameter ${parameter}: got ${typeOf(value)}, want ${want}`);
}

/** Takes positional arguments only; a type that ends in `?` may be missing. */
export function takePositional(
  name: string,
  {positional, named}: Call,
  types: readonly string[],
): (StarlarkValue | undefined)[] {
  if (named.size > 0) raise(`${name}: unexpected keyword arguments`);
  const least = types.filter((type) => !type.endsWith('?')).length;
  const bound = (word: string): string => (least === types.length ? '' : word);
  if (positional.length < least) {
    raise(`${name}: got ${positional.length} arguments, want ${bound('at least ')}${least}`);
  }
  if (positional.length > types.length) {
    raise(`${name}: got ${positional.length} arguments, want ${bound('at most ')}${types.length}`);
  }
  return types.map((type, i) => {
    const value = positional[i];
    return value === undefined ? undefined : check(name, i + 1, type.replace('?', ''), value);
  });
}

/**
 * Takes arguments by position or by name, as `{path: 'string', only: 'list?'}` tells them; the order is that of
 * the names. What is missing is left out.
 */
export function takeArguments(
  name: string,
  {positional, named}: Call,
  types: Readonly<Record<string, string>>,
): Record<string, StarlarkValue> {
  const parameters = Object.keys(types);
  if (positional.length > parameters.length) {
    raise(`${name}: got ${positional.length} arguments, want at most ${parameters.length}`);
  }
  const taken: Record<string, StarlarkValue> = {};
  const put = (parameter: string, value: StarlarkValue): void => {
    const type = types[parameter] ?? '';
    // None stands for a missing argument where one may be missing, as `??` says in starlark-go.
    if (value === null && type.endsWith('??')) return;
    taken[parameter] = check(name, parameter, type.replaceAll('?', ''), value);
  };
  for (const [i, value] of positional.entries()) put(parameters[i] ?? '', value);
  for (const [parameter, value] of named) {
    if (!Object.hasOwn(types, parameter)) raise(`${name}: unexpected keyword argument ${quote(parameter)}`);
    if (parameters.indexOf(parameter) < positional.length) {
      raise(`${name}: got multiple values for keyword argument ${quote(parameter)}`);
    }
    put(parameter, value);
  }
  for (const parameter of parameters) {
    if (!Object.hasOwn(taken, parameter) && !types[parameter]?.endsWith('?')) {
      raise(`${name}: missing argument for ${parameter}`);
    }
  }
  return taken;
}

/** For what takes exactly one argument. */
export function takeOne(name: string, call: Call): StarlarkValue {
  if (call.named.size > 0) raise(`${name} does not accept keyword arguments`);
  const [value] = call.positional;
  if (value === undefined || call.positional.length > 1) {
    return raise(`${name}: got ${call.positional.length} arguments, want exactly 1`);
  }
  return value;
}

/** Ints that count or index have 32 bits. */
export function toSmallInt(value: StarlarkValue): number {
  if (typeof value !== 'bigint') return raise(`got ${typeOf(value)}, want int`);
  if (value !== BigInt.asIntN(32, value)) return raise(`${value} out of range`);
  return Number(value);
}
