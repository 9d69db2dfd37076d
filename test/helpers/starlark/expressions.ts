/** Owns the evaluation of expressions. */
import {evaluateArguments} from './arguments.ts';
import {getAttribute} from './attributes.ts';
import {callValue} from './calls.ts';
import {newDict, setEntry} from './dicts.ts';
import {type Position, raise} from './errors.ts';
import {findSlots} from './freezing.ts';
import {getIndex, getSlice} from './indexing.ts';
import {iterate} from './iteration.ts';
import {applyBinary, applyUnary} from './operators.ts';
import type {Clause, Code, Entry, Expression, Identifier, Parameter} from './syntax.ts';
import {assignTo} from './targets.ts';
import {toRepr} from './text.ts';
import {
  isTrue,
  newList,
  newTuple,
  type Scope,
  type StarlarkFunction,
  type StarlarkValue,
  typeOf,
} from './values.ts';

export function evaluate(expression: Expression, scope: Scope): StarlarkValue {
  switch (expression.type) {
    case 'literal':
      return expression.value;
    case 'identifier':
      return readName(expression, scope);
    case 'list':
      return newList(expression.items.map((item) => evaluate(item, scope)));
    case 'tuple':
      return newTuple(expression.items.map((item) => evaluate(item, scope)));
    case 'paren':
      return evaluate(expression.inner, scope);
    case 'dict':
      return makeDict(expression.entries, scope);
    case 'comprehension':
      return comprehend(expression.body, expression.clauses, scope);
    case 'conditional':
      return evaluate(isTrue(evaluate(expression.condition, scope)) ? expression.yes : expression.no, scope);
    case 'lambda':
      return makeFunction('lambda', expression, scope, (inner) => evaluate(expression.body, inner));
    case 'unary': {
      const operand = evaluate(expression.operand, scope);
      return located(scope, expression.start, () => applyUnary(expression.operator, operand));
    }
    case 'binary':
      return evaluateBinary(expression, scope);
    case 'attribute': {
      const of = evaluate(expression.of, scope);
      return located(scope, expression.at, () => getAttribute(of, expression.name));
    }
    case 'index': {
      const of = evaluate(expression.of, scope);
      const index = evaluate(expression.index, scope);
      return located(scope, expression.at, () => getIndex(of, index));
    }
    case 'slice': {
      const of = evaluate(expression.of, scope);
      const bounds = expression.bounds.map((bound) => bound && evaluate(bound, scope));
      return located(scope, expression.at, () => getSlice(of, bounds));
    }
    case 'call': {
      const callee = evaluate(expression.callee, scope);
      const call = evaluateArguments(callee, expression.arguments, expression.at, scope, evaluate);
      return located(scope, expression.at, () => callValue(callee, call));
    }
  }
}

/** Lets the call under way stand at the operation, for the place in its error. */
export function located<T>(scope: Scope, at: Position, run: () => T): T {
  scope.site.at = at;
  return run();
}

function readName({name, binding, start}: Identifier, scope: Scope): StarlarkValue {
  scope.site.at = start;
  if (binding === undefined) return raise(`internal error: ${name} was not resolved`);
  if (binding.owner === undefined) return scope.file.predeclared.get(name) ?? null;
  const slots = findSlots(scope, binding);
  const value = slots?.get(binding);
  return value === undefined
    ? raise(`${binding.scope} variable ${name} referenced before assignment`)
    : value;
}

function evaluateBinary(expression: Expression & {type: 'binary'}, scope: Scope): StarlarkValue {
  const {operator, left, right, at} = expression;
  const a = evaluate(left, scope);
  if (operator === 'and') return isTrue(a) ? evaluate(right, scope) : a;
  if (operator === 'or') return isTrue(a) ? a : evaluate(right, scope);
  const b = evaluate(right, scope);
  return located(scope, at, () => applyBinary(operator, a, b));
}

function makeDict(entries: readonly Entry[], scope: Scope): StarlarkValue {
  const dict = newDict();
  for (const {key, value, at} of entries) {
    const [name, held] = [evaluate(key, scope), evaluate(value, scope)];
    located(scope, at, () => {
      const before = dict.entries.size;
      setEntry(dict, name, held);
      if (dict.entries.size === before) raise(`duplicate key: ${toRepr(name)}`);
    });
  }
  return dict;
}

function comprehend(body: Expression | Entry, clauses: readonly Clause[], scope: Scope): StarlarkValue {
  const list: StarlarkValue[] = [];
  const dict = newDict();
  const isDict = 'key' in body;
  const run = (i: number): void => {
    const clause = clauses[i];
    if (clause === undefined) {
      if (!isDict) {
        list.push(evaluate(body, scope));
        return;
      }
      const [key, value] = [evaluate(body.key, scope), evaluate(body.value, scope)];
      located(scope, body.at, () => setEntry(dict, key, value));
    } else if (clause.kind === 'if') {
      if (isTrue(evaluate(clause.condition, scope))) run(i + 1);
    } else {
      for (const item of loopOver(evaluate(clause.source, scope), clause.at, scope)) {
        assignTo(clause.target, item, clause.at, scope, evaluate);
        run(i + 1);
      }
    }
  };
  run(0);
  return isDict ? dict : newList(list);
}

export function loopOver(value: StarlarkValue, at: Position, scope: Scope): Iterable<StarlarkValue> {
  return located(scope, at, () => iterate(value) ?? raise(`${typeOf(value)} value is not iterable`));
}

export function makeFunction(
  name: string,
  code: Code,
  scope: Scope,
  run: (scope: Scope) => StarlarkValue,
): StarlarkFunction {
  const fallbacks = new Map<Parameter, StarlarkValue>();
  for (const parameter of code.parameters) {
    if (parameter.fallback !== undefined) fallbacks.set(parameter, evaluate(parameter.fallback, scope));
  }
  if (code.container === undefined) raise(`internal error: ${name} was not resolved`);
  const resolved = code as StarlarkFunction['code'];
  return {
    kind: 'function',
    name,
    code: resolved,
    parameters: code.parameters,
    fallbacks,
    scope,
    run,
    frozen: false,
  };
}
