/** Owns our standard input where it has to be kept in a file, because more than one reader needs it. */
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

  /** `stream` is called when it is first needed: Node opens standard input at the first look at it. */
  constructor(stream: () => Readable, files: DiskFiles, interruption: SignalInterruption) {
    this.#stream = stream;
    this.#files = files;
    this.#interruption = interruption;
  }

  async save(path: string): Promise<void> {
    const stream = this.#stream();
    // Whoever types it, or forgot to, has to be able to leave.
    const release = this.#interruption.subscribe(() => stream.destroy());
    try {
      await this.#files.saveStream(stream, path);
    } catch (cause) {
      this.#interruption.throwIfReceived();
      throw new TiltbuildError(
        'temporary-files',
        `Standard input could not be kept in a temporary file: ${reasonOf(cause)}.`,
        {cause},
      );
    } finally {
      release();
    }
    this.#interruption.throwIfReceived();
  }
}
