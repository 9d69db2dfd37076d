/** Owns the execution of statements. */
import {getAttribute, refuseAttributeAssignment} from './attributes.ts';
import {setEntry} from './dicts.ts';
import {raise} from './errors.ts';
import {evaluate, loopOver, makeFunction} from './expressions.ts';
import {getIndex, setIndex} from './indexing.ts';
import {isIterable, iterate} from './iteration.ts';
import {extendList} from './list-methods.ts';
import {applyBinary} from './operators.ts';
import type {Expression, Load, Statement} from './syntax.ts';
import {assignName, assignTo} from './targets.ts';
import {isKind, isTrue, type Scope, type StarlarkValue} from './values.ts';

export type LoadModule = (module: string) => Record<string, StarlarkValue>;

/** How a block ended, when not at its end. */
type Ending = 'break' | 'continue' | {readonly result: StarlarkValue} | undefined;

export function executeBlock(
  statements: readonly Statement[],
  scope: Scope,
  load: LoadModule | undefined,
): Ending {
  for (const statement of statements) {
    const ending = executeStatement(statement, scope, load);
    if (ending !== undefined) return ending;
  }
  return undefined;
}

function executeStatement(statement: Statement, scope: Scope, load: LoadModule | undefined): Ending {
  switch (statement.type) {
    case 'expression':
      evaluate(statement.value, scope);
      return undefined;
    case 'branch':
      return statement.word === 'pass' ? undefined : (statement.word as 'break' | 'continue');
    case 'return':
      return {result: statement.value === undefined ? null : evaluate(statement.value, scope)};
    case 'if': {
      const chosen = isTrue(evaluate(statement.condition, scope)) ? statement.body : statement.otherwise;
      return executeBlock(chosen, scope, load);
    }
    case 'for':
      return executeFor(statement, scope, load);
    case 'def': {
      const run = (inner: Scope): StarlarkValue => {
        const ending = executeBlock(statement.body, inner, load);
        return typeof ending === 'object' ? ending.result : null;
      };
      assignName(statement.name, makeFunction(statement.name.name, statement, scope, run), scope);
      return undefined;
    }
    case 'assign':
      executeAssignment(statement, scope);
      return undefined;
    case 'load':
      executeLoad(statement, scope, load);
      return undefined;
    case 'while':
      return raise('internal error: the resolver let a while loop pass');
  }
}

function executeFor(
  {source, target, body, start}: Statement & {type: 'for'},
  scope: Scope,
  load: LoadModule | undefined,
): Ending {
  for (const item of loopOver(evaluate(source, scope), start, scope)) {
    assignTo(target, item, start, scope, evaluate);
    const ending = executeBlock(body, scope, load);
    if (ending === 'break') return undefined;
    if (typeof ending === 'object') return ending;
  }
  return undefined;
}

function executeAssignment(statement: Statement & {type: 'assign'}, scope: Scope): void {
  const {operator, target, value, at} = statement;
  if (operator === '=') {
    assignTo(target, evaluate(value, scope), at, scope, evaluate);
    return;
  }
  const {read, write} = openTarget(target, scope);
  const before = read();
  const given = evaluate(value, scope);
  scope.site.at = at;
  write(augment(operator.slice(0, -1), before, given));
}

/** Evaluates the parts of the target once, though it is read and written. */
function openTarget(
  target: Expression,
  scope: Scope,
): {read: () => StarlarkValue; write: (value: StarlarkValue) => void} {
  if (target.type === 'paren') return openTarget(target.inner, scope);
  if (target.type === 'identifier') {
    return {read: () => evaluate(target, scope), write: (value) => assignName(target, value, scope)};
  }
  if (target.type !== 'index' && target.type !== 'attribute') {
    return raise(`internal error: assignment to ${target.type}`);
  }
  const of = evaluate(target.of, scope);
  if (target.type === 'attribute') {
    scope.site.at = target.at;
    return {
      read: () => getAttribute(of, target.name),
      write: () => refuseAttributeAssignment(of, target.name),
    };
  }
  const index = evaluate(target.index, scope);
  scope.site.at = target.at;
  return {read: () => getIndex(of, index), write: (value) => setIndex(of, index, value)};
}

/** += and |= change a list or dict in place. */
function augment(operator: string, before: StarlarkValue, given: StarlarkValue): StarlarkValue {
  if (operator === '+' && isKind(before, 'list') && isIterable(given)) {
    extendList(before, iterate(given) ?? [], 'apply += to');
    return before;
  }
  if (operator === '|' && isKind(before, 'dict') && isKind(given, 'dict')) {
    for (const [key, value] of given.entries.values()) setEntry(before, key, value);
    return before;
  }
  return applyBinary(operator, before, given);
}

function executeLoad({module, names, start}: Load, scope: Scope, load: LoadModule | undefined): void {
  scope.site.at = start;
  if (load === undefined) raise('load not implemented by this application');
  const loaded = loadModule(module, load);
  for (const {from, to} of names) {
    const value = Object.hasOwn(loaded, from) ? loaded[from] : undefined;
    if (value === undefined) raise(`load: name ${from} not found in module ${module}`);
    else assignName(to, value, scope);
  }
}

function loadModule(module: string, load: LoadModule): Record<string, StarlarkValue> {
  try {
    return load(module);
  } catch (error) {
    return raise(`cannot load ${module}: ${error instanceof Error ? error.message : error}`, error);
  }
}
