/** Owns strings as Starlark counts them: in bytes of UTF-8. */

/** A cut through a character leaves U+FFFD, where starlark-go keeps the bytes. */
export function byteLength(text: string): number {
  return Buffer.byteLength(text, 'utf8');
}

export function sliceBytes(text: string, start: number, end: number): string {
  if (byteLength(text) === text.length) return text.slice(start, Math.max(start, end));
  return Buffer.from(text, 'utf8').subarray(start, Math.max(start, end)).toString('utf8');
}

export function pickBytes(text: string, indices: readonly number[]): string {
  const bytes = Buffer.from(text, 'utf8');
  return Buffer.from(indices.map((index) => bytes[index] ?? 0)).toString('utf8');
}

/** Turns an index of JavaScript's into one of bytes; -1 stays. */
export function byteIndex(text: string, index: number): number {
  return index < 0 ? index : byteLength(text.slice(0, index));
}

/** Orders by code points, which is the order of the bytes too. */
export function compareText(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a, 'utf8'), Buffer.from(b, 'utf8'));
}
