/** Owns the wildcards of Go's path.Match: their syntax, their faults, and their meaning as a regular expression. */

/** `**` and the slash behind it, `*`, `?`, a class, an escaped character, or any other character. */
const PIECE = /\*\*\/?|\*|\?|\[\^?(?:\\.|[^\]\\])*\]|\\.|./gsu;
/** What a class may hold: single characters and ranges, where `-` and `]` need a backslash. */
const CLASS = /^\[\^?(?:(?:\\.|[^\\\]-])(?:-(?:\\.|[^\\\]-]))?)+\]$/su;

/** What is wrong with `pattern`, as a clause; undefined where it can be matched as BuildKit matches it. */
export function checkGlob(pattern: string): string | undefined {
  for (const [piece] of pattern.matchAll(PIECE)) {
    if (piece === '\\') return 'nothing follows its last backslash';
    if (piece === '[') return 'its [ has no ]';
    const escaped = /\\([A-Za-z0-9])/.exec(piece)?.[0];
    // BuildKit hands these on to a regular expression, where \d is any digit.
    if (escaped !== undefined) return `${escaped} has a meaning of its own in regular expressions`;
    if (!piece.startsWith('[')) continue;
    if (!CLASS.test(piece)) return `${piece} is not a valid class of characters`;
    if (/[*?]|\[\^?\[:/.test(piece)) return `${piece} has a wildcard or a named class in brackets`;
  }
  return undefined;
}

/** Whether a name without slashes matches by path.Match; a pattern with faults matches nothing. */
export function matchGlob(pattern: string, name: string): boolean {
  if (checkGlob(pattern) !== undefined) return false;
  const body = translateGlob(pattern, {doubleStar: () => '[^/]*', character: quote});
  return new RegExp(`^${body}$`, 'u').test(name);
}

export interface GlobWords {
  /** What `**` becomes; `isLast`: nothing follows it. */
  readonly doubleStar: (isLast: boolean) => string;
  readonly character: (character: string) => string;
}

/** The regular expression, with the flag `u`, that a pattern without faults stands for. */
export function translateGlob(pattern: string, {doubleStar, character}: GlobWords): string {
  return pattern.replace(PIECE, (piece, at: number) => {
    if (piece.startsWith('**')) return doubleStar(at + piece.length === pattern.length);
    if (piece === '*') return '[^/]*';
    if (piece === '?') return '[^/]';
    if (piece.startsWith('[')) return translateClass(piece);
    return piece.startsWith('\\') ? quote(piece.slice(1)) : character(piece);
  });
}

function translateClass(piece: string): string {
  const negated = piece.startsWith('[^');
  const content = piece
    .slice(negated ? 2 : 1, -1)
    // A range keeps its dash; what has a meaning in a class of JavaScript's gets a backslash.
    .replace(/\\(.)|[\\\]^[]/gsu, (char, escaped?: string) =>
      /[\\\]^[-]/.test(escaped ?? char) ? `\\${escaped ?? char}` : (escaped ?? char),
    );
  return `[${negated ? '^' : ''}${content}]`;
}

export function quote(character: string): string {
  return character.replace(/[\\^$.*+?()[\]{}|/]/u, '\\$&');
}
