/** Owns bytes that have come and are not used yet: cut off in the lengths that a protocol asks for. */

/** A chunk shorter than this is joined to the one before it, so that a million tiny ones do not take a million objects. */
const SHORT = 4_096;
const BLOCK = 16_384;
export const NO_BYTES = Buffer.alloc(0);

export class ByteQueue {
  readonly #chunks: Buffer[] = [];
  #length = 0;
  /** What is free behind the last chunk, in a block that is ours. */
  #room = 0;

  get length(): number {
    return this.#length;
  }

  push(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#length += chunk.length;
    const last = this.#chunks.at(-1);
    if (last !== undefined && chunk.length <= this.#room) this.#extend(last, chunk);
    else if (last !== undefined && last.length < SHORT && chunk.length < SHORT) {
      const block = Buffer.from(new ArrayBuffer(BLOCK), 0, last.length);
      last.copy(block);
      this.#room = BLOCK - last.length;
      this.#extend(block, chunk);
    } else {
      this.#chunks.push(chunk);
      this.#room = 0;
    }
  }

  #extend(last: Buffer, chunk: Buffer): void {
    const longer = Buffer.from(last.buffer, last.byteOffset, last.length + chunk.length);
    chunk.copy(longer, last.length);
    this.#room -= chunk.length;
    this.#chunks[this.#chunks.length - 1] = longer;
  }

  clear(): void {
    this.#chunks.length = 0;
    this.#length = 0;
    this.#room = 0;
  }

  /** What lies together in memory at the front. */
  shift(): Buffer | undefined {
    const first = this.#chunks.shift();
    if (this.#chunks.length === 0) this.#room = 0;
    this.#length -= first?.length ?? 0;
    return first;
  }

  /** The first bytes, no more than `most`, as they lie in memory. */
  takeParts(most: number): Buffer[] {
    const parts: Buffer[] = [];
    for (let room = Math.min(most, this.#length); room > 0; ) {
      const part = this.take(Math.min(room, this.#chunks[0]?.length ?? 0));
      parts.push(part);
      room -= part.length;
    }
    return parts;
  }

  /** The first `length` bytes, of which there have to be as many; copied only where they lie in several chunks. */
  take(length: number): Buffer {
    if (length > this.#length) throw new RangeError(`${length} of ${this.#length} bytes`);
    const first = this.#chunks[0] ?? NO_BYTES;
    if (length < first.length) {
      this.#chunks[0] = first.subarray(length);
      this.#length -= length;
      return first.subarray(0, length);
    }
    if (length === first.length) return this.shift() ?? NO_BYTES;
    const taken = Buffer.allocUnsafe(length);
    for (let filled = 0; filled < length; ) {
      const part = this.take(Math.min(length - filled, this.#chunks[0]?.length ?? 0));
      filled += part.copy(taken, filled);
    }
    return taken;
  }
}
