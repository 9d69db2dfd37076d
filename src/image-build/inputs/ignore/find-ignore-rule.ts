/** Owns which rule of an ignore list leaves a path of the build context out. */
import {type IgnorePattern, literalPattern} from './ignore-file.ts';
import type {Platform} from './ignore-glob.ts';
import {coversPattern} from './ignore-pattern.ts';

/**
 * The last rule that matches decides, on the path itself or on a folder that it is in. Undefined where that one brings
 * the path back, where none matches, and where only BuildKit knows what one matches.
 */
export function findIgnoreRule(
  path: string,
  list: readonly IgnorePattern[],
  platform: Platform,
): IgnorePattern | undefined {
  const [literal] = literalPattern(path, false, '', platform).paths ?? [];
  if (literal === undefined) return undefined;
  const rule = list.findLast(
    ({paths}) => paths === undefined || paths.some((one) => coversPattern(one, literal)),
  );
  return rule?.paths === undefined || rule.negated ? undefined : rule;
}
