/** Owns finding the image's digest: in the delegate's image ID file, or among its plain progress lines. */

/** What go-digest calls the canonical form; BuildKit's exporter makes no other. */
const DIGEST = /^sha256:[0-9a-f]{64}$/;

/**
 * `#8 exporting manifest sha256:… done`, and where there are several platforms also
 * `#8 exporting manifest list sha256:… done` (recordings, build-multi-platform). What a RUN step prints cannot
 * be taken for it: between the step's number and its output stands a time.
 */
const EXPORTED = /^#\d+ exporting manifest (list )?(sha256:[0-9a-f]{64})(?=\s|$)/;

/** Longest line that can be of interest; what is beyond is passed over, so that memory stays bounded. */
const LONGEST_LINE = 4096;

/** The digest in an image ID file's text, or undefined where it holds none. */
export function readDigest(text: string): string | undefined {
  const trimmed = text.trim();
  return DIGEST.test(trimmed) ? trimmed : undefined;
}

/** Watches progress as it passes, in chunks as they come, and remembers the digest that was exported. */
export class ProgressDigest {
  #line = '';
  #manifest: string | undefined;
  #list: string | undefined;
  readonly #decoder = new TextDecoder();

  observe(chunk: Uint8Array): void {
    const lines = this.#decoder.decode(chunk, {stream: true}).split('\n');
    for (const [index, text] of lines.entries()) {
      if (this.#line.length < LONGEST_LINE) this.#line += text.slice(0, LONGEST_LINE);
      if (index < lines.length - 1) this.#endLine();
    }
  }

  /** The digest of what was exported: the manifest list's where there is one, else the last manifest's. */
  digest(): string | undefined {
    this.#endLine();
    return this.#list ?? this.#manifest;
  }

  #endLine(): void {
    const found = EXPORTED.exec(this.#line);
    this.#line = '';
    if (found === null) return;
    if (found[1] === undefined) this.#manifest = found[2];
    else this.#list = found[2];
  }
}
