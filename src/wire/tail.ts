/** Owns what is kept of the standard error of a program that runs in a pod. */

/** It is only looked at where something fails. */
const LONGEST_STDERR = 16_384;

/** Keeps the last of what is written to it. */
export class Tail {
  #text = Buffer.alloc(0);

  add(chunk: Buffer): void {
    this.#text = Buffer.from(Buffer.concat([this.#text, chunk]).subarray(-LONGEST_STDERR));
  }

  get text(): string {
    return this.#text.toString('utf8');
  }
}
