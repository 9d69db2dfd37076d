/** Owns this process's standard output and standard error. A reader that is gone is no error. */
import type {Writable} from 'node:stream';
import {TiltbuildError} from '../errors.ts';
import {reasonOf} from '../system-error.ts';

/** Moves to the first column and clears the line. */
const TO_START = '\r\u001b[K';

export interface Streams {
  readonly stdout: Writable;
  readonly stderr: Writable;
}

/** How long a reader may take for what is left at the end, in milliseconds. */
const PATIENCE = 1000;

export class Terminal {
  readonly #process: Streams;
  readonly #isClosed: () => boolean;
  readonly #pending = new Set<Promise<void>>();
  readonly #guarded = new Set<Writable>();
  #status: string | undefined;

  /**
   * `process` creates each stream the first time it is read, which takes some milliseconds. `isClosed` is whether the
   * process was started without a standard output, and the runtime put something else in its place.
   */
  constructor(process: Streams, isClosed: () => boolean = () => false) {
    this.#process = process;
    this.#isClosed = isClosed;
  }

  /**
   * Writes to standard output, which is for the result alone. Resolves when it is written. Throws
   * `result-not-written`, with the result in its detail so it is not lost.
   */
  async writeResult(text: string): Promise<void> {
    this.showStatus(undefined);
    if (text === '') return;
    try {
      await this.#writeOut(text);
    } catch (cause) {
      if (isReaderGone(cause)) return;
      throw new TiltbuildError(
        'result-not-written',
        `Cannot write the result to standard output: ${reasonOf(cause)}. The result is:`,
        {detail: text.trimEnd().split('\n'), cause},
      );
    }
  }

  /** Writes part of a result that is too large to hold. Throws `result-not-written`. */
  async writeBytes(chunk: Uint8Array): Promise<void> {
    this.showStatus(undefined);
    await this.#writeOut(chunk).catch((cause) => {
      throw new TiltbuildError(
        'result-not-written',
        `Cannot write the result to standard output: ${reasonOf(cause)}.`,
        {cause},
      );
    });
  }

  /** Writes to standard error. A failure there cannot be reported, and does not end a build. */
  async writeError(chunk: string | Uint8Array): Promise<void> {
    this.showStatus(undefined);
    const written = write(this.#open('stderr'), chunk).catch(() => undefined);
    this.#pending.add(written);
    await written;
    this.#pending.delete(written);
  }

  /** Waits for what nobody waited for: notes, to a reader that is slow. It may also have stopped reading. */
  async flush(): Promise<void> {
    this.showStatus(undefined);
    await Promise.race([
      Promise.all(this.#pending),
      new Promise((resolve) => setTimeout(resolve, PATIENCE).unref()),
    ]);
  }

  /** Shows `line` as the last one of a terminal until something else is written; undefined removes it. */
  showStatus(line: string | undefined): void {
    if (line === this.#status) return;
    this.#status = line;
    this.#open('stderr').write(`${TO_START}${line ?? ''}`);
  }

  async #writeOut(chunk: string | Uint8Array): Promise<void> {
    if (this.#isClosed()) throw new Error('it is closed');
    await write(this.#open('stdout'), chunk);
  }

  #open(name: keyof Streams): Writable {
    const stream = this.#process[name];
    // Each write reports its own failure.
    if (!this.#guarded.has(stream)) stream.on('error', () => undefined);
    this.#guarded.add(stream);
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
