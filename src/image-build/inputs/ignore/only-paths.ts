/** Owns `--only`: the paths that alone are kept, as the ignore list that they come to. */
import {TiltbuildError} from '../../../errors.ts';
import {type IgnorePattern, literalPattern, parseIgnorePattern} from './ignore-file.ts';
import type {Platform} from './ignore-glob.ts';

const ORIGIN = '--only';

/** Nothing where no path is given, or one is the whole context. */
export function onlyPatterns(paths: readonly string[], platform: Platform): readonly IgnorePattern[] {
  const cleaned = paths.map((path) => cleanOnlyPath(path, platform));
  if (cleaned.length === 0 || cleaned.includes('')) return [];
  return [
    parseIgnorePattern('**', ORIGIN, platform) as IgnorePattern,
    ...cleaned.map((path) => literalPattern(path, true, ORIGIN, platform)),
  ];
}

/** The names of the path, joined by slashes; empty for the context itself. */
export function cleanOnlyPath(path: string, platform: Platform): string {
  const windows = platform === 'win32';
  const slashed = windows ? path.replaceAll('\\', '/') : path;
  if (path === '')
    throw refuse('An --only path is empty.', 'Give a path in the build context, or . for all of it.');
  if (slashed.startsWith('/') || (windows && /^[a-z]:/i.test(slashed))) {
    throw refuse(`The --only path ${path} is absolute.`, 'Give it relative to the build context.');
  }
  const glob = /[*?]/.exec(slashed)?.[0];
  if (glob !== undefined) {
    throw refuse(
      `The --only path ${path} has a ${glob}, but it is no pattern.`,
      `For a pattern, use --ignore '**' --ignore '!${path}'.`,
    );
  }
  if (/[\0\n\r]/.test(path)) {
    throw refuse(
      `The --only path ${JSON.stringify(path)} has a line break or NUL.`,
      'No ignore file can name it.',
    );
  }
  const names: string[] = [];
  for (const name of slashed.split('/')) {
    if (name === '' || name === '.') continue;
    if (name !== '..') names.push(name);
    else if (names.pop() === undefined) {
      throw refuse(
        `The --only path ${path} leaves the build context.`,
        'Give one that is in the build context.',
      );
    }
  }
  return names.join('/');
}

/**
 * The walk of 2021 enters a folder that is left out only where the text of a `!` begins with its path, and an
 * escape is no part of that path. At the top, where nothing is left out yet, such a `!` decides nothing.
 */
export function onlyEntries(paths: readonly string[], platform: Platform): readonly string[] {
  return paths
    .map((path) => cleanOnlyPath(path, platform))
    .filter((path) => platform !== 'win32' && /[+(){}|^[].*\//.test(path) && compiles(path));
}

/** That matcher makes an expression of it as it is, and fails where it cannot; JavaScript's are the stricter ones. */
function compiles(path: string): boolean {
  if (/\\|\[\^?\]|\[\[|\{\d/.test(path) || path !== path.trim()) return false;
  try {
    return new RegExp(`^${path.replaceAll(/[.$]/g, '\\$&')}$`).source !== '';
  } catch {
    return false;
  }
}

function refuse(message: string, remedy: string): TiltbuildError {
  return new TiltbuildError('usage', message, {remedy: [remedy]});
}
