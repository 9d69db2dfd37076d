/** Owns our standard input: saving it in a file if it is needed more than once, and yes-or-no questions. */
import type {Readable} from 'node:stream';
import {TiltbuildError} from '../errors.ts';
import type {Input} from '../ports.ts';
import {reasonOf} from '../system-error.ts';
import type {DiskFiles} from './disk-files.ts';

export class StandardInput implements Input {
  readonly #stream: () => Readable;
  readonly #files: DiskFiles;

  /** `stream` is a function since Node opens standard input the first time it is read. */
  constructor(stream: () => Readable, files: DiskFiles) {
    this.#stream = stream;
    this.#files = files;
  }

  async save(path: string): Promise<void> {
    try {
      await this.#files.saveStream(this.#stream(), path);
    } catch (cause) {
      throw new TiltbuildError(
        'temporary-files',
        `Cannot save standard input in a temporary file: ${reasonOf(cause)}.`,
        {cause},
      );
    }
  }
}

/** False if `input` is no terminal or ends, or the answer is anything but yes. */
export async function confirm(
  question: string,
  input: NodeJS.ReadStream,
  output: NodeJS.WritableStream,
): Promise<boolean> {
  if (input.isTTY !== true) return false;
  const {createInterface} = await import('node:readline');
  output.write(question);
  // With `terminal`, readline would take Ctrl-C and Ctrl-D for itself, and reject.
  const lines = createInterface({input, terminal: false});
  const answered = Promise.withResolvers<string>();
  lines.once('line', answered.resolve).once('close', () => {
    // What comes next is not the answer.
    output.write('\n');
    answered.resolve('');
  });
  const answer = await answered.promise;
  lines.removeAllListeners().close();
  return /^y(?:es)?$/i.test(answer.trim());
}
