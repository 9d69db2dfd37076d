/** Owns what may be changed: not what is frozen, nor what is being looped over. */
import {raise} from './errors.ts';
import type {Binding} from './syntax.ts';
import {type Changeable, isObject, type Scope, type StarlarkFunction, type StarlarkValue} from './values.ts';

/** Freezes all that can be reached. */
export function freeze(value: StarlarkValue): void {
  if (!isObject(value)) return;
  if (value.kind === 'tuple') {
    for (const item of value.items) freeze(item);
    return;
  }
  if (!('frozen' in value) || value.frozen) return;
  value.frozen = true;
  if (value.kind === 'list') for (const item of value.items) freeze(item);
  else if (value.kind === 'dict') for (const [, item] of value.entries.values()) freeze(item);
  else freezeFunction(value);
}

function freezeFunction({fallbacks, code, scope}: StarlarkFunction): void {
  for (const fallback of fallbacks.values()) freeze(fallback);
  for (const binding of code.container.free) {
    const held = findSlots(scope, binding)?.get(binding);
    if (held !== undefined) freeze(held);
  }
}

export function findSlots(scope: Scope, binding: Binding): Map<Binding, StarlarkValue> | undefined {
  let current: Scope | undefined = scope;
  while (current !== undefined && current.container !== binding.owner) current = current.parent;
  return current?.slots;
}

/** Refuses a change of what is frozen or being looped over; `what` is "list" or "hash table". */
export function checkChange(value: Changeable, verb: string, what: string): void {
  if (value.frozen) raise(`cannot ${verb} frozen ${what}`);
  if (value.loops > 0) raise(`cannot ${verb} ${what} during iteration`);
}
