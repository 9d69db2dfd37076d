/** Owns the arguments of a call: their evaluation, and the spreading of * and **. */
import {type Position, raise} from './errors.ts';
import {iterate} from './iteration.ts';
import type {Argument} from './syntax.ts';
import type {Evaluate} from './targets.ts';
import {toRepr} from './text.ts';
import {type Call, isKind, type Scope, type StarlarkValue, typeOf} from './values.ts';

export function evaluateArguments(
  callee: StarlarkValue,
  args: readonly Argument[],
  at: Position,
  scope: Scope,
  evaluate: Evaluate,
): Call {
  const call: Call = {positional: [], named: new Map()};
  for (const {kind, name = '', value} of args) {
    const given = evaluate(value, scope);
    scope.site.at = at;
    if (kind === 'plain') call.positional.push(given);
    else if (kind === 'named') call.named.set(name, given);
    else if (kind === '*') {
      const items = iterate(given) ?? raise(`argument after * must be iterable, not ${typeOf(given)}`);
      call.positional.push(...items);
    } else spreadNamed(callee, call, given);
  }
  return call;
}

function spreadNamed(callee: StarlarkValue, call: Call, given: StarlarkValue): void {
  if (!isKind(given, 'dict')) raise(`argument after ** must be a mapping, not ${typeOf(given)}`);
  for (const [key, value] of given.entries.values()) {
    if (typeof key !== 'string') raise(`keywords must be strings, not ${typeOf(key)}`);
    if (call.named.has(key)) refuseRepeated(callee, key);
    call.named.set(key, value);
  }
}

function refuseRepeated(callee: StarlarkValue, key: string): never {
  if (isKind(callee, 'builtin')) {
    raise(`${callee.name}: got multiple values for keyword argument ${toRepr(key)}`);
  }
  const name = isKind(callee, 'function') ? callee.name : toRepr(callee);
  return raise(`function ${name} got multiple values for parameter ${toRepr(key)}`);
}
