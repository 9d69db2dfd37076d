/** Owns calls of functions and builtins: how arguments meet parameters, and that nothing calls itself. */
import {newDict, setEntry} from './dicts.ts';
import {callsUnderWay, raise, StarlarkError, withinCall} from './errors.ts';
import {quote} from './string-literals.ts';
import type {Parameter} from './syntax.ts';
import {
  type Call,
  isKind,
  newTuple,
  type Scope,
  type StarlarkFunction,
  type StarlarkValue,
  typeOf,
} from './values.ts';

export function callValue(callee: StarlarkValue, call: Call): StarlarkValue {
  if (isKind(callee, 'function')) return callStarlark(callee, call);
  if (!isKind(callee, 'builtin')) return raise(`invalid call of non-function (${typeOf(callee)})`);
  try {
    return callee.run(call) ?? null;
  } catch (error) {
    if (error instanceof StarlarkError || !(error instanceof Error)) throw error;
    return raise(error.message, error);
  }
}

function callStarlark(fn: StarlarkFunction, call: Call): StarlarkValue {
  const site = {name: fn.name, file: fn.scope.file.name, at: fn.code.start, code: fn.code};
  // The same code counts, not the same closure.
  if (callsUnderWay().some((other) => 'code' in other && other.code === fn.code)) {
    raise(`function ${fn.name} called recursively`);
  }
  return withinCall(site, () => {
    const scope: Scope = {
      container: fn.code.container,
      slots: new Map(),
      parent: fn.scope,
      file: fn.scope.file,
      site,
    };
    for (const [parameter, value] of bindArguments(fn, call)) {
      const binding = parameter.name?.binding;
      if (binding !== undefined) scope.slots.set(binding, value);
    }
    return fn.run(scope);
  });
}

function bindArguments(fn: StarlarkFunction, {positional, named}: Call): Map<Parameter, StarlarkValue> {
  const {name, parameters, fallbacks} = fn;
  const starAt = parameters.findIndex(({kind}) => kind === '*' || kind === '**');
  const ordered = starAt < 0 ? parameters : parameters.slice(0, starAt);
  const ordinary = parameters.filter(({kind}) => kind === 'plain' || kind === 'optional');
  const star = parameters.find(({kind, name}) => kind === '*' && name !== undefined);
  const starStar = parameters.find(({kind}) => kind === '**');
  const bound = new Map<Parameter, StarlarkValue>();

  if (parameters.length === 0 && positional.length + named.size > 0) {
    raise(`function ${name} accepts no arguments (${positional.length + named.size} given)`);
  }
  if (positional.length > ordered.length && star === undefined) {
    const most = ordered.some(({kind}) => kind === 'optional') ? 'at most ' : '';
    const s = ordered.length === 1 ? '' : 's';
    raise(
      `function ${name} accepts ${most}${ordered.length} positional argument${s} (${positional.length} given)`,
    );
  }
  for (const [i, parameter] of ordered.slice(0, positional.length).entries()) {
    bound.set(parameter, positional[i] ?? null);
  }
  if (star !== undefined) bound.set(star, newTuple(positional.slice(ordered.length)));
  const rest = newDict();
  if (starStar !== undefined) bound.set(starStar, rest);
  for (const [key, value] of named) {
    const parameter = ordinary.find((candidate) => candidate.name?.name === key);
    if (parameter === undefined) {
      if (starStar === undefined) raise(`function ${name} got an unexpected keyword argument ${quote(key)}`);
      setEntry(rest, key, value);
      continue;
    }
    if (bound.has(parameter)) raise(`function ${name} got multiple values for parameter ${quote(key)}`);
    bound.set(parameter, value);
  }
  const missing: string[] = [];
  for (const parameter of ordinary) {
    if (bound.has(parameter)) continue;
    const fallback = fallbacks.get(parameter);
    if (fallback === undefined) missing.push(parameter.name?.name ?? '');
    else bound.set(parameter, fallback);
  }
  if (missing.length > 0) {
    const s = missing.length > 1 ? 's' : '';
    raise(`function ${name} missing ${missing.length} argument${s} (${missing.join(', ')})`);
  }
  return bound;
}
