/** Owns what is refused before a file runs: undefined names, and statements and parameters that stand wrongly. */
import {bindLocalUses, bindOuterUses, createBlock, createTopResolver, enclosingContainer} from './blocks.ts';
import {type Position, refuse} from './errors.ts';
import {nameExpression, partsOf} from './expression-parts.ts';
import {checkArguments, checkParameters} from './signature-checks.ts';
import type {Binding, Code, Container, Expression, Identifier, Statement} from './syntax.ts';

export interface Resolution {
  readonly container: Container;
  readonly globals: ReadonlyMap<string, Binding>;
}

/** With the options that Tilt sets: names may be bound again, and control flow may stand at the top. */
export function resolveFile(
  statements: readonly Statement[],
  file: string,
  names: {isPredeclared: (name: string) => boolean; isUniversal: (name: string) => boolean},
): Resolution {
  const errors: {reason: string; at: Position}[] = [];
  const report = (reason: string, at: Position): void => void errors.push({reason, at});
  const container: Container = {label: '<toplevel>', free: new Set()};
  const top = createBlock(undefined, container);
  const globals = new Map<string, Binding>();
  const resolveTop = createTopResolver(top, globals, {...names, report});
  let block = top;
  let loops = 0;
  let conditions = 0;

  function use(name: Identifier): void {
    if (block === top) name.binding = resolveTop(name);
    else enclosingContainer(block).uses.push({name, from: block});
  }

  /** True when the block had the name before. */
  function bindLocal(name: Identifier): boolean {
    const known = block.bindings.has(name.name);
    if (!known) {
      const owner = enclosingContainer(block).container;
      block.bindings.set(name.name, {name: name.name, scope: 'local', owner});
    }
    use(name);
    return known;
  }

  function bind(name: Identifier): boolean {
    if (block !== top) return bindLocal(name);
    let binding = top.bindings.get(name.name) ?? globals.get(name.name);
    const known = binding !== undefined;
    binding ??= {name: name.name, scope: 'global', owner: container};
    if (!top.bindings.has(name.name)) globals.set(name.name, binding);
    name.binding = binding;
    return known;
  }

  function assign(target: Expression, augmented: boolean): void {
    switch (target.type) {
      case 'identifier':
        bind(target);
        return;
      case 'index':
        visit(target.of);
        visit(target.index);
        return;
      case 'attribute':
        visit(target.of);
        return;
      case 'paren':
        assign(target.inner, augmented);
        return;
      case 'list':
      case 'tuple':
        if (augmented) report(`can't use ${target.type} expression in augmented assignment`, target.start);
        for (const item of target.items) assign(item, augmented);
        return;
      default:
        report(`can't assign to ${nameExpression(target)}`, target.start);
    }
  }

  function enterFunction(code: Code, label: string, visitBody: () => void): void {
    for (const parameter of code.parameters) {
      if (parameter.fallback !== undefined) visit(parameter.fallback);
    }
    const inner: Container = {label, free: new Set()};
    code.container = inner;
    const outer = block;
    block = createBlock(outer, inner);
    checkParameters(code.parameters, bind, report);
    visitBody();
    bindLocalUses(block);
    block = outer;
  }

  function visitComprehension(expression: Expression & {type: 'comprehension'}): void {
    const [first, ...others] = expression.clauses;
    if (first?.kind !== 'for') return;
    // The first source is outside: in [x for x in x] the last x is another.
    visit(first.source);
    const outer = block;
    block = createBlock(outer, undefined);
    assign(first.target, false);
    for (const clause of others) {
      if (clause.kind === 'for') {
        assign(clause.target, false);
        visit(clause.source);
      } else visit(clause.condition);
    }
    const {body} = expression;
    for (const part of 'key' in body ? [body.key, body.value] : [body]) visit(part);
    block = outer;
  }

  function visit(expression: Expression): void {
    switch (expression.type) {
      case 'identifier':
        use(expression);
        return;
      case 'comprehension':
        visitComprehension(expression);
        return;
      case 'lambda':
        enterFunction(expression, 'lambda', () => visit(expression.body));
        return;
      case 'call':
        visit(expression.callee);
        checkArguments(expression.arguments, report, visit);
        return;
      default:
        for (const part of partsOf(expression)) visit(part);
    }
  }

  function run(body: readonly Statement[], loop: 0 | 1 = 0): void {
    loops += loop;
    for (const statement of body) visitStatement(statement);
    loops -= loop;
  }

  function visitStatement(statement: Statement): void {
    switch (statement.type) {
      case 'expression':
        visit(statement.value);
        return;
      case 'branch':
        if (loops === 0 && statement.word !== 'pass')
          report(`${statement.word} not in a loop`, statement.start);
        return;
      case 'if':
        visit(statement.condition);
        conditions++;
        run(statement.body);
        run(statement.otherwise);
        conditions--;
        return;
      case 'while':
        report('this Starlark dialect does not support while loops', statement.start);
        visit(statement.condition);
        run(statement.body, 1);
        return;
      case 'for':
        visit(statement.source);
        assign(statement.target, false);
        run(statement.body, 1);
        return;
      case 'assign':
        visit(statement.value);
        assign(statement.target, statement.operator !== '=');
        return;
      case 'def':
        bind(statement.name);
        enterFunction(statement, statement.name.name, () => run(statement.body));
        return;
      case 'return':
        if (enclosingContainer(block) === top)
          report('return statement not within a function', statement.start);
        if (statement.value !== undefined) visit(statement.value);
        return;
      case 'load':
        if (enclosingContainer(block) !== top) report('load statement within a function', statement.start);
        else if (loops > 0) report('load statement within a loop', statement.start);
        else if (conditions > 0) report('load statement within a conditional', statement.start);
        for (const {from, fromAt, to} of statement.names) {
          if (from === '') report('load: empty identifier', fromAt);
          if (from.startsWith('_')) {
            report(`load: names with leading underscores are not exported: ${from}`, fromAt);
          }
          bindLocal(to);
        }
    }
  }

  run(statements);
  bindLocalUses(top);
  bindOuterUses(top, resolveTop);
  const [first] = errors;
  if (first !== undefined) refuse(first.reason, file, first.at);
  return {container, globals};
}
