/** Owns the frames of a WebSocket (RFC 6455, section 5), as a client makes and reads them. */
import {randomBytes} from 'node:crypto';
import {ByteQueue} from '../byte-queue.ts';

export const Opcode = {CONTINUATION: 0, TEXT: 1, BINARY: 2, CLOSE: 8, PING: 9, PONG: 10} as const;

/** What the API server sends is some 32 kB at a time. */
const LONGEST_FRAME = 4 * 1024 * 1024;
const LONGEST_CONTROL = 125;
/** A first byte, a length in a byte and in two more, and a mask. */
const LONGEST_HEADER = 8;
export const LONGEST_MESSAGE = 0xffff;

export interface WebSocketFrame {
  readonly opcode: number;
  /** The last of its message. */
  readonly isLast: boolean;
  readonly payload: Buffer;
}

/** What the server does that the protocol forbids. */
export class WebSocketError extends Error {
  override readonly name = 'WebSocketError';
}

/** A message of one frame, whose bytes are `prefix` and the parts, no more than `LONGEST_MESSAGE`. */
export function makeMessage(opcode: number, parts: readonly Buffer[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const isShort = length <= LONGEST_CONTROL;
  const header = isShort ? LONGEST_HEADER - 2 : LONGEST_HEADER;
  // A memory of its own: what is masked begins at a multiple of four there.
  const frame = Buffer.allocUnsafeSlow(LONGEST_HEADER + length + 3).subarray(LONGEST_HEADER - header);
  frame[0] = 0x80 | opcode;
  frame[1] = 0x80 | (isShort ? length : 126);
  if (!isShort) frame.writeUInt16BE(length, 2);
  const key = randomBytes(4);
  key.copy(frame, header - 4);
  let end = header;
  for (const part of parts) end += part.copy(frame, end);
  // Four bytes at once; the last word may go over the end, into what was taken too much for that.
  const words = new Int32Array(frame.buffer, LONGEST_HEADER, Math.ceil(length / 4));
  const mask = new Int32Array(key.buffer.slice(key.byteOffset, key.byteOffset + 4))[0] as number;
  for (let at = 0; at < words.length; at++) words[at] = (words[at] as number) ^ mask;
  return frame.subarray(0, end);
}

export class WebSocketReader {
  readonly #bytes = new ByteQueue();
  #header: {readonly opcode: number; readonly isLast: boolean; readonly length: number} | undefined;
  /** The first two bytes, where the rest of the length has yet to come. */
  #start: Buffer | undefined;

  /** The frames that are whole with `chunk`. */
  *read(chunk: Buffer): Generator<WebSocketFrame> {
    this.#bytes.push(chunk);
    while (true) {
      this.#header ??= this.#readHeader();
      if (this.#header === undefined) return;
      const {length, ...frame} = this.#header;
      if (this.#bytes.length < length) return;
      this.#header = undefined;
      yield {...frame, payload: this.#bytes.take(length)};
    }
  }

  #readHeader() {
    if (this.#start === undefined) {
      if (this.#bytes.length < 2) return undefined;
      this.#start = this.#bytes.take(2);
    }
    const first = this.#start.readUInt8(0);
    const second = this.#start.readUInt8(1);
    const short = second & 0x7f;
    const more = short === 126 ? 2 : short === 127 ? 8 : 0;
    if (this.#bytes.length < more) return undefined;
    this.#start = undefined;
    const rest = this.#bytes.take(more);
    const length = more === 0 ? short : more === 2 ? rest.readUInt16BE(0) : Number(rest.readBigUInt64BE(0));
    const opcode = first & 0x0f;
    const isLast = (first & 0x80) !== 0;
    if (first & 0x70) throw new WebSocketError('the server sent a compressed message');
    if (second & 0x80) throw new WebSocketError('the server sent a masked message');
    if (opcode >= Opcode.CLOSE && (length > LONGEST_CONTROL || !isLast)) {
      throw new WebSocketError('the server sent a control message that is too long');
    }
    if (length > LONGEST_FRAME) throw new WebSocketError(`the server sent a message of ${length} bytes`);
    return {opcode, isLast, length};
  }
}
