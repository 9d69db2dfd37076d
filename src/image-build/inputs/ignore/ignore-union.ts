/** Owns the one ignore list that leaves out what any of two leaves out. */
import {TiltbuildError} from '../../../errors.ts';
import type {IgnorePattern} from './ignore-file.ts';
import {ANY_NAME, type Platform} from './ignore-glob.ts';
import {
  coversPattern,
  dropCovered,
  hasLoop,
  intersectPatterns,
  type PathPattern,
  printPattern,
  reachesBelow,
  startApart,
} from './ignore-pattern.ts';
import {PATTERN_LIMIT, tooMany} from './loop-sequence.ts';

type List = readonly IgnorePattern[];

/**
 * The last pattern that matches decides, so that after each `!` of the second list the first has its say again,
 * on the paths of that `!` only. So no `!` of one list brings back what the other leaves out.
 */
export function uniteIgnoreLists(first: List, second: List, platform: Platform): List {
  const earlier = simplifyIgnoreList(first);
  const united = [...earlier];
  for (const pattern of simplifyIgnoreList(second)) {
    united.push(...(pattern.negated ? restoreWithin(pattern, earlier, platform) : [pattern]));
    if (united.length - earlier.length > PATTERN_LIMIT) throw tooMany();
  }
  return simplifyIgnoreList(united);
}

/** A negation, and what the list says of the paths that it brings back. */
function restoreWithin(negation: IgnorePattern, list: List, platform: Platform): List {
  // Only what follows the last pattern that speaks of all those paths counts.
  const from = list.findLastIndex((one) => covers(one, negation));
  const base = list[from];
  const said = list.slice(from + 1).flatMap((one) => intersect(one, negation, platform));
  const start = {...negation, negated: base === undefined || base.negated};
  const excludes = said.findIndex(({negated}) => !negated);
  if (!start.negated) return [start, ...said];
  return [start, ...(excludes < 0 ? [] : said.slice(excludes))];
}

function intersect(one: IgnorePattern, negation: IgnorePattern, platform: Platform): List {
  if (covers(negation, one)) return [one];
  if (one.paths === undefined || negation.paths === undefined) throw refuse(one, negation);
  const other = negation.paths;
  const shared = dropCovered(
    one.paths.flatMap((path) => other.flatMap((two) => intersectPatterns(path, two))),
  );
  return shared.flatMap((path) => writePattern(one, path, platform));
}

/** Nothing where the platform can have no such path. */
function writePattern(from: IgnorePattern, path: PathPattern, platform: Platform): List {
  const text = printPattern(path, platform);
  return text === undefined ? [] : [{negated: from.negated, text, paths: [path], origin: from.origin}];
}

function refuse(one: IgnorePattern, negation: IgnorePattern): TiltbuildError {
  const odd = one.paths === undefined ? one : negation;
  const other = odd === one ? negation : one;
  const mark = (pattern: IgnorePattern) => `${pattern.negated ? '!' : ''}${pattern.text}`;
  return new TiltbuildError(
    'usage',
    `The pattern ${mark(odd)} (${odd.origin}) cannot be put together with ${mark(other)} (${other.origin}): ${odd.peculiar}.`,
    {remedy: ['Write it in another way: BuildKit matches it otherwise than Docker says.']},
  );
}

/** Without the patterns that decide nothing: those that a later one covers, or that say again what was said. */
export function simplifyIgnoreList(list: List): List {
  const start = list.findLastIndex(matchesAll);
  const live = list.slice(Math.max(start, 0)).filter(({paths}) => paths?.length !== 0);
  if (live.length > THOROUGH_LIMIT) return live;
  const kept: IgnorePattern[] = [];
  for (const pattern of live) if (!isSaidBefore(pattern, kept)) kept.push(pattern);
  return kept.filter((one, i) => !kept.some((later, j) => j > i && covers(later, one)));
}

/** All pairs are compared, which takes a second for as many; longer lists are as exact, only not as short. */
const THOROUGH_LIMIT = 300;

function isSaidBefore(pattern: IgnorePattern, before: List): boolean {
  for (const one of before.toReversed()) {
    if (one.negated === pattern.negated) {
      if (covers(one, pattern)) return true;
    } else if (!areApart(one, pattern)) return false;
  }
  return pattern.negated;
}

function areApart(one: IgnorePattern, other: IgnorePattern): boolean {
  const {paths} = other;
  if (one.paths === undefined || paths === undefined) return false;
  return one.paths.every((path) => paths.every((two) => startApart(path, two)));
}

function covers(wide: IgnorePattern, narrow: IgnorePattern): boolean {
  if (wide.text === narrow.text) return true;
  const {paths} = wide;
  if (matchesAll(wide)) return true;
  return (
    paths !== undefined &&
    narrow.paths?.every((one) => paths.some((path) => coversPattern(path, one))) === true
  );
}

function matchesAll({paths}: IgnorePattern): boolean {
  return paths?.some((path) => coversPattern(path, EVERYTHING)) ?? false;
}

const EVERYTHING: PathPattern = [ANY_NAME];

/**
 * The matcher of 2021, which `kubectl build` has, looks for a pattern among the folders of a path only as deep as
 * the pattern is. So a `**` misses what lies in the folder that it matched, wherever a `!` has that folder walked.
 */
export function spellOutBelow(list: List): List {
  const reentries = list.filter(({negated}) => negated).flatMap(({paths}) => paths ?? []);
  return list.flatMap((pattern) => {
    const loops = pattern.negated ? [] : (pattern.paths ?? []).filter(hasLoop);
    const needed = loops.some((path) => reentries.some((entry) => reachesBelow(entry, path)));
    return needed ? [pattern, {...pattern, text: `${pattern.text}/**`}] : [pattern];
  });
}
