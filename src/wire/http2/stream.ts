/** Owns one stream of an HTTP/2 connection, as a Duplex: what is written goes out as fast as windows and peer allow. */
import {Duplex} from 'node:stream';
import {ByteQueue} from '../byte-queue.ts';
import {ErrorCode, Http2Error, nameCode} from './errors.ts';
import {ReceiveWindow, SendWindow} from './flow-control.ts';
import type {Header} from './hpack-tables.ts';

/** What a stream asks of its connection. */
export interface StreamPort {
  sendHeaders(stream: Http2Stream, headers: readonly Header[], endStream: boolean): void;
  /** The stream has something to send; its connection fetches it with `sendData`. */
  ready(stream: Http2Stream): void;
  endStream(stream: Http2Stream): void;
  reset(stream: Http2Stream, code: number): void;
  /** So many bytes were used; `inStream`: the peer may send as many more in this stream. */
  giveBack(stream: Http2Stream, length: number, inStream: boolean): void;
  forget(stream: Http2Stream): void;
}

/**
 * Emits `response` and `trailers` with the peer's headers, which are there as properties as well: `trailers` before
 * the end can be read. An error that nobody listens to is no crash: whoever reads or writes meets it there.
 */
export class Http2Stream extends Duplex {
  readonly id: number;
  /** A request's or a response's, once they have come. */
  headers: readonly Header[] | undefined;
  trailers: readonly Header[] | undefined;
  /** What the peer reset it with. */
  rstCode: number | undefined;

  // All that follows is for the connection.
  readonly sendWindow: SendWindow;
  readonly receiveWindow: ReceiveWindow;
  /** The peer has sent all. */
  peerEnded = false;

  readonly #port: StreamPort;
  readonly #inbox = new ByteQueue();
  #wanted = false;
  /** What is being written, whose parts are not copied, and who is told once it is sent. */
  readonly #outbox = new ByteQueue();
  #written: ((error?: Error) => void) | undefined;
  #lastHeaders: readonly Header[] | undefined;
  #weEnded = false;
  #resetCode: number = ErrorCode.CANCEL;

  constructor(port: StreamPort, id: number, sendWindow: number, receiveWindow: number) {
    // What waits to be read waits in the inbox, where short pieces are put together.
    super({readableHighWaterMark: 1, writableHighWaterMark: 65_536});
    this.#port = port;
    this.id = id;
    this.sendWindow = new SendWindow(sendWindow);
    this.receiveWindow = new ReceiveWindow(receiveWindow);
    this.on('error', () => undefined);
  }

  /** A server's first headers; they come before what is written. */
  respond(headers: readonly Header[]): void {
    if (!this.destroyed) this.#port.sendHeaders(this, headers, false);
  }

  /** A server's last headers, behind all that was written. */
  sendTrailers(headers: readonly Header[]): void {
    this.#lastHeaders = headers;
    this.end();
  }

  /** Ends it at once, whatever is under way. */
  close(code: number = ErrorCode.CANCEL): void {
    this.#resetCode = code;
    this.destroy();
  }

  override _read(): void {
    this.#wanted = true;
    this.#deliver();
  }

  override _writev(chunks: {chunk: Buffer}[], done: (error?: Error | null) => void): void {
    if (!this.#weEnded) for (const {chunk} of chunks) this.#outbox.push(chunk);
    if (this.#outbox.length === 0) done();
    else {
      this.#written = done;
      this.#port.ready(this);
    }
  }

  override _final(done: (error?: Error | null) => void): void {
    if (!this.#weEnded) {
      this.#weEnded = true;
      if (this.#lastHeaders === undefined) this.#port.endStream(this);
      else this.#port.sendHeaders(this, this.#lastHeaders, true);
    }
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (this.rstCode === undefined && !(this.peerEnded && this.#weEnded)) {
      this.#port.reset(this, this.#resetCode);
    }
    this.#port.giveBack(this, this.#inbox.length, false);
    this.#inbox.clear();
    this.#port.forget(this);
    this.#dropOutgoing(error ?? new Http2Error('the stream was closed', this.#resetCode));
    done(error);
  }

  #dropOutgoing(error?: Error): void {
    this.#outbox.clear();
    this.#tellWritten(error);
  }

  #tellWritten(error?: Error): void {
    const done = this.#written;
    this.#written = undefined;
    done?.(error);
  }

  receiveHeaders(headers: readonly Header[], end: boolean): void {
    if (this.peerEnded) throw this.#wrong('headers behind the end', ErrorCode.STREAM_CLOSED);
    if (this.headers !== undefined && !end)
      throw this.#wrong('headers in the middle of data', ErrorCode.PROTOCOL_ERROR);
    const event = this.headers === undefined ? 'response' : 'trailers';
    if (event === 'response') this.headers = headers;
    else this.trailers = headers;
    this.emit(event, headers);
    if (end) this.#receiveEnd();
  }

  receiveData(data: Buffer, end: boolean): void {
    this.#inbox.push(data);
    this.#deliver();
    if (end) this.#receiveEnd();
  }

  #receiveEnd(): void {
    this.peerEnded = true;
    this.#deliver();
  }

  receiveReset(code: number): void {
    this.rstCode = code;
    // An answer is whole, and whoever gave it does not need the rest of the request (RFC 9113, section 8.1).
    if (code === ErrorCode.NO_ERROR && this.peerEnded) this.#sendNoMore();
    else this.destroy(this.#wrong(`the peer reset the stream: ${nameCode(code)}`, code));
  }

  /** The connection is over. What came whole can still be read. */
  receiveLoss(error: Error): void {
    if (this.peerEnded) this.#sendNoMore(error);
    else this.destroy(error);
  }

  #sendNoMore(error?: Error): void {
    this.#weEnded = true;
    this.#dropOutgoing(error);
  }

  #wrong(what: string, code: number): Http2Error {
    return new Http2Error(what, code, {stream: this.id});
  }

  /** Ends it for an error that the peer is told by `code`. */
  fail(error: Error, code: number): void {
    this.#resetCode = code;
    this.destroy(error);
  }

  get hasData(): boolean {
    return this.#outbox.length > 0;
  }

  /** Gives `send` the next bytes in parts, together no more than `most`. */
  sendData(most: number, send: (parts: readonly Buffer[]) => void): void {
    if (!this.hasData) return;
    send(this.#outbox.takeParts(most));
    // Not before it is sent: the end of the stream may come of it.
    if (!this.hasData) this.#tellWritten();
  }

  #deliver(): void {
    while (this.#wanted && this.#inbox.length > 0) {
      const chunk = this.#inbox.shift() as Buffer;
      this.#wanted = this.push(chunk);
      this.#port.giveBack(this, chunk.length, !this.peerEnded);
    }
    if (this.peerEnded && this.#inbox.length === 0 && !this.readableEnded && !this.destroyed) this.push(null);
  }
}
