/** Owns the grammar of Starlark's statements. */
import {parseExpression, parseTargets, parseTest} from './expression-parser.ts';
import {parseParameters} from './list-parser.ts';
import type {Identifier, Load, Statement} from './syntax.ts';
import {createTokenReader, describeKind, readIdentifier, type TokenReader} from './token-reader.ts';

const assignments = new Set(['=', '+=', '-=', '*=', '/=', '//=', '%=', '&=', '|=', '^=', '<<=', '>>=']);

export function parseFile(source: string, file: string): Statement[] {
  const tokens = createTokenReader(source, file);
  const statements: Statement[] = [];
  while (tokens.peek() !== 'end of file') {
    if (!tokens.accept('newline')) statements.push(...parseStatement(tokens));
  }
  return statements;
}

function parseStatement(tokens: TokenReader): Statement[] {
  switch (tokens.peek()) {
    case 'def':
      return [parseDef(tokens)];
    case 'if':
    case 'while':
      return [parseConditional(tokens)];
    case 'for':
      return [parseFor(tokens)];
    default:
      return parseSimpleLine(tokens);
  }
}

function parseDef(tokens: TokenReader): Statement {
  const {start} = tokens.take();
  const name = readIdentifier(tokens);
  tokens.expect('(');
  const parameters = parseParameters(tokens, parseTest);
  tokens.expect(')');
  return {type: 'def', start, name, parameters, body: parseSuite(tokens)};
}

function parseConditional(tokens: TokenReader): Statement {
  const {kind, start} = tokens.take();
  const condition = parseTest(tokens);
  const body = parseSuite(tokens);
  if (kind === 'while') return {type: 'while', start, condition, body, otherwise: []};
  return {type: 'if', start, condition, body, otherwise: parseOtherwise(tokens)};
}

function parseOtherwise(tokens: TokenReader): Statement[] {
  if (tokens.peek() === 'elif') return [parseConditional(tokens)];
  return tokens.accept('else') ? parseSuite(tokens) : [];
}

function parseFor(tokens: TokenReader): Statement {
  const {start} = tokens.take();
  const target = parseTargets(tokens);
  tokens.expect('in');
  const source = parseExpression(tokens);
  return {type: 'for', start, target, source, body: parseSuite(tokens)};
}

function parseSuite(tokens: TokenReader): Statement[] {
  tokens.expect(':');
  if (!tokens.accept('newline')) return parseSimpleLine(tokens);
  tokens.expect('indent');
  const body: Statement[] = [];
  while (tokens.peek() !== 'outdent' && tokens.peek() !== 'end of file') body.push(...parseStatement(tokens));
  tokens.expect('outdent');
  return body;
}

function parseSimpleLine(tokens: TokenReader): Statement[] {
  const statements: Statement[] = [];
  do {
    statements.push(parseSmall(tokens));
  } while (tokens.accept(';') && tokens.peek() !== 'newline' && tokens.peek() !== 'end of file');
  if (tokens.peek() !== 'end of file') tokens.expect('newline');
  return statements;
}

function parseSmall(tokens: TokenReader): Statement {
  const start = tokens.start();
  switch (tokens.peek()) {
    case 'return': {
      tokens.take();
      const bare = ['newline', ';', 'end of file'].includes(tokens.peek());
      return {type: 'return', start, value: bare ? undefined : parseExpression(tokens)};
    }
    case 'break':
    case 'continue':
    case 'pass':
      return {type: 'branch', start, word: tokens.take().kind};
    case 'load':
      return parseLoad(tokens);
  }
  const value = parseExpression(tokens);
  if (!assignments.has(tokens.peek())) return {type: 'expression', start, value};
  const {kind: operator, start: at} = tokens.take();
  return {type: 'assign', start, at, operator, target: value, value: parseExpression(tokens)};
}

function parseLoad(tokens: TokenReader): Load {
  const {start} = tokens.take();
  const paren = tokens.expect('(').start;
  if (tokens.peek() !== 'string literal') {
    tokens.fail('first operand of load statement must be a string literal');
  }
  const module = String(tokens.take().value);
  const names: Load['names'][number][] = [];
  while (tokens.peek() !== ')' && tokens.peek() !== 'end of file') {
    tokens.expect(',');
    if (tokens.peek() === ')') break;
    names.push(parseLoadedName(tokens));
  }
  tokens.expect(')');
  if (names.length === 0) tokens.fail('load statement must import at least 1 symbol', paren);
  return {type: 'load', start, module, names};
}

function parseLoadedName(tokens: TokenReader): Load['names'][number] {
  const fromAt = tokens.start();
  if (tokens.peek() === 'string literal') {
    const from = String(tokens.take().value);
    const to: Identifier = {type: 'identifier', start: fromAt, name: from};
    return {from, fromAt, to};
  }
  if (tokens.peek() !== 'identifier') {
    tokens.fail(`load operand must be "name" or localname="name" (got ${describeKind(tokens.peek())})`);
  }
  const to = readIdentifier(tokens);
  if (!tokens.accept('=')) {
    tokens.fail(`load operand must be "${to.name}" or ${to.name}="originalname" (want '=' after ${to.name})`);
  }
  if (tokens.peek() !== 'string literal') {
    tokens.fail(`original name of loaded symbol must be quoted: ${to.name}="originalname"`);
  }
  return {from: String(tokens.take().value), fromAt, to};
}
