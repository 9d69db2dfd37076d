/** Owns cutting a stream of bytes into lines, with bounded memory. */

export class LineSplitter {
  #line = '';
  readonly #onLine: (line: string) => void;
  readonly #longest: number;
  readonly #decoder = new TextDecoder();

  /** A line loses what it has beyond `longest` characters. */
  constructor(onLine: (line: string) => void, longest = 4096) {
    this.#onLine = onLine;
    this.#longest = longest;
  }

  /** Takes the next chunk, which may end in the middle of a line or of a character. */
  observe(chunk: Uint8Array): void {
    const lines = this.#decoder.decode(chunk, {stream: true}).split('\n');
    for (const [index, text] of lines.entries()) {
      const room = this.#longest - this.#line.length;
      if (room > 0) this.#line += text.slice(0, room);
      if (index < lines.length - 1) this.end();
    }
  }

  /** Emits the line that has no end yet. */
  end(): void {
    const line = this.#line;
    this.#line = '';
    this.#onLine(line);
  }
}
