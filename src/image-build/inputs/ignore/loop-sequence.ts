/**
 * Owns sequences of things with loops between them: `*` among the places of a name, `**` among the names of a
 * path. Both are intersected and compared in the same way.
 */
import {TiltbuildError} from '../../../errors.ts';

/** Stands for any number of things, none included. */
export const LOOP = '**';
export type Sequence<T> = readonly (T | typeof LOOP)[];

/** More would be no ignore file that anybody meant, and slow to match. */
export const PATTERN_LIMIT = 10_000;

/** All sequences that together stand for what both stand for. */
export function intersectSequences<T>(
  a: Sequence<T>,
  b: Sequence<T>,
  meet: (one: T, other: T) => readonly T[],
): readonly Sequence<T>[] {
  const known = new Map<number, readonly Sequence<T>[]>();

  function from(i: number, j: number): readonly Sequence<T>[] {
    const key = i * (b.length + 1) + j;
    const found = known.get(key) ?? dropRepeated(compute(i, j));
    if (found.length > PATTERN_LIMIT) throw tooMany();
    known.set(key, found);
    return found;
  }

  function compute(i: number, j: number): Sequence<T>[] {
    const [x, y] = [a[i], b[j]];
    if (x === undefined || y === undefined) {
      const rest: Sequence<T> = x === undefined ? b.slice(j) : a.slice(i);
      return rest.every((one) => one === LOOP) ? [[]] : [];
    }
    if (x === LOOP && y === LOOP) return put(LOOP, [...from(i + 1, j), ...from(i, j + 1)]);
    if (x === LOOP) return [...from(i + 1, j), ...put(y, from(i, j + 1))];
    if (y === LOOP) return [...from(i, j + 1), ...put(x, from(i + 1, j))];
    return meet(x, y).flatMap((both) => put(both, from(i + 1, j + 1)));
  }

  return from(0, 0);
}

function put<T>(first: T | typeof LOOP, rests: readonly Sequence<T>[]): Sequence<T>[] {
  return rests.map((rest) => (first === LOOP && rest[0] === LOOP ? rest : [first, ...rest]));
}

/** Whether the first stands for all that the second does; a no may be wrong, a yes is not. */
export function coversSequence<T>(
  wide: Sequence<T>,
  narrow: Sequence<T>,
  covers: (wide: T, narrow: T) => boolean,
): boolean {
  // What can be left of `wide` after each part of `narrow`, as in a simple matcher.
  let left = skipLoops(wide, new Set([0]));
  for (const part of narrow) {
    const next = new Set<number>();
    for (const at of left) {
      const head = wide[at];
      if (head === LOOP) next.add(at);
      else if (head !== undefined && part !== LOOP && covers(head, part)) next.add(at + 1);
    }
    left = skipLoops(wide, next);
  }
  return left.has(wide.length);
}

function skipLoops<T>(wide: Sequence<T>, places: ReadonlySet<number>): ReadonlySet<number> {
  const all = new Set(places);
  for (const at of all) if (wide[at] === LOOP) all.add(at + 1);
  return all;
}

export function dropRepeated<T>(items: readonly T[]): readonly T[] {
  return [...new Map(items.map((item) => [JSON.stringify(item), item])).values()];
}

export function tooMany(): TiltbuildError {
  return new TiltbuildError(
    'usage',
    `The ignore file, --ignore and --only together would take more than ${PATTERN_LIMIT} patterns.`,
    {remedy: ['Use patterns with fewer * and ** after a !, or fewer of them.']},
  );
}
