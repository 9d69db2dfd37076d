/**
 * Owns matching paths against a list of ignore patterns, by the rules of moby/patternmatcher 0.6, which docker and
 * BuildKit match with.
 */
import {posix} from 'node:path';
import {TiltbuildError} from '../errors.ts';
import {checkGlob, quote, translateGlob} from './glob.ts';

interface Pattern {
  readonly text: string;
  /** Whether it takes back what an earlier pattern matched: it began with `!`. */
  readonly isException: boolean;
  readonly matches: (path: string) => boolean;
}

/** Which patterns matched a directory; what is in it then matches them as well. */
export type ParentMatches = readonly boolean[];

export interface PatternMatch {
  readonly matched: boolean;
  readonly parents: ParentMatches;
}

/** What comes before the part of a pattern that can match anything. */
const WILD = /[*[\]?^\\]/;

export class Patterns {
  readonly #patterns: readonly Pattern[];

  /** Throws `usage` for a pattern that Go's filepath.Match refuses. `where` names where they come from. */
  constructor(texts: readonly string[], where: string) {
    this.#patterns = texts
      .map(trimSpace)
      .filter((text) => text !== '')
      .map((text) => readPattern(text, where));
  }

  /** `path` has slashes and is relative. `parents` are those of its directory; none given: it has none. */
  match(path: string, parents: ParentMatches = []): PatternMatch {
    let matched = false;
    const matches = this.#patterns.map(({isException, matches}, index) => {
      if (parents[index] !== true && isException !== matched) return false;
      const match = parents[index] === true || matches(path);
      if (match) matched = !isException;
      return match;
    });
    return {matched, parents: matches};
  }

  /** The index of the last pattern that matches `path` or a directory that it is in; undefined where none does. */
  findDeciding(path: string): number | undefined {
    const names = path.split('/');
    const places = names.map((_, index) => names.slice(0, index + 1).join('/'));
    const index = this.#patterns.findLastIndex(({matches}) => places.some((place) => matches(place)));
    return index < 0 ? undefined : index;
  }

  /** Whether a rule or an exception of the list may match something below `directory`, as far as can be seen. */
  mayMatchBelow(directory: string, kind: 'rules' | 'exceptions'): boolean {
    const candidates = this.#patterns.filter(({isException}) => isException === (kind === 'exceptions'));
    return candidates
      .map(withoutTrailingGlob)
      .some((text) => WILD.test(text) || `${text}/`.startsWith(`${directory}/`));
  }
}

function withoutTrailingGlob({text}: Pattern): string {
  return text.replace(/\/\*\*$/, '').replace(/\/\*$/, '');
}

/** What Go's strings.TrimSpace takes away: it counts U+0085 as a space, and no byte order mark. */
export function trimSpace(text: string): string {
  return text.replace(/^[\p{White_Space}]+|[\p{White_Space}]+$/gu, '');
}

/** Go's path.Clean. */
export function cleanPath(path: string): string {
  const clean = posix.normalize(path);
  return clean.length > 1 && clean.endsWith('/') ? clean.slice(0, -1) : clean;
}

function readPattern(given: string, where: string): Pattern {
  const cleaned = cleanPath(given);
  const isException = cleaned.startsWith('!');
  const text = isException ? cleaned.slice(1) : cleaned;
  const fault = text === '' ? 'it is a ! alone' : checkGlob(text);
  if (fault !== undefined) throw refusePattern(given, where, fault);
  return {text, isException, matches: compile(text)};
}

function refusePattern(text: string, where: string, fault: string): TiltbuildError {
  return new TiltbuildError('usage', `${where}: invalid pattern ${JSON.stringify(text)}: ${fault}.`);
}

function compile(text: string): (path: string) => boolean {
  if (!/[*?[\]\\]/.test(text)) return (path) => path === text;
  const inner = text.slice(2);
  // The two frequent kinds need no regular expression, and by the original's rules mean something slightly different:
  // `**x` matches whatever ends in x.
  if (text.startsWith('**') && inner !== '' && !/[*?[\]\\]/.test(inner)) {
    return (path) => path.endsWith(inner) || (inner.startsWith('/') && path === inner.slice(1));
  }
  if (text.endsWith('**') && !/[*?[\]\\]/.test(text.slice(0, -2))) {
    const prefix = text.slice(0, -2);
    return (path) => path.startsWith(prefix);
  }
  const body = translateGlob(text, {
    doubleStar: (isLast) => (isLast ? '[^\\n]*' : '(?:[^\\n]*/)?'),
    // BuildKit leaves a ^ as it is, which then stands for the beginning of the path.
    character: (char) => (char === '^' ? char : quote(char)),
  });
  const expression = new RegExp(`^${body}$`, 'u');
  return (path) => expression.test(path);
}
