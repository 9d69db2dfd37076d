/** Owns what is kept of each file that was listed until BuildKit asks for it: little, since there may be 100,000 of them. */

export interface SentFile {
  readonly path: string;
  readonly size: number;
}

/** Paths in one text: with an object and two strings each, the files of a large context took 20 MB. */
const BLOCK = 64;
/** No path has it. */
const SEPARATOR = '\0';

/** By the number of their entry. */
export class SentFiles {
  /** Undefined for what has no content, or was taken. */
  readonly #sizes: (number | undefined)[] = [];
  readonly #blocks: string[] = [];
  #last: string[] = [];
  #open: {readonly block: number; readonly paths: readonly string[]} = {block: -1, paths: []};

  /** `size`: undefined where the entry has no content. */
  add(path: string, size: number | undefined): void {
    this.#sizes.push(size);
    this.#last.push(path);
    if (this.#last.length < BLOCK) return;
    this.#blocks.push(this.#last.join(SEPARATOR));
    this.#last = [];
  }

  /** Once for each. */
  take(id: number): SentFile | undefined {
    const size = this.#sizes[id];
    if (size === undefined) return undefined;
    this.#sizes[id] = undefined;
    return {path: this.#pathOf(id), size};
  }

  #pathOf(id: number): string {
    const block = Math.floor(id / BLOCK);
    if (block === this.#blocks.length) return this.#last[id % BLOCK] ?? '';
    // They are asked for in their order, or nearly so.
    if (block !== this.#open.block) {
      this.#open = {block, paths: this.#blocks[block]?.split(SEPARATOR) ?? []};
    }
    return this.#open.paths[id % BLOCK] ?? '';
  }
}
