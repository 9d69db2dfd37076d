/** Owns the error for a text that is no image reference: why, where, and what to write instead. */
import {TiltbuildError} from '../errors.ts';
import {attempt, IMAGE_ID, PATH_LIMIT, type Part, reach, type Stop, TAG_LIMIT} from './reference-grammar.ts';

export const RULES: Readonly<Record<Part, string>> = {
  'registry host':
    'A registry host has letters, digits, "-" and ".", or is an IPv6 address in brackets; a ":" and a port may follow, and then "/".',
  port: 'The port of a registry host has only digits.',
  'repository name': `A repository name has lower-case letters and digits, with "/", ".", "_", "__" or "-" between them, and at most ${PATH_LIMIT} characters.`,
  tag: `A tag has letters, digits, "_", "." and "-", starts with neither "." nor "-", and has at most ${TAG_LIMIT} characters.`,
  digest:
    'A digest is "sha256:" and 64, "sha384:" and 96, or "sha512:" and 128 lower-case hexadecimal digits.',
};

/** The error for `text`, which is valid up to `stop`. */
export function explain(text: string, stop: Stop): TiltbuildError {
  const {why, remedy} = findCause(text, stop);
  const shown = escapeHidden(text.length > 100 ? `${text.slice(0, 60)}…` : text);
  return new TiltbuildError('invalid-reference', `"${shown}" is not a valid image reference: ${why}.`, {
    detail: pointAt(text, stop.at),
    remedy: [remedy ?? RULES[stop.part]],
  });
}

function findCause(text: string, {at, part, tooLong}: Stop): {why: string; remedy?: string | undefined} {
  if (text === '') return {why: 'it is empty'};
  if (IMAGE_ID.test(text)) {
    return {
      why: '64 hexadecimal digits are an image ID, not a name',
      remedy: 'Use a name for the image.',
    };
  }
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(text)?.[0];
  if (scheme) return {why: `it starts with the scheme ${scheme}`, remedy: suggest(text.slice(scheme.length))};
  if (at === text.length) return {why: `the ${part} is missing or ends too early`};
  if (tooLong) return {why: `the ${part} is too long`};
  const character = String.fromCodePoint(text.codePointAt(at) ?? 0);
  if (/\s/.test(character))
    return {why: 'it contains white space', remedy: suggest(text.replace(/\s+/g, ''))};
  if (part === 'repository name' && /[A-Z]/.test(character)) {
    const end = reach(/[^:@]+/, text, at);
    const remedy = suggest(text.slice(0, end).toLowerCase() + text.slice(end));
    return {why: 'the repository name must be in lower case', remedy};
  }
  return {why: `"${escapeHidden(character)}" is not allowed here in the ${part}`};
}

/** Suggests a text if it is valid. */
function suggest(text: string): string | undefined {
  return 'at' in attempt(text) ? undefined : `Use ${text} instead.`;
}

/** The text on one line and a caret below one of its characters. Characters that do not fill one column are escaped. */
export function pointAt(text: string, at: number): readonly string[] {
  const long = text.length > 100;
  const start = long ? Math.max(0, at - 60) : 0;
  const before = (start > 0 ? '…' : '') + escapeHidden(text.slice(start, at));
  const after = [...text.slice(at, long ? at + 80 : undefined)];
  const shown =
    escapeHidden(after.slice(0, long ? 40 : undefined).join('')) + (long && after.length > 40 ? '…' : '');
  return [before + shown, `${' '.repeat([...before].length)}^`];
}

function escapeHidden(text: string): string {
  return text.replace(/[\p{C}\p{M}]|(?! )\p{Z}/gu, (c) => {
    const short = {'\n': '\\n', '\r': '\\r', '\t': '\\t'}[c];
    return short ?? `\\u{${(c.codePointAt(0) ?? 0).toString(16)}}`;
  });
}
