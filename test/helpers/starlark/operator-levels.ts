/** Owns which operators bind tighter than others. */
import type {TokenReader} from './token-reader.ts';

/** The loosest first. */
export const levels: readonly (readonly string[])[] = [
  ['or'],
  ['and'],
  ['not'],
  ['==', '!=', '<', '>', '<=', '>=', 'in', 'not in'],
  ['|'],
  ['^'],
  ['&'],
  ['<<', '>>'],
  ['-', '+'],
  ['*', '%', '/', '//'],
];
/** The level of those that do not associate. */
export const comparison = 3;

/** Takes the operator ahead if it is one of these; `not in` is two words. */
export function takeOperator(tokens: TokenReader, operators: readonly string[]): string | undefined {
  if (tokens.peek() === 'not' && operators.includes('not in')) {
    tokens.take();
    tokens.expect('in');
    return 'not in';
  }
  return operators.includes(tokens.peek()) ? tokens.take().kind : undefined;
}
