/** Owns the lines of a .dockerignore, as moby's ignorefile.ReadAll reads them and its matcher cleans them. */
import {TiltbuildError} from '../../../errors.ts';
import {escapeLiteral, type Platform} from './ignore-glob.ts';
import {expandTokens, type PathPattern} from './ignore-pattern.ts';
import {Malformed, readPattern} from './ignore-syntax.ts';

export interface IgnorePattern {
  readonly negated: boolean;
  /** Without its `!`, cleaned, and so that the matchers of all years read the same; what stands in a file. */
  readonly text: string;
  /** What it comes to, each with what lies below it; undefined for a pattern that is `peculiar`. */
  readonly paths: readonly PathPattern[] | undefined;
  /** Why only the matcher itself knows what it matches. */
  readonly peculiar?: string;
  /** Where it was read, to tell of it: `.dockerignore, line 3`. */
  readonly origin: string;
}

/** Go's unicode.IsSpace, which has not the BOM of JavaScript's trim, but U+0085. */
const SPACE = '[\\t-\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]';
const OUTER_SPACE = new RegExp(`^${SPACE}+|${SPACE}+$`, 'gu');
const FIRST_SPACE = new RegExp(`^\\\\?(${SPACE})`, 'u');
const LAST_SPACE = new RegExp(`(\\\\*)(${SPACE})$`, 'u');

export function parseIgnoreFile(text: string, source: string, platform: Platform): readonly IgnorePattern[] {
  const lines = text.replace(/^\ufeff/, '').split('\n');
  return lines.flatMap((line, index) => {
    const pattern = line.startsWith('#')
      ? undefined
      : parseIgnorePattern(line, `${source}, line ${index + 1}`, platform);
    return pattern === undefined ? [] : [pattern];
  });
}

/** Undefined for a blank one. */
export function parseIgnorePattern(
  line: string,
  origin: string,
  platform: Platform,
): IgnorePattern | undefined {
  const trimmed = line.replace(OUTER_SPACE, '');
  if (trimmed === '') return undefined;
  const negated = trimmed.startsWith('!');
  const written = negated ? trimmed.slice(1).replace(OUTER_SPACE, '') : trimmed;
  if (written === '') {
    throw new TiltbuildError('usage', `A ! stands alone in ${origin}.`, {
      remedy: ['Write a pattern behind it, or \\! for a file of that name.'],
    });
  }
  const cleaned = cleanPattern(platform === 'win32' ? written.replaceAll('\\', '/') : written);
  const reading = readPattern(cleaned, platform);
  if (reading instanceof Malformed) {
    throw new TiltbuildError(
      'usage',
      `The pattern ${written} in ${origin} is malformed: ${reading.reason}.`,
      {
        remedy: ['BuildKit would refuse it as well. Put a \\ before a character that stands for itself.'],
      },
    );
  }
  const {peculiar} = reading;
  if (peculiar !== undefined) return {negated, text: cleaned, paths: undefined, peculiar, origin};
  // A rooted path is what is left where there is nothing but slashes; it matches nothing, nor does `.`.
  return {negated, text: reading.portable, paths: expandTokens(reading.tokens), origin};
}

/** Go's filepath.Clean for slashes, and without the slash in front. */
function cleanPattern(text: string): string {
  const names: string[] = [];
  for (const name of text.split('/')) {
    if (name === '' || name === '.') continue;
    if (name !== '..') names.push(name);
    else if (names.length > 0 && names.at(-1) !== '..') names.pop();
    else if (!text.startsWith('/')) names.push(name);
  }
  return names.join('/') || '.';
}

export function formatIgnoreFile(
  patterns: readonly Pick<IgnorePattern, 'negated' | 'text'>[],
  platform: Platform,
): string {
  return patterns.map((pattern) => `${formatPattern(pattern, platform)}\n`).join('');
}

/** What would be trimmed or taken for a mark at an end of the line is put in a class, or behind a space. */
function formatPattern({negated, text}: Pick<IgnorePattern, 'negated' | 'text'>, platform: Platform): string {
  const kept = text
    .replace(FIRST_SPACE, '[$1]')
    .replace(
      LAST_SPACE,
      (_, escapes: string, space: string) => `${'\\'.repeat(escapes.length & ~1)}[${space}]`,
    );
  if (negated) return `!${kept}`;
  if (kept.startsWith('!')) return `${platform === 'win32' ? '[!]' : '\\!'}${kept.slice(1)}`;
  return /^[#\ufeff]/.test(kept) ? ` ${kept}` : kept;
}

/** The pattern of one path, in which nothing is a glob. */
export function literalPattern(
  path: string,
  negated: boolean,
  origin: string,
  platform: Platform,
): IgnorePattern {
  const text = path
    .split('/')
    .map((name) => escapeLiteral(name, platform) ?? name)
    .join('/');
  return parseIgnorePattern(`${negated ? '!' : ''}${text}`, origin, platform) as IgnorePattern;
}
