/**
 * Owns what the text of one ignore pattern means, as github.com/moby/patternmatcher v0.6 has it: Go's
 * filepath.Match says whether it is well-formed, and the regular expression made of it what it matches.
 */
import {
  type CodePoints,
  codePoint,
  intersectPoints,
  joinPoints,
  NAME_POINTS,
  subtractPoints,
} from './code-points.ts';
import type {Platform} from './ignore-glob.ts';

/** `folders` is any number of whole folders, each with its slash; `name` is `*`. */
export type Token = CodePoints | 'folders' | 'name';

export interface Reading {
  readonly tokens: readonly Token[];
  /** The text as docker's pkg/fileutils, the matcher until 2022, reads it in the same way. */
  readonly portable: string;
  /** The matcher reads it as something that no other pattern can say; why. */
  readonly peculiar?: string;
}

/** What filepath.Match or the regular expression refuses; the text ends the sentence `… is malformed:`. */
export class Malformed {
  readonly reason: string;
  constructor(reason: string) {
    this.reason = reason;
  }
}

const SLASH = codePoint('/');
const WITH_SLASH = joinPoints([...NAME_POINTS, [SLASH, SLASH]]);

/** Reads a cleaned pattern, without its `!`. */
export function readPattern(text: string, platform: Platform): Reading | Malformed {
  const chars = [...text];
  const tokens: Token[] = [];
  let peculiar: string | undefined;
  // Without any of `* ? [ ] \`, or with only a `**` at an end, the matcher compares texts and makes no expression.
  let compares = true;
  let portable = '';
  let at = 0;
  while (at < chars.length) {
    const start = at;
    const char = chars[at++] as string;
    let rewritten: string | undefined;
    if (char === '*' && chars[at] === '*') {
      const first = at === 1;
      const loose = first && chars[2] !== '/';
      at += chars[at + 1] === '/' ? 2 : 1;
      if (!first && (at < chars.length || tokens.includes('folders'))) compares = false;
      tokens.push('folders');
      const ends = loose && at < chars.length && isPlain(chars.slice(at));
      if (at === chars.length || ends) tokens.push('name');
      // A text that `**` stands right before is compared with the end of the path only since 2022.
      if (ends) rewritten = '**/*';
    } else if (char === '*' || char === '?') {
      compares = false;
      tokens.push(char === '*' ? 'name' : NAME_POINTS);
    } else if (char === '[') {
      compares = false;
      const read = readClass(chars, at, platform);
      if (read instanceof Malformed) return read;
      peculiar ??= read.peculiar;
      tokens.push(read.points);
      at = read.end;
    } else if (char === '\\' && platform !== 'win32') {
      compares = false;
      const escaped = chars[at++];
      if (escaped === undefined) return new Malformed('nothing follows the \\ at its end');
      const fault = judgeEscape(escaped);
      if (fault instanceof Malformed) return fault;
      peculiar ??= fault;
      tokens.push(one(escaped));
    } else {
      if (char === ']') compares = false;
      tokens.push(one(char));
      if (platform !== 'win32' && /[+(){}|^]/.test(char)) rewritten = `\\${char}`;
    }
    portable += rewritten ?? chars.slice(start, at).join('');
  }
  // The one mark of regular expressions that the matcher forgets to escape.
  if (!compares && hasBareCaret(chars, platform)) peculiar ??= 'its ^ is taken for the start of a path';
  return {tokens, portable, ...(peculiar !== undefined && {peculiar})};
}

function one(char: string): CodePoints {
  return [[codePoint(char), codePoint(char)]];
}

function isPlain(chars: readonly string[]): boolean {
  return !chars.some((char) => '*?[]\\'.includes(char));
}

function hasBareCaret(chars: readonly string[], platform: Platform): boolean {
  const text = chars.join('');
  const escapes = platform === 'win32' ? text : text.replace(/\\./gsu, '');
  return escapes.replace(/\[\^?[^\]]*\]/gu, '').includes('^');
}

/** A letter or digit behind a backslash is itself to filepath.Match, but not to the regular expression. */
function judgeEscape(char: string): Malformed | string | undefined {
  if (/[a-z0-9]/i.test(char)) return `its \\${char} has a meaning of its own in a regular expression`;
  return codePoint(char) < 0x80 ? undefined : new Malformed(`\\ cannot stand before ${char}`);
}

interface Class {
  readonly points: CodePoints;
  readonly end: number;
  readonly peculiar?: string;
}

function readClass(chars: readonly string[], start: number, platform: Platform): Class | Malformed {
  const negated = chars[start] === '^';
  const ranges: (readonly [number, number])[] = [];
  let at = negated ? start + 1 : start;
  let peculiar: string | undefined;

  function readEnd(): number | Malformed {
    const char = chars[at++];
    if (char === undefined) return new Malformed('its [ is not closed');
    if (char === '-' || char === ']')
      return new Malformed(`its [ has ${char} in a place that needs a \\ before it`);
    if (char !== '\\' || platform === 'win32') {
      if (char === '*' || char === '?') peculiar ??= `its [ has a ${char} with no \\ before it`;
      if (char === '[' && chars[at] === ':') peculiar ??= 'its [ has a [: in it';
      return codePoint(char);
    }
    const escaped = chars[at++];
    if (escaped === undefined) return new Malformed('its [ is not closed');
    const fault = judgeEscape(escaped);
    if (fault instanceof Malformed) return fault;
    peculiar ??= fault;
    return codePoint(escaped);
  }

  do {
    const low = readEnd();
    if (low instanceof Malformed) return low;
    const ranged = chars[at] === '-';
    if (ranged) at += 1;
    const high = ranged ? readEnd() : low;
    if (high instanceof Malformed) return high;
    if (low > high) return new Malformed('a range in its [ runs backwards');
    ranges.push([low, high]);
  } while (chars[at] !== ']');
  const points = joinPoints(ranges);
  return {
    points: negated ? subtractPoints(WITH_SLASH, points) : intersectPoints(points, WITH_SLASH),
    end: at + 1,
    ...(peculiar !== undefined && {peculiar}),
  };
}
