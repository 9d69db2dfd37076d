/** Owns the grammar of Starlark's expressions. */
import type {Position} from './errors.ts';
import {parseList, parseParameters} from './list-parser.ts';
import {comparison, levels, takeOperator} from './operator-levels.ts';
import type {Argument, Clause, Entry, Expression} from './syntax.ts';
import {describeKind, readIdentifier, type TokenReader} from './token-reader.ts';

const listEnds = new Set(['end of file', 'newline', '=', '}', ']', ')', ';']);

/** One expression, or several with commas between, which are a tuple. */
export function parseExpression(tokens: TokenReader, inParens = false): Expression {
  const first = parseTest(tokens);
  if (tokens.peek() !== ',') return first;
  return {type: 'tuple', start: first.start, items: parseMore(tokens, first, inParens)};
}

function parseMore(tokens: TokenReader, first: Expression, trailingComma: boolean): Expression[] {
  const items = [first];
  for (;;) {
    const comma = tokens.start();
    if (!tokens.accept(',')) return items;
    if (listEnds.has(tokens.peek())) {
      if (!trailingComma) tokens.fail('unparenthesized tuple with trailing comma', comma);
      return items;
    }
    items.push(parseTest(tokens));
  }
}

export function parseTest(tokens: TokenReader): Expression {
  if (tokens.peek() === 'lambda') return parseLambda(tokens, parseTest);
  const yes = parseLevel(tokens, 0);
  const at = tokens.start();
  if (!tokens.accept('if')) return yes;
  const condition = parseLevel(tokens, 0);
  if (!tokens.accept('else')) tokens.fail('conditional expression without else clause', at);
  return {type: 'conditional', start: yes.start, condition, yes, no: parseTest(tokens)};
}

function parseTestWithoutCondition(tokens: TokenReader): Expression {
  return tokens.peek() === 'lambda' ? parseLambda(tokens, parseTestWithoutCondition) : parseLevel(tokens, 0);
}

function parseLambda(tokens: TokenReader, parseBody: (tokens: TokenReader) => Expression): Expression {
  const {start} = tokens.take();
  const parameters = parseParameters(tokens, parseTest);
  tokens.expect(':');
  return {type: 'lambda', start, parameters, body: parseBody(tokens)};
}

function parseLevel(tokens: TokenReader, level: number): Expression {
  const operators = levels[level];
  if (operators === undefined) return parseSuffixed(tokens);
  if (level === 2) {
    const start = tokens.start();
    if (!tokens.accept('not')) return parseLevel(tokens, 3);
    return {type: 'unary', start, operator: 'not', operand: parseLevel(tokens, 2)};
  }
  let left = parseLevel(tokens, level + 1);
  let previous: string | undefined;
  for (;;) {
    const at = tokens.start();
    const operator = takeOperator(tokens, operators);
    if (operator === undefined) return left;
    if (level === comparison && previous !== undefined) {
      tokens.fail(`${previous} does not associate with ${operator} (use parens)`, at);
    }
    previous = operator;
    const right = parseLevel(tokens, level + 1);
    left = {type: 'binary', start: left.start, at, operator, left, right};
  }
}

/** What may stand before `in` in a loop or comprehension, and all that binds tighter than any operator. */
export function parseSuffixed(tokens: TokenReader): Expression {
  let of = parsePrimary(tokens);
  for (;;) {
    const at = tokens.start();
    const start = of.start;
    if (tokens.accept('.')) {
      of = {type: 'attribute', start, at, of, name: readIdentifier(tokens).name};
    } else if (tokens.accept('[')) {
      of = parseIndex(tokens, of, at);
    } else if (tokens.accept('(')) {
      of = {type: 'call', start, at, callee: of, arguments: parseArguments(tokens)};
    } else return of;
  }
}

export function parseTargets(tokens: TokenReader): Expression {
  const first = parseSuffixed(tokens);
  if (tokens.peek() !== ',') return first;
  const items = [first];
  while (tokens.accept(',') && tokens.peek() !== 'in') items.push(parseSuffixed(tokens));
  return {type: 'tuple', start: first.start, items};
}

