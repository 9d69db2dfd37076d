/** Owns how string literals are read, and how strings are quoted. */

const simpleEscapes: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
  '\n': '',
};

export type Unquoted = {text: string} | {problem: string};

/** Reads what stands between the quotes. Line ends were made `\n` before. */
export function unquote(inner: string, raw: boolean): Unquoted {
  if (raw) return {text: inner};
  let text = '';
  let i = 0;
  while (i < inner.length) {
    const char = inner[i] ?? '';
    if (char !== '\\') {
      text += char;
      i++;
      continue;
    }
    const read = readEscape(inner.slice(i));
    if ('problem' in read) return read;
    text += read.text;
    i += read.length;
  }
  return {text};
}

function readEscape(rest: string): {text: string; length: number} | {problem: string} {
  const letter = rest[1];
  if (letter === undefined) return {problem: 'truncated escape sequence \\'};
  const simple = simpleEscapes[letter];
  if (simple !== undefined) return {text: simple, length: 2};
  const octal = /^\\([0-7]{1,3})/.exec(rest);
  if (octal !== null) return readOctal(octal[0], octal[1] ?? '');
  const digits = {x: 2, u: 4, U: 8}[letter];
  if (digits === undefined) return {problem: `invalid escape sequence \\${letter}`};
  if (rest.length < 2 + digits) return {problem: `truncated escape sequence ${rest}`};
  return readHex(rest.slice(0, 2 + digits), letter);
}

function readOctal(sequence: string, digits: string): {text: string; length: number} | {problem: string} {
  const code = Number.parseInt(digits, 8);
  if (code > 127) return {problem: `non-ASCII octal escape ${sequence}`};
  return {text: String.fromCharCode(code), length: sequence.length};
}

function readHex(sequence: string, letter: string): {text: string; length: number} | {problem: string} {
  const hex = sequence.slice(2);
  if (!/^[0-9a-fA-F]+$/.test(hex)) return {problem: `invalid escape sequence ${sequence}`};
  const code = Number.parseInt(hex, 16);
  if (letter === 'x' && code > 127) return {problem: `non-ASCII hex escape ${sequence}`};
  if (code > 0x10ffff) return {problem: `code point out of range: ${sequence}`};
  if (code >= 0xd800 && code <= 0xdfff) return {problem: `invalid Unicode code point U+${hex}`};
  return {text: String.fromCodePoint(code), length: sequence.length};
}

const shortQuotes: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
  '"': '\\"',
};

/** Quotes as repr() does. */
export function quote(text: string): string {
  let quoted = '"';
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    const short = shortQuotes[char];
    if (short !== undefined) quoted += short;
    else if (code < 32 || code === 127) quoted += `\\x${code.toString(16).padStart(2, '0')}`;
    else quoted += char;
  }
  return `${quoted}"`;
}
