/** Owns the guess at which name was meant by one that does not exist. */
import {closest, distance} from 'fastest-levenshtein';

/** The nearest of `names`, if at most a third of the letters differ; `least` letters always may. */
export function findNearName(name: string, names: readonly string[], least: number): string | undefined {
  if (names.length === 0) return undefined;
  const nearest = closest(name, [...names]);
  return distance(name, nearest) <= Math.max(least, Math.floor(name.length / 3)) ? nearest : undefined;
}
