/** Owns header blocks as they come: one HEADERS frame and its CONTINUATIONs, between which nothing else may stand. */
import {ByteQueue} from '../byte-queue.ts';
import {ErrorCode, Http2Error, violation} from './errors.ts';
import {HEADER_LENGTH} from './frames.ts';
import {HpackDecoder} from './hpack-decoder.ts';
import type {Header} from './hpack-tables.ts';
import type {PeerFrame} from './peer-frames.ts';

export interface HeaderBlock {
  readonly stream: number;
  /** They are the last of their stream. */
  readonly end: boolean;
  readonly headers: readonly Header[];
}

export class HeaderBlocks {
  readonly #longest: number;
  readonly #decoder: HpackDecoder;
  #begun: {readonly stream: number; readonly end: boolean} | undefined;
  readonly #bytes = new ByteQueue();
  /** With the frames', else there could be any number of empty ones. */
  #length = 0;

  constructor(longest: number) {
    this.#longest = longest;
    this.#decoder = new HpackDecoder(longest);
  }

  /** The block that is whole with `frame`. All are read, wanted or not: both sides remember what was in them. */
  add(frame: PeerFrame): HeaderBlock | undefined {
    const goesOn = frame.kind === 'continuation';
    if (goesOn ? frame.stream !== this.#begun?.stream : this.#begun !== undefined) {
      throw violation('a header block is interrupted');
    }
    if (frame.kind === 'headers') this.#begun = frame;
    const begun = this.#begun;
    if (begun === undefined || (frame.kind !== 'headers' && !goesOn)) return undefined;
    this.#bytes.push(frame.part);
    this.#length += frame.part.length + HEADER_LENGTH;
    if (this.#length > this.#longest) {
      throw new Http2Error(`more than ${this.#longest} bytes of headers`, ErrorCode.ENHANCE_YOUR_CALM);
    }
    if (!frame.last) return undefined;
    this.#begun = undefined;
    this.#length = 0;
    const headers = this.#decoder.decode(this.#bytes.take(this.#bytes.length));
    return {stream: begun.stream, end: begun.end, headers};
  }
}
