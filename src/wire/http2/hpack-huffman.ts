/** Owns reading strings that HPACK has compressed (RFC 7541, section 5.2). */
import {ErrorCode, Http2Error} from './errors.ts';
import {HUFFMAN_LENGTHS} from './hpack-tables.ts';

const LONGEST = 30;
const END = 256;

/** Codes of one length follow each other: the first of them, how many there are, and where their symbols begin. */
interface CodesOfLength {
  readonly first: number;
  readonly count: number;
  readonly offset: number;
}

const {CODES, SYMBOLS} = orderCodes();

/** The codes by their lengths, and symbols in the order of their codes. One pass: every start pays for it. */
function orderCodes() {
  const counts = new Array<number>(LONGEST + 1).fill(0);
  for (const length of HUFFMAN_LENGTHS) counts[length] = (counts[length] ?? 0) + 1;
  const codes: CodesOfLength[] = [];
  let first = 0;
  let offset = 0;
  for (const count of counts) {
    codes.push({first, count, offset});
    first = (first + count) * 2;
    offset += count;
  }
  const next = codes.map((group) => group.offset);
  const symbols = new Array<number>(HUFFMAN_LENGTHS.length);
  for (const [symbol, length] of HUFFMAN_LENGTHS.entries()) {
    const at = next[length] as number;
    symbols[at] = symbol;
    next[length] = at + 1;
  }
  return {CODES: codes, SYMBOLS: symbols};
}

export function decodeHuffman(bytes: Buffer): string {
  // The shortest code has five bits.
  const decoded = Buffer.allocUnsafe(Math.floor((bytes.length * 8) / 5));
  let end = 0;
  let code = 0;
  let length = 0;
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit--) {
      code = (code << 1) | ((byte >> bit) & 1);
      length++;
      const {first, count, offset} = CODES[length] as CodesOfLength;
      if (code - first >= count) continue;
      const symbol = SYMBOLS[offset + code - first] as number;
      if (symbol === END) throw broken();
      decoded[end++] = symbol;
      code = 0;
      length = 0;
    }
  }
  // What fills the last byte is the beginning of the end's code, which is ones.
  if (length > 7 || code !== (1 << length) - 1) throw broken();
  return decoded.toString('latin1', 0, end);
}

function broken(): Http2Error {
  return new Http2Error('a compressed header is broken', ErrorCode.COMPRESSION_ERROR);
}
