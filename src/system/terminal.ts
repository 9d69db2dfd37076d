/** Owns this process's standard output and standard error. A reader that went away is no error. */
import type {Writable} from 'node:stream';
import {TiltbuildError} from '../errors.ts';
import {reasonOf} from '../system-error.ts';
import type {WriteNow} from './descriptors.ts';

/** To the first column, and all that stands in the line removed. */
const TO_START = '\r\u001b[K';

export interface Streams {
  readonly stdout: Writable;
  readonly stderr: Writable;
}

export class Terminal {
  readonly #process: Streams;
  readonly #writeNow: WriteNow;
  readonly #opened: {-readonly [Name in keyof Streams]?: Writable} = {};
  #status: string | undefined;

  /** The streams of `process` are looked at when they are first needed: see descriptors.ts. */
  constructor(process: Streams, writeNow: WriteNow) {
    this.#process = process;
    this.#writeNow = writeNow;
  }

  /**
   * Writes to standard output, which is for the result alone. Resolves when it has been taken. Throws
   * `result-not-written`, with the result in its detail so that it is not lost.
   */
  async writeResult(text: string): Promise<void> {
    this.showStatus(undefined);
    try {
      const rest = this.#writeNow(Buffer.from(text));
      if (rest.length > 0) await write(this.#open('stdout'), rest);
    } catch (cause) {
      if (isReaderGone(cause)) return;
      throw new TiltbuildError(
        'result-not-written',
        `The result cannot be written to standard output: ${reasonOf(cause)}. It would have been:`,
        {detail: text.trimEnd().split('\n'), cause},
      );
    }
  }

  /** Writes to standard error. There is nobody to tell of a failure there, and no build has to end for it. */
  async writeError(chunk: string | Uint8Array): Promise<void> {
    this.showStatus(undefined);
    await write(this.#open('stderr'), chunk).catch(() => undefined);
  }

  /** Shows `line` as the last one of a terminal until something else is written there; undefined takes it away. */
  showStatus(line: string | undefined): void {
    if (line === this.#status) return;
    this.#status = line;
    this.#open('stderr').write(`${TO_START}${line ?? ''}`);
  }

  #open(name: keyof Streams): Writable {
    const opened = this.#opened[name];
    if (opened !== undefined) return opened;
    const stream = this.#process[name];
    stream.on('error', () => undefined); // each write reports its own failure
    this.#opened[name] = stream;
    return stream;
  }
}

function write(stream: Writable, chunk: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(chunk, (error) => (error ? reject(error) : resolve()));
  });
}

/** `kubectl tiltbuild … | head`. */
function isReaderGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EPIPE';
}
