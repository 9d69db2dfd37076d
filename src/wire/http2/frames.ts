/** Owns the frames of HTTP/2 (RFC 9113, section 4 and 6): cut out of bytes, and made. */
import {ByteQueue, NO_BYTES} from '../byte-queue.ts';
import {ErrorCode, Http2Error, violation} from './errors.ts';

export const FrameType = {
  DATA: 0,
  HEADERS: 1,
  PRIORITY: 2,
  RST_STREAM: 3,
  SETTINGS: 4,
  PUSH_PROMISE: 5,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
} as const;

/** ACK and END_STREAM are the same bit, of different frames. */
export const Flag = {ACK: 0x01, END_STREAM: 0x01, END_HEADERS: 0x04, PADDED: 0x08, PRIORITY: 0x20} as const;

export const Setting = {
  ENABLE_PUSH: 2,
  MAX_CONCURRENT_STREAMS: 3,
  INITIAL_WINDOW_SIZE: 4,
  MAX_FRAME_SIZE: 5,
  MAX_HEADER_LIST_SIZE: 6,
} as const;

/** What each side takes without having been asked. We send no longer ones, and allow none. */
export const MAX_FRAME = 16_384;
export const HEADER_LENGTH = 9;
/** Of streams; windows go no higher either. */
export const LAST_ID = 0x7fff_ffff;
/** The first bytes of a client. */
export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

export class FrameReader {
  readonly #bytes = new ByteQueue();
  #preface: boolean;
  #header: ReturnType<typeof readHeader> | undefined;

  /** `preface`: whether a client's first bytes come before the frames. */
  constructor(preface: boolean) {
    this.#preface = preface;
  }

  push(chunk: Buffer): void {
    this.#bytes.push(chunk);
  }

  /** The next frame, if it has come whole. */
  next(): Frame | undefined {
    if (this.#preface) {
      if (this.#bytes.length < PREFACE.length) return undefined;
      if (!this.#bytes.take(PREFACE.length).equals(PREFACE))
        throw violation('the peer does not speak HTTP/2');
      this.#preface = false;
    }
    if (this.#header === undefined) {
      if (this.#bytes.length < HEADER_LENGTH) return undefined;
      this.#header = readHeader(this.#bytes.take(HEADER_LENGTH));
    }
    const {length, type, flags, stream} = this.#header;
    if (this.#bytes.length < length) return undefined;
    this.#header = undefined;
    return {type, flags, stream, payload: this.#bytes.take(length)};
  }
}

function readHeader(bytes: Buffer) {
  const length = bytes.readUIntBE(0, 3);
  if (length > MAX_FRAME) throw new Http2Error(`a frame of ${length} bytes`, ErrorCode.FRAME_SIZE_ERROR);
  return {
    length,
    type: bytes.readUInt8(3),
    flags: bytes.readUInt8(4),
    stream: bytes.readUInt32BE(5) & LAST_ID,
  };
}

export function frameHeader(type: number, flags: number, stream: number, length: number): Buffer {
  const header = Buffer.allocUnsafe(HEADER_LENGTH);
  header.writeUIntBE(length, 0, 3);
  header.writeUInt8(type, 3);
  header.writeUInt8(flags, 4);
  header.writeUInt32BE(stream, 5);
  return header;
}

export function makeFrame(type: number, flags: number, stream: number, payload: Buffer = NO_BYTES): Buffer {
  return Buffer.concat([frameHeader(type, flags, stream, payload.length), payload]);
}

/** A header block as one HEADERS frame and as many CONTINUATIONs as it takes. */
export function makeHeaderFrames(stream: number, block: Buffer, endStream: boolean): Buffer {
  const parts: Buffer[] = [];
  for (let start = 0; start === 0 || start < block.length; start += MAX_FRAME) {
    const part = block.subarray(start, start + MAX_FRAME);
    const type = start === 0 ? FrameType.HEADERS : FrameType.CONTINUATION;
    const first = start === 0 && endStream ? Flag.END_STREAM : 0;
    const last = start + MAX_FRAME >= block.length ? Flag.END_HEADERS : 0;
    parts.push(frameHeader(type, first | last, stream, part.length), part);
  }
  return Buffer.concat(parts);
}

export function makeSettings(settings: readonly (readonly [id: number, value: number])[]): Buffer {
  const entries = settings.map(([id, value]) => {
    const entry = Buffer.allocUnsafe(6);
    entry.writeUInt16BE(id, 0);
    entry.writeUInt32BE(value, 2);
    return entry;
  });
  return makeFrame(FrameType.SETTINGS, 0, 0, Buffer.concat(entries));
}

/** WINDOW_UPDATE or RST_STREAM. */
export function makeNumberFrame(type: number, stream: number, value: number): Buffer {
  const payload = Buffer.allocUnsafe(4);
  payload.writeUInt32BE(value);
  return makeFrame(type, 0, stream, payload);
}

export function makeGoaway(lastStream: number, code: number, message = ''): Buffer {
  const payload = Buffer.alloc(8);
  payload.writeUInt32BE(lastStream, 0);
  payload.writeUInt32BE(code, 4);
  return makeFrame(FrameType.GOAWAY, 0, 0, Buffer.concat([payload, Buffer.from(message)]));
}
