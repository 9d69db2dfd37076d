/** Owns the ignore file that stands for the user's own, `--ignore` and `--only` at once. */
import {TiltbuildError} from '../../../errors.ts';
import {formatIgnoreFile, parseIgnoreFile, parseIgnorePattern} from './ignore-file.ts';
import type {Platform} from './ignore-glob.ts';
import {spellOutBelow, uniteIgnoreLists} from './ignore-union.ts';
import {onlyEntries, onlyPatterns} from './only-paths.ts';

export interface IgnoreSources {
  /** The user's ignore file; `source` is what to call it where it has a fault. */
  readonly file?: {readonly text: string; readonly source: string};
  readonly ignore: readonly string[];
  readonly only: readonly string[];
  readonly platform: Platform;
}

/** The text of a file that leaves out what any of the three leaves out. */
export function composeIgnoreList({file, ignore, only, platform}: IgnoreSources): string {
  const own = file === undefined ? [] : parseIgnoreFile(file.text, file.source, platform);
  const ignored = ignore.flatMap((pattern) => parseOption(pattern, platform));
  const both = uniteIgnoreLists(own, ignored, platform);
  const all = uniteIgnoreLists(both, onlyPatterns(only, platform), platform);
  const entries = onlyEntries(only, platform).map((text) => ({negated: true, text}));
  return formatIgnoreFile([...entries, ...spellOutBelow(all)], platform);
}

function parseOption(pattern: string, platform: Platform) {
  if (/[\0\n]/.test(pattern)) {
    throw new TiltbuildError(
      'usage',
      `The pattern ${JSON.stringify(pattern)} of --ignore has a line break or NUL.`,
      {
        remedy: ['Give each pattern with an --ignore of its own.'],
      },
    );
  }
  return parseIgnorePattern(pattern, '--ignore', platform) ?? [];
}
