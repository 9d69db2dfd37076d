/** Owns fsutil's packets on a stream: many of ours in one write, and what BuildKit asks for in its order. */
import {LONGEST_MESSAGE, PREFIX, placeMessage, readMessages, sendBytes} from '../../wire/grpc/messages.ts';
import {GrpcCode, GrpcError} from '../../wire/grpc/status.ts';
import type {Http2Stream} from '../../wire/http2/stream.ts';
import {Packet, type PacketIn, PacketType, startData} from './packets.ts';

/** What is sent goes out in pieces of this size: a write for each of a hundred thousand files would take most of the time. */
const PIECE = 64 * 1024;
/** What is larger is not copied into a piece. */
const LARGE = 16 * 1024;

export class PacketOutbox {
  readonly #stream: Http2Stream;
  #piece = Buffer.allocUnsafe(PIECE);
  /** What is before has gone out. */
  #start = 0;
  #end = 0;

  constructor(stream: Http2Stream) {
    this.#stream = stream;
  }

  async put(packet: PacketIn): Promise<void> {
    await this.#place(Packet.encode(packet));
  }

  /** The bytes may not change any more. */
  async putData(id: number, data: Uint8Array): Promise<void> {
    if (data.length < LARGE) return await this.put({type: PacketType.DATA, id, data});
    await this.#place(startData(id, data.length), data.length);
    await this.flush(data);
  }

  async #place(encoded: Uint8Array, more = 0): Promise<void> {
    const length = PREFIX + encoded.length;
    if (length > PIECE - this.#end) {
      await this.flush();
      this.#piece = Buffer.allocUnsafe(Math.max(length, PIECE));
      this.#start = 0;
      this.#end = 0;
    }
    this.#end = placeMessage(encoded, this.#piece, this.#end, more);
  }

  /** `more`: bytes that go behind what was put, and are not copied. */
  async flush(...more: readonly Uint8Array[]): Promise<void> {
    if (this.#start === this.#end) return;
    const filled = this.#piece.subarray(this.#start, this.#end);
    this.#start = this.#end;
    await sendBytes(this.#stream, [filled, ...more]);
  }
}

/** What BuildKit asks for, in its order. */
export class RequestInbox {
  /** No more comes. */
  isOver = false;
  /** BuildKit has all that it wants. */
  isFinished = false;
  #ids: number[] = [];
  #taken = 0;
  #failure: unknown;
  #wake: () => void = () => undefined;

  constructor(stream: Http2Stream) {
    this.#read(stream)
      .catch((error) => {
        this.#failure = error;
      })
      .finally(() => {
        this.isOver = true;
        this.#wake();
      });
  }

  async #read(stream: Http2Stream): Promise<void> {
    for await (const {type, id, data} of readMessages(stream, Packet, LONGEST_MESSAGE)) {
      if (type === PacketType.REQUEST) this.#ids.push(id);
      else if (type === PacketType.FINISH) {
        this.isFinished = true;
        return;
      } else if (type === PacketType.ERROR) {
        const said = Buffer.from(data).toString();
        throw new GrpcError(GrpcCode.INTERNAL, `BuildKit could not take a file: ${said}`);
      }
      this.#wake();
    }
  }

  /** Throws what went wrong on the way. */
  take(): number | undefined {
    if (this.#failure !== undefined) throw this.#failure;
    const id = this.#ids[this.#taken];
    if (id !== undefined) this.#taken += 1;
    else if (this.#taken > 0) {
      this.#ids = [];
      this.#taken = 0;
    }
    return id;
  }

  /** Resolves when there may be something to take. */
  async more(): Promise<void> {
    if (this.#taken < this.#ids.length || this.isOver) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
  }
}
