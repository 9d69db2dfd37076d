/** Owns how a Starlark file is cut into tokens, indentation among them. */
import {type Position, refuse} from './errors.ts';
import {readNumber} from './number-literals.ts';
import {unquote} from './string-literals.ts';

export interface Token {
  /** A keyword, a punctuation mark, or one of the names below, as they stand in error messages. */
  readonly kind: string;
  readonly raw: string;
  readonly value?: string | bigint | number;
  readonly start: Position;
}

const keywords = new Set(
  'and break continue def elif else for if in lambda load not or pass return while'.split(' '),
);
const reserved = new Set(
  'as class del except finally from global import is nonlocal raise try with yield'.split(' '),
);
const marks =
  /^(?:<<=|>>=|\/\/=|\*\*|<<|>>|\/\/|==|!=|<=|>=|\+=|-=|\*=|\/=|%=|&=|\|=|\^=|[=<>+\-*/%&|^:;~,.()[\]{}])/;
const identifier = /^[\p{L}_][\p{L}_0-9]*/u;

const blanks = /[ \t]*(?:#[^\n]*)?/y;

/** Gives the tokens one by one, so that the first error of a file is the one told. */
export function createLexer(source: string, file: string): () => Token {
  const text = source.replace(/\r\n?/g, '\n');
  const indents = [0];
  let offset = 0;
  let line = 1;
  let column = 1;
  let depth = 0;
  let dents = 0;
  let lineStart = true;
  /** Nothing stands on the last line but blanks and comments. */
  let lineEnded = true;

  const position = (): Position => ({line, column});

  function advance(length: number): string {
    const taken = text.slice(offset, offset + length);
    offset += length;
    for (const char of taken) {
      if (char === '\n') {
        line++;
        column = 1;
      } else column++;
    }
    return taken;
  }

  function measureIndent(): void {
    let width = 0;
    while (text[offset] === ' ' || text[offset] === '\t') {
      width += text[offset] === ' ' ? 1 : 8 - ((column - 1) % 8);
      advance(1);
    }
    const next = text[offset];
    if (next === undefined || next === '#' || next === '\n' || depth > 0) return;
    if (width > (indents.at(-1) ?? 0)) {
      indents.push(width);
      dents++;
      return;
    }
    while (width < (indents.at(-1) ?? 0)) {
      indents.pop();
      dents--;
    }
    if (width !== indents.at(-1)) {
      refuse('unindent does not match any outer indentation level', file, position());
    }
  }

  function takeDent(): Token {
    const kind = dents > 0 ? 'indent' : 'outdent';
    dents -= Math.sign(dents);
    return {kind, raw: '', start: position()};
  }

  /** Skips blanks, comments and continued lines; true at the end of a line that counts. */
  function skipToToken(): boolean {
    for (;;) {
      lineEnded = lineStart;
      if (lineStart) {
        lineStart = false;
        measureIndent();
        if (dents !== 0) return false;
      }
      blanks.lastIndex = offset;
      advance(blanks.exec(text)?.[0].length ?? 0);
      const char = text[offset];
      if (char === '\\') {
        advance(1);
        if (text[offset] !== '\n') refuse('stray backslash in program', file, position());
        advance(1);
      } else if (char === '\n') {
        lineStart = true;
        if (depth === 0 && !lineEnded) return true;
        advance(1);
      } else {
        return false;
      }
    }
  }

  function takeString(raw: boolean): Token {
    const start = position();
    if (raw) advance(1);
    const mark = text[offset] ?? '';
    const fence = text.startsWith(mark.repeat(3), offset) ? mark.repeat(3) : mark;
    advance(fence.length);
    const from = offset;
    while (!text.startsWith(fence, offset)) {
      if (offset >= text.length) refuse('unexpected EOF in string', file, start);
      if (text[offset] === '\n' && fence.length === 1) refuse('unexpected newline in string', file, start);
      advance(text[offset] === '\\' ? 2 : 1);
    }
    const inner = text.slice(from, offset);
    advance(fence.length);
    const read = unquote(inner, raw);
    if ('problem' in read) return refuse(read.problem, file, start);
    return {kind: 'string literal', raw: inner, value: read.text, start};
  }

  function takeWord(word: string): Token {
    const start = position();
    advance(word.length);
    if (keywords.has(word)) return {kind: word, raw: word, start};
    return {kind: reserved.has(word) ? 'illegal token' : 'identifier', raw: word, start};
  }

  function takeNumber(rest: string): Token {
    const start = position();
    const read = readNumber(rest);
    if ('problem' in read) return refuse(read.problem, file, start);
    const raw = advance(read.length);
    return {
      kind: typeof read.value === 'bigint' ? 'int literal' : 'float literal',
      raw,
      value: read.value,
      start,
    };
  }

  function takeMark(mark: string): Token {
    const start = position();
    if ('([{'.includes(mark)) depth++;
    if (')]}'.includes(mark)) {
      if (depth === 0) refuse(`unexpected '${mark}'`, file, start);
      depth--;
    }
    advance(mark.length);
    return {kind: mark, raw: mark, start};
  }

  function takeEnd(): Token {
    const start = position();
    if (indents.length > 1) {
      dents = 1 - indents.length;
      indents.length = 1;
      // The last line may lack its line end.
      return lineEnded ? takeDent() : {kind: 'newline', raw: '', start};
    }
    return {kind: 'end of file', raw: '', start};
  }

  return () => {
    if (dents !== 0) return takeDent();
    if (skipToToken()) {
      const start = position();
      return {kind: 'newline', raw: advance(1), start};
    }
    if (dents !== 0) return takeDent();
    if (offset >= text.length) return takeEnd();
    const char = text[offset] ?? '';
    if (char === '"' || char === "'") return takeString(false);
    const rest = text.slice(offset, offset + 1000);
    if (/^r["']/.test(rest)) return takeString(true);
    const word = identifier.exec(rest);
    if (word !== null) return takeWord(word[0]);
    if (/^\.?[0-9]/.test(rest)) return takeNumber(rest);
    const mark = marks.exec(rest);
    if (mark !== null) return takeMark(mark[0]);
    return refuse(
      `unexpected input character '${String.fromCodePoint(text.codePointAt(offset) ?? 0)}'`,
      file,
      position(),
    );
  };
}
