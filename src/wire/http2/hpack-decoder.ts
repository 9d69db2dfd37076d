/** Owns reading header blocks (RFC 7541), with the table that both sides keep of what was sent before. */
import {ErrorCode, Http2Error} from './errors.ts';
import {decodeHuffman} from './hpack-huffman.ts';
import {type Header, STATIC_TABLE} from './hpack-tables.ts';

/** What we let the peer keep: the size that holds before any SETTINGS, which is ours for good. */
const TABLE_SIZE = 4_096;
/** What RFC 7541 counts for a header beside its letters. */
const OVERHEAD = 32;

export class HpackDecoder {
  /** The newest one comes first. */
  readonly #table: Header[] = [];
  #size = 0;
  #limit = TABLE_SIZE;
  readonly #longest: number;

  /** `longest`: the most that the headers of a block may come to, each with `OVERHEAD`. */
  constructor(longest: number) {
    this.#longest = longest;
  }

  decode(block: Buffer): Header[] {
    const input = new Input(block);
    const headers: Header[] = [];
    let size = 0;
    while (!input.atEnd) {
      const first = input.peek();
      if ((first & 0xe0) === 0x20) {
        if (headers.length > 0) throw broken('the table changes its size between headers');
        this.#resize(input.integer(5));
        continue;
      }
      const header = this.#readHeader(input, first);
      size += sizeOf(header);
      if (size > this.#longest) {
        throw new Http2Error(`more than ${this.#longest} bytes of headers`, ErrorCode.ENHANCE_YOUR_CALM);
      }
      headers.push(header);
    }
    return headers;
  }

  #readHeader(input: Input, first: number): Header {
    if (first & 0x80) return this.#lookUp(input.integer(7));
    const remembered = (first & 0x40) !== 0;
    const index = input.integer(remembered ? 6 : 4);
    const name = index === 0 ? input.string() : this.#lookUp(index)[0];
    const header: Header = [name, input.string()];
    if (remembered) this.#remember(header);
    return header;
  }

  #lookUp(index: number): Header {
    const header = STATIC_TABLE[index - 1] ?? this.#table[index - 1 - STATIC_TABLE.length];
    if (header === undefined) throw broken(`no header has the number ${index}`);
    return header;
  }

  #remember(header: Header): void {
    this.#table.unshift(header);
    this.#size += sizeOf(header);
    this.#evict();
  }

  #resize(limit: number): void {
    if (limit > TABLE_SIZE) throw broken('the table is larger than we allow');
    this.#limit = limit;
    this.#evict();
  }

  #evict(): void {
    while (this.#size > this.#limit) this.#size -= sizeOf(this.#table.pop() as Header);
  }
}

/** A header block while it is read. */
class Input {
  readonly #bytes: Buffer;
  #position = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get atEnd(): boolean {
    return this.#position >= this.#bytes.length;
  }

  peek(): number {
    const byte = this.#bytes[this.#position];
    if (byte === undefined) throw broken('the block ends within a header');
    return byte;
  }

  /** Its first byte has `prefix` bits of it. */
  integer(prefix: number): number {
    const most = (1 << prefix) - 1;
    let value = this.peek() & most;
    this.#position++;
    if (value < most) return value;
    // Four more bytes go to 268 million, longer than any block.
    for (let shift = 0; shift <= 21; shift += 7) {
      const byte = this.peek();
      this.#position++;
      value += (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw broken('a number is too large');
  }

  string(): string {
    const compressed = (this.peek() & 0x80) !== 0;
    const length = this.integer(7);
    const end = this.#position + length;
    if (end > this.#bytes.length) throw broken('the block ends within a string');
    const bytes = this.#bytes.subarray(this.#position, end);
    this.#position = end;
    return compressed ? decodeHuffman(bytes) : bytes.toString('latin1');
  }
}

function sizeOf([name, value]: Header): number {
  return name.length + value.length + OVERHEAD;
}

function broken(what: string): Http2Error {
  return new Http2Error(`a header block is broken: ${what}`, ErrorCode.COMPRESSION_ERROR);
}
