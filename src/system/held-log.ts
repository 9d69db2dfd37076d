/** Owns the progress of a quiet build, kept in a private file until the build fails: as far as there is room for it. */
import {reasonOf} from '../system-error.ts';
import {openPrivate, readPieces} from './disk-files.ts';

export class HeldLog {
  readonly #path: string;
  #file: ReturnType<typeof openPrivate> | undefined;
  /** Why the rest is missing. A lost log is no reason to lose a build. */
  #loss: string | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  async write(chunk: Uint8Array): Promise<void> {
    if (this.#loss !== undefined) return;
    try {
      this.#file ??= openPrivate(this.#path);
      await (await this.#file).writeFile(chunk);
    } catch (error) {
      this.#loss = reasonOf(error);
    }
  }

  async close(): Promise<void> {
    await this.#file?.then((file) => file.close()).catch(() => undefined);
  }

  async show(write: (chunk: string | Uint8Array) => Promise<void>): Promise<void> {
    try {
      if (this.#file !== undefined) for await (const chunk of readPieces(this.#path)) await write(chunk);
    } catch (error) {
      this.#loss ??= reasonOf(error);
    }
    if (this.#loss !== undefined) await write(`(The rest of the progress was not kept: ${this.#loss}.)\n`);
  }
}
