/** Owns the lists with commas between: parameters, and the frame of arguments. */
import type {Expression, Parameter} from './syntax.ts';
import {readIdentifier, type TokenReader} from './token-reader.ts';

/** Reads up to the end, which stays ahead; a comma may stand before it. */
export function parseList<T>(tokens: TokenReader, ends: readonly string[], parseItem: () => T): T[] {
  const items: T[] = [];
  const atEnd = (): boolean => ends.includes(tokens.peek());
  while (!atEnd() && tokens.peek() !== 'end of file') {
    if (items.length > 0) tokens.expect(',');
    if (atEnd()) break;
    items.push(parseItem());
  }
  return items;
}

export function parseParameters(
  tokens: TokenReader,
  parseFallback: (tokens: TokenReader) => Expression,
): Parameter[] {
  return parseList(tokens, [')', ':'], (): Parameter => {
    const start = tokens.start();
    if (tokens.accept('**')) return {kind: '**', start, name: readIdentifier(tokens)};
    if (tokens.accept('*')) {
      return tokens.peek() === 'identifier'
        ? {kind: '*', start, name: readIdentifier(tokens)}
        : {kind: '*', start};
    }
    const name = readIdentifier(tokens);
    return tokens.accept('=')
      ? {kind: 'optional', start, name, fallback: parseFallback(tokens)}
      : {kind: 'plain', start, name};
  });
}