function parseIndex(tokens: TokenReader, of: Expression, at: Position): Expression {
  const start = of.start;
  const bounds: (Expression | undefined)[] = [undefined, undefined, undefined];
  if (tokens.peek() !== ':') {
    const index = parseExpression(tokens);
    if (tokens.accept(']')) return {type: 'index', start, at, of, index};
    bounds[0] = index;
  }
  if (tokens.accept(':') && tokens.peek() !== ':' && tokens.peek() !== ']') bounds[1] = parseTest(tokens);
  if (tokens.accept(':') && tokens.peek() !== ']') bounds[2] = parseTest(tokens);
  tokens.expect(']');
  return {type: 'slice', start, at, of, bounds};
}

function parseArguments(tokens: TokenReader): Argument[] {
  const items = parseList(tokens, [')'], (): Argument => {
    const start = tokens.start();
    for (const kind of ['*', '**'] as const) {
      if (tokens.accept(kind)) return {kind, start, value: parseTest(tokens)};
    }
    const value = parseTest(tokens);
    if (tokens.peek() !== '=') return {kind: 'plain', start, value};
    if (value.type !== 'identifier') return tokens.fail('keyword argument must have form name=expr');
    tokens.take();
    return {kind: 'named', start, name: value.name, value: parseTest(tokens)};
  });
  tokens.expect(')');
  return items;
}

function parsePrimary(tokens: TokenReader): Expression {
  const start = tokens.start();
  switch (tokens.peek()) {
    case 'identifier':
      return readIdentifier(tokens);
    case 'int literal':
    case 'float literal':
    case 'string literal':
      return {type: 'literal', start, value: tokens.take().value ?? ''};
    case '[':
      return parseBrackets(tokens, start);
    case '{':
      return parseBraces(tokens, start);
    case '(': {
      tokens.take();
      if (tokens.accept(')')) return {type: 'tuple', start, items: []};
      const inner = parseExpression(tokens, true);
      tokens.expect(')');
      return {type: 'paren', start, inner};
    }
    case '-':
    case '+':
    case '~':
      return {type: 'unary', start, operator: tokens.take().kind, operand: parseSuffixed(tokens)};
    default:
      return tokens.fail(`got ${describeKind(tokens.peek())}, want primary expression`);
  }
}

function parseBrackets(tokens: TokenReader, start: Position): Expression {
  tokens.take();
  if (tokens.accept(']')) return {type: 'list', start, items: []};
  const first = parseTest(tokens);
  if (tokens.peek() === 'for') return parseClauses(tokens, start, first, ']');
  const items = parseMore(tokens, first, true);
  tokens.expect(']');
  return {type: 'list', start, items};
}

function parseBraces(tokens: TokenReader, start: Position): Expression {
  tokens.take();
  if (tokens.accept('}')) return {type: 'dict', start, entries: []};
  const entries = [parseEntry(tokens)];
  if (tokens.peek() === 'for') return parseClauses(tokens, start, entries[0] as Entry, '}');
  while (tokens.accept(',') && tokens.peek() !== '}') entries.push(parseEntry(tokens));
  tokens.expect('}');
  return {type: 'dict', start, entries};
}

function parseEntry(tokens: TokenReader): Entry {
  const key = parseTest(tokens);
  const at = tokens.expect(':').start;
  return {key, value: parseTest(tokens), at};
}

function parseClauses(
  tokens: TokenReader,
  start: Position,
  body: Expression | Entry,
  end: string,
): Expression {
  const clauses: Clause[] = [];
  while (!tokens.accept(end)) {
    const at = tokens.start();
    if (tokens.accept('for')) {
      const target = parseTargets(tokens);
      tokens.expect('in');
      clauses.push({kind: 'for', at, target, source: parseLevel(tokens, 0)});
    } else if (tokens.accept('if')) {
      clauses.push({kind: 'if', condition: parseTestWithoutCondition(tokens)});
    } else tokens.fail(`got ${describeKind(tokens.peek())}, want '${end}', for, or if`);
  }
  return {type: 'comprehension', start, body, clauses};
}
