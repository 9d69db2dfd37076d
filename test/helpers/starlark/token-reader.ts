/** Owns the one token of lookahead that the parsers work with. */
import {type Position, refuse} from './errors.ts';
import {createLexer, type Token} from './lexer.ts';
import type {Identifier} from './syntax.ts';

export interface TokenReader {
  /** The kind of the token ahead. */
  peek(): string;
  /** Takes the token ahead, whatever it is. */
  take(): Token;
  /** Takes the token ahead if it is of this kind. */
  accept(kind: string): boolean;
  /** Takes the token ahead, which has to be of this kind. */
  expect(kind: string): Token;
  /** Where the token ahead begins. */
  start(): Position;
  fail(reason: string, at?: Position): never;
}

export function createTokenReader(source: string, file: string): TokenReader {
  const next = createLexer(source, file);
  let ahead = next();
  const fail = (reason: string, at: Position = ahead.start): never => refuse(reason, file, at);
  const take = (): Token => {
    const token = ahead;
    // The end of the file stays ahead for good.
    if (token.kind !== 'end of file') ahead = next();
    return token;
  };
  return {
    peek: () => ahead.kind,
    take,
    accept: (kind) => ahead.kind === kind && take().kind === kind,
    expect: (kind) =>
      ahead.kind === kind ? take() : fail(`got ${describeKind(ahead.kind)}, want ${describeKind(kind)}`),
    start: () => ahead.start,
    fail,
  };
}

/** Punctuation is told in quotes, words are not. */
export function describeKind(kind: string): string {
  return /[a-z]/.test(kind) ? kind : `'${kind}'`;
}

export function readIdentifier(tokens: TokenReader): Identifier {
  if (tokens.peek() !== 'identifier') tokens.fail('not an identifier');
  const {raw, start} = tokens.take();
  return {type: 'identifier', start, name: raw};
}
