/** Owns finding the image's digest: in the delegate's image ID file, or among its plain progress lines. */
import {LineSplitter} from '../../text/line-splitter.ts';

/** What go-digest calls the canonical form; BuildKit's exporter makes no other. */
const DIGEST = /^sha256:[0-9a-f]{64}$/;

/**
 * `#8 exporting manifest sha256:… done`, and where there are several platforms also
 * `#8 exporting manifest list sha256:… done` (recordings, build-multi-platform). What a RUN step prints cannot
 * be taken for it: between the step's number and its output stands a time.
 */
const EXPORTED = /^#\d+ exporting manifest (list )?(sha256:[0-9a-f]{64})(?=\s|$)/;

/** The digest in an image ID file's text, or undefined where it holds none. */
export function readDigest(text: string): string | undefined {
  const trimmed = text.trim();
  return DIGEST.test(trimmed) ? trimmed : undefined;
}

/** Watches progress as it passes, in chunks as they come, and remembers the digest that was exported. */
export class ProgressDigest {
  #manifest: string | undefined;
  #list: string | undefined;
  readonly #lines = new LineSplitter((line) => this.#observeLine(line));

  observe(chunk: Uint8Array): void {
    this.#lines.observe(chunk);
  }

  /** The digest of what was exported: the manifest list's where there is one, else the last manifest's. */
  digest(): string | undefined {
    this.#lines.end();
    return this.#list ?? this.#manifest;
  }

  #observeLine(line: string): void {
    const found = EXPORTED.exec(line);
    if (found === null) return;
    if (found[1] === undefined) this.#manifest = found[2];
    else this.#list = found[2];
  }
}
