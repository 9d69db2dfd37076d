/** Owns patterns of paths: what a reading comes to name by name, and which paths two of them share. */
import {codePoint, hasPoint, intersectPoints, NAME_POINTS} from './code-points.ts';
import {
  ANY_NAME,
  coversGlob,
  type Glob,
  intersectGlobs,
  literalName,
  type Platform,
  printGlob,
} from './ignore-glob.ts';
import type {Token} from './ignore-syntax.ts';
import {
  coversSequence,
  dropRepeated,
  intersectSequences,
  LOOP,
  PATTERN_LIMIT,
  type Sequence,
  tooMany,
} from './loop-sequence.ts';

/**
 * A pattern for each name, a loop is `**`. It stands for the paths that match and all that lie below them, so
 * that none ends with a loop.
 */
export type PathPattern = Sequence<Glob>;

/** The patterns that together mean what the tokens do; none where no path can match. */
export function expandTokens(tokens: readonly Token[]): readonly PathPattern[] {
  let open: readonly Open[] = [{names: [], name: []}];
  for (const token of tokens) {
    open = open.flatMap((one) => goOn(one, token));
    if (open.length > PATTERN_LIMIT) throw tooMany();
  }
  const ended = open.filter(({name}) => name.length > 0).map(({names, name}) => [...names, name]);
  return dropCovered(ended.filter(isPossible).map(trim));
}

/** The names that are complete, and the one that is not. */
interface Open {
  readonly names: PathPattern;
  readonly name: Glob;
}

function goOn({names, name}: Open, token: Token): readonly Open[] {
  const started = name.length > 0;
  const loose: Glob = name.at(-1) === LOOP ? name : [...name, LOOP];
  if (token === 'name') return [{names, name: loose}];
  if (token === 'folders') {
    // Inside a name it is nothing, or the rest of this name and any number of folders.
    const above: PathPattern = started ? [...names, loose] : names;
    const below: Open = {names: above.at(-1) === LOOP ? above : [...above, LOOP], name: []};
    return started ? [{names, name}, below] : [below];
  }
  const points = intersectPoints(token, NAME_POINTS);
  const within = points.length === 0 ? [] : [{names, name: [...name, points]}];
  // A path has no empty name.
  const closed = started && hasPoint(token, codePoint('/')) ? [{names: [...names, name], name: []}] : [];
  return [...within, ...closed];
}

/** No file is called `.` or `..`, and a pattern with such a name would be cleaned of it. */
function isPossible(pattern: PathPattern): boolean {
  return !pattern.some((part) => part !== LOOP && ['.', '..'].includes(literalName(part) ?? ''));
}

function trim(pattern: PathPattern): PathPattern {
  const kept = pattern.slice(0, pattern.findLastIndex((part) => part !== LOOP) + 1);
  // What lies below anything of a folder lies below something right in it.
  if (isAnyName(kept.at(-1)) && kept.at(-2) === LOOP) return trim([...kept.slice(0, -2), ANY_NAME]);
  return kept;
}

function isAnyName(part: PathPattern[number] | undefined): boolean {
  return part !== undefined && part !== LOOP && part.every((point) => point === LOOP);
}

export function intersectPatterns(a: PathPattern, b: PathPattern): readonly PathPattern[] {
  if (coversPattern(a, b)) return [b];
  if (coversPattern(b, a)) return [a];
  const found = intersectSequences<Glob>([...a, LOOP], [...b, LOOP], intersectGlobs);
  return dropCovered(found.filter(isPossible).map(trim));
}

/** Whether the first matches something, itself and not only a folder of it, below what the second matches. */
export function reachesBelow(pattern: PathPattern, above: PathPattern): boolean {
  return intersectSequences<Glob>(pattern, [...above, ANY_NAME, LOOP], intersectGlobs).some(isPossible);
}

/** A yes is certain, a no is not. */
export function coversPattern(wide: PathPattern, narrow: PathPattern): boolean {
  if (wide.length === 1 && isAnyName(wide[0])) return true;
  return coversSequence<Glob>([...wide, LOOP], [...narrow, LOOP], coversGlob);
}

/** Whether they share nothing, told by the names that both begin with; a yes is certain. */
export function startApart(a: PathPattern, b: PathPattern): boolean {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const [one, other] = [a[i], b[i]] as const;
    if (one === undefined || other === undefined || one === LOOP || other === LOOP) return false;
    if (intersectGlobs(one, other).length === 0) return true;
  }
  return false;
}

export function dropCovered(patterns: readonly PathPattern[]): readonly PathPattern[] {
  const distinct = dropRepeated(patterns);
  return distinct.filter(
    (one, i) =>
      !distinct.some(
        (other, j) => j !== i && coversPattern(other, one) && (j < i || !coversPattern(one, other)),
      ),
  );
}

export function hasLoop(pattern: PathPattern): boolean {
  return pattern.includes(LOOP);
}

export function printPattern(pattern: PathPattern, platform: Platform): string | undefined {
  const names = pattern.map((part) => (part === LOOP ? '**' : printGlob(part, platform)));
  return names.every((name) => name !== undefined) ? names.join('/') : undefined;
}
