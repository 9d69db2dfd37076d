/** Owns the pattern of one name in a path: how two have names in common, and how it is written. */
import {TiltbuildError} from '../../../errors.ts';
import {
  type CodePoints,
  codePoint,
  equalPoints,
  intersectPoints,
  NAME_POINTS,
  onlyMember,
  subtractPoints,
} from './code-points.ts';
import {coversSequence, intersectSequences, LOOP, type Sequence} from './loop-sequence.ts';

/** A set of code points for each place; a loop is `*`. */
export type Glob = Sequence<CodePoints>;
export type Platform = NodeJS.Platform;

export const ANY_NAME: Glob = [LOOP];
/** Read as more than themselves by Go's filepath.Match, or by one of the regular expressions made of them. */
const MARKS = /[*?[\]\\+(){}|^]/;
const CLASS_MARKS = /[*?[\]\\^-]/;

export function intersectGlobs(a: Glob, b: Glob): readonly Glob[] {
  return intersectSequences(a, b, (one, other) => {
    const both = intersectPoints(one, other);
    return both.length === 0 ? [] : [both];
  });
}

export function coversGlob(wide: Glob, narrow: Glob): boolean {
  return coversSequence(wide, narrow, (one, other) => subtractPoints(other, one).length === 0);
}

/** The one name that it stands for, if it is one. */
export function literalName(glob: Glob): string | undefined {
  const chars = glob.map((part) => (part === LOOP ? undefined : onlyMember(part)));
  return chars.every((char) => char !== undefined) ? chars.join('') : undefined;
}

/** Undefined where no name on that platform can match. */
export function printGlob(glob: Glob, platform: Platform): string | undefined {
  const parts = glob.map((part) => (part === LOOP ? '*' : printPoints(part, platform)));
  return parts.every((part) => part !== undefined) ? parts.join('') : undefined;
}

export function escapeLiteral(text: string, platform: Platform): string | undefined {
  return printGlob(
    [...text].map((char) => [[codePoint(char), codePoint(char)]]),
    platform,
  );
}

function printPoints(points: CodePoints, platform: Platform): string | undefined {
  if (equalPoints(points, NAME_POINTS)) return '?';
  const char = onlyMember(points);
  if (char === undefined) return printClass(points, platform);
  if (!MARKS.test(char)) return char;
  if (platform !== 'win32') return `\\${char}`;
  // There a backslash only separates names, so that nothing can be escaped.
  if (char === '[') return '[[]';
  return /[*?\\]/.test(char) ? undefined : char;
}

function printClass(points: CodePoints, platform: Platform): string {
  const ranges = points.map(([low, high]) => (low === high ? [low] : [low, high]).map(printEnd));
  if (platform === 'win32' && ranges.flat().some((end) => end.startsWith('\\'))) {
    const written = `[${ranges.map((ends) => ends.join('-')).join('')}]`;
    throw new TiltbuildError(
      'usage',
      `Two patterns share ${written}, which has to be escaped, as Windows cannot.`,
      {
        remedy: ['Write the [ ] of the ignore file or of --ignore in another way.'],
      },
    );
  }
  return `[${ranges.map((ends) => ends.join('-')).join('')}]`;
}

function printEnd(point: number): string {
  const char = String.fromCodePoint(point);
  return CLASS_MARKS.test(char) ? `\\${char}` : char;
}
