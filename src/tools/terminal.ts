/** Owns this process's standard output and standard error. A reader that went away is no error. */
import type {Writable} from 'node:stream';

/** To the first column, and all that stands in the line removed. */
const TO_START = '\r\u001b[K';

export interface Streams {
  readonly stdout: Writable;
  readonly stderr: Writable;
}

export class Terminal {
  readonly #process: Streams;
  #streams: Streams | undefined;
  #status: string | undefined;

  /** The streams of `process` are looked at when they are first needed: Bun takes 8 ms to make them. */
  constructor(process: Streams) {
    this.#process = process;
  }

  /** Writes to standard output, which is for the result alone. Resolves when it has been taken. */
  writeResult(text: string): Promise<void> {
    this.showStatus(undefined);
    return write(this.#open().stdout, text);
  }

  writeError(chunk: string | Uint8Array): Promise<void> {
    this.showStatus(undefined);
    return write(this.#open().stderr, chunk);
  }

  /** Shows `line` as the last one of a terminal until something else is written there; undefined takes it away. */
  showStatus(line: string | undefined): void {
    if (line === this.#status) return;
    this.#status = line;
    this.#open().stderr.write(`${TO_START}${line ?? ''}`);
  }

  #open(): Streams {
    if (this.#streams !== undefined) return this.#streams;
    const {stdout, stderr} = this.#process;
    for (const stream of [stdout, stderr]) {
      stream.on('error', (error: NodeJS.ErrnoException) => {
        // EPIPE: `kubectl tiltbuild … | head`. There is nobody left to tell.
        if (error.code !== 'EPIPE') throw error;
      });
    }
    this.#streams = {stdout, stderr};
    return this.#streams;
  }
}

function write(stream: Writable, chunk: string | Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    // The callback comes with an error too, which the stream's own listener deals with.
    stream.write(chunk, () => resolve());
  });
}
