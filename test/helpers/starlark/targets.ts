/** Owns what stands on the left of an assignment, and in the heads of loops. */
import {refuseAttributeAssignment} from './attributes.ts';
import {type Position, raise} from './errors.ts';
import {findSlots} from './freezing.ts';
import {setIndex} from './indexing.ts';
import {iterate} from './iteration.ts';
import type {Expression, Identifier} from './syntax.ts';
import {type Scope, type StarlarkValue, typeOf} from './values.ts';

export type Evaluate = (expression: Expression, scope: Scope) => StarlarkValue;

export function assignName({name, binding}: Identifier, value: StarlarkValue, scope: Scope): void {
  const slots = binding && findSlots(scope, binding);
  if (binding === undefined || slots === undefined) raise(`internal error: ${name} was not resolved`);
  else slots.set(binding, value);
}

export function assignTo(
  target: Expression,
  value: StarlarkValue,
  at: Position,
  scope: Scope,
  evaluate: Evaluate,
): void {
  switch (target.type) {
    case 'identifier':
      assignName(target, value, scope);
      return;
    case 'paren':
      assignTo(target.inner, value, at, scope, evaluate);
      return;
    case 'index': {
      const of = evaluate(target.of, scope);
      const index = evaluate(target.index, scope);
      scope.site.at = target.at;
      setIndex(of, index, value);
      return;
    }
    case 'attribute': {
      const of = evaluate(target.of, scope);
      scope.site.at = target.at;
      refuseAttributeAssignment(of, target.name);
      return;
    }
    case 'list':
    case 'tuple':
      unpack(target.items, value, at, scope, evaluate);
      return;
    default:
      raise(`internal error: assignment to ${target.type}`);
  }
}

function unpack(
  targets: readonly Expression[],
  value: StarlarkValue,
  at: Position,
  scope: Scope,
  evaluate: Evaluate,
): void {
  scope.site.at = at;
  const items = [...(iterate(value) ?? raise(`got ${typeOf(value)} in sequence assignment`))];
  const counts = `(got ${items.length}, want ${targets.length})`;
  if (items.length > targets.length) raise(`too many values to unpack ${counts}`);
  if (items.length < targets.length) raise(`too few values to unpack ${counts}`);
  for (const [i, target] of targets.entries()) assignTo(target, items[i] ?? null, at, scope, evaluate);
}
