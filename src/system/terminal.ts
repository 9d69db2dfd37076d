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

export class Terminal {
  readonly #process: Streams;
  readonly #guarded = new Set<Writable>();
  #status: string | undefined;

  /** `process` creates each stream the first time it is read, which takes some milliseconds. */
  constructor(process: Streams) {
    this.#process = process;
  }

  /**
   * Writes to standard output, which is for the result alone. Resolves when it is written. Throws
   * `result-not-written`, with the result in its detail so it is not lost.
   */
  async writeResult(text: string): Promise<void> {
    this.showStatus(undefined);
    try {
      await write(this.#open('stdout'), text);
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
    await write(this.#open('stdout'), chunk).catch((cause) => {
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
    await write(this.#open('stderr'), chunk).catch(() => undefined);
  }

  /** Shows `line` as the last one of a terminal until something else is written; undefined removes it. */
  showStatus(line: string | undefined): void {
    if (line === this.#status) return;
    this.#status = line;
    this.#open('stderr').write(`${TO_START}${line ?? ''}`);
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
