/** Owns our standard input: saving it in a file if it is needed more than once, and yes-or-no questions. */
import type {Readable} from 'node:stream';
import {TiltbuildError} from '../errors.ts';
import type {Input} from '../ports.ts';
import {reasonOf} from '../system-error.ts';
import type {DiskFiles} from './disk-files.ts';
import type {SignalInterruption} from './interruption.ts';

export class StandardInput implements Input {
  readonly #stream: () => Readable;
  readonly #files: DiskFiles;
  readonly #interruption: SignalInterruption;

  /** `stream` is a function since Node opens standard input the first time it is read. */
  constructor(stream: () => Readable, files: DiskFiles, interruption: SignalInterruption) {
    this.#stream = stream;
    this.#files = files;
    this.#interruption = interruption;
  }

  async save(path: string): Promise<void> {
    const stream = this.#stream();
    // Ctrl-C has to work while the user types, or if nobody does.
    const release = this.#interruption.subscribe(() => stream.destroy());
    try {
      await this.#files.saveStream(stream, path);
    } catch (cause) {
      this.#interruption.throwIfReceived();
      throw new TiltbuildError(
        'temporary-files',
        `Cannot save standard input in a temporary file: ${reasonOf(cause)}.`,
        {cause},
      );
    } finally {
      release();
    }
    this.#interruption.throwIfReceived();
  }
}

/** False if `input` is no terminal, or the answer is anything but yes. */
export async function confirm(
  question: string,
  input: NodeJS.ReadStream,
  output: NodeJS.WritableStream,
): Promise<boolean> {
  if (input.isTTY !== true) return false;
  const {createInterface} = await import('node:readline/promises');
  const lines = createInterface({input, output});
  try {
    return /^y(?:es)?$/i.test((await lines.question(question)).trim());
  } finally {
    lines.close();
  }
}
