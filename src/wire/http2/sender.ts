/** Owns what goes out over a connection: frames in their order, and whose turn it is to send data. */
import type {Duplex} from 'node:stream';
import {ErrorCode, Http2Error} from './errors.ts';
import {DEFAULT_WINDOW, SendWindow} from './flow-control.ts';
import {FrameType, frameHeader, MAX_FRAME} from './frames.ts';
import type {Http2Stream} from './stream.ts';

/** What may wait in the transport before we hand it more data. */
const MOST_UNSENT = 262_144;
/** How many answers to frames of the peer may wait because it does not read. */
const MOST_ANSWERS = 10_000;

export class Sender {
  readonly #transport: Duplex;
  readonly #onFlood: (error: Http2Error) => void;
  readonly #window = new SendWindow(DEFAULT_WINDOW);
  /** Those that have something to send, and may; the first one's turn it is. */
  readonly #ready = new Set<Http2Stream>();
  #unsent = 0;
  #answers = 0;
  #pumping = false;
  #stopped = false;

  /** `onFlood` is called where a peer has us keep answers that it does not read. */
  constructor(transport: Duplex, onFlood: (error: Http2Error) => void) {
    this.#transport = transport;
    this.#onFlood = onFlood;
  }

  write(bytes: Buffer): void {
    if (this.#stopped) return;
    this.#unsent += bytes.length;
    this.#transport.write(bytes, () => {
      this.#unsent -= bytes.length;
      this.pump();
    });
  }

  /** Writes what a frame of the peer calls for. */
  answer(bytes: Buffer): void {
    if (this.#stopped) return;
    this.#answers++;
    if (this.#answers > MOST_ANSWERS) {
      this.#onFlood(new Http2Error('the peer does not read our answers', ErrorCode.ENHANCE_YOUR_CALM));
      return;
    }
    this.#transport.write(bytes, () => {
      this.#answers--;
    });
  }

  /** The connection's window is raised. */
  raise(increment: number): void {
    this.#window.change(increment);
  }

  /** Queues a stream where it has something to send and its window is open; to be called whenever one of them changes. */
  queue(stream: Http2Stream): void {
    if (stream.hasData && stream.sendWindow.size > 0) this.#ready.add(stream);
    else this.#ready.delete(stream);
  }

  forget(stream: Http2Stream): void {
    this.#ready.delete(stream);
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Sends data as long as there is some, the windows are open and the transport takes it; a frame each in turn. */
  pump(): void {
    if (this.#pumping || this.#ready.size === 0) return;
    this.#pumping = true;
    this.#transport.cork();
    try {
      // A stream that is queued once more comes last in the same loop.
      for (const stream of this.#ready) {
        if (this.#stopped || this.#unsent >= MOST_UNSENT || this.#window.size <= 0) break;
        this.#ready.delete(stream);
        this.#sendFrame(stream);
        this.queue(stream);
      }
    } finally {
      this.#transport.uncork();
      this.#pumping = false;
    }
  }

  #sendFrame(stream: Http2Stream): void {
    stream.sendData(Math.min(MAX_FRAME, this.#window.size, stream.sendWindow.size), (parts) => {
      const length = parts.reduce((sum, part) => sum + part.length, 0);
      this.#window.use(length);
      stream.sendWindow.use(length);
      this.write(frameHeader(FrameType.DATA, 0, stream.id, length));
      for (const part of parts) this.write(part);
    });
  }
}
