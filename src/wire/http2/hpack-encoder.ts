/** Owns writing header blocks: every header as it is, so that there is no state for a peer's settings to change. */
import type {Header} from './hpack-tables.ts';

/**
 * The first thing in a block: we keep no table. Due in the first block after a peer has made the table smaller (RFC
 * 7541, section 4.2), and allowed in all.
 */
const NO_TABLE = 0x20;
/** A header that is not remembered, with its name as it is. */
const LITERAL = 0x00;
/** The first byte of a string, its length, takes no more than this with what follows. */
const LONGEST_LENGTH = 5;

export function encodeHeaders(headers: readonly Header[]): Buffer {
  const letters = headers.reduce((sum, [name, value]) => sum + name.length + value.length, 1);
  const block = Buffer.allocUnsafe(letters + headers.length * (1 + 2 * LONGEST_LENGTH));
  let end = 0;
  block[end++] = NO_TABLE;
  for (const [name, value] of headers) {
    block[end++] = LITERAL;
    end = writeString(block, end, name);
    end = writeString(block, end, value);
  }
  return block.subarray(0, end);
}

function writeString(block: Buffer, start: number, text: string): number {
  let end = start;
  let rest = text.length;
  if (rest < 127) block[end++] = rest;
  else {
    block[end++] = 127;
    for (rest -= 127; rest >= 128; rest >>>= 7) block[end++] = (rest & 0x7f) | 0x80;
    block[end++] = rest;
  }
  return end + block.write(text, end, 'latin1');
}
