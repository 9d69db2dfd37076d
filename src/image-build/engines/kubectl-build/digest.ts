/** Owns the image's digest: whether the plugin writes it to a file or into its progress, and finding it there. */
import {TiltbuildError} from '../../../errors.ts';
import type {Files} from '../../../ports.ts';
import {advise, flag} from '../../../text/advice.ts';
import {LineSplitter} from '../../../text/line-splitter.ts';
import type {BuildRequest} from '../../build-request.ts';

/** Where the digest is after the build. */
export type DigestSource =
  | {readonly from: 'image-id-file'; readonly path: string}
  | {readonly from: 'progress'}
  /** The build makes no image (local and tar outputs). */
  | {readonly from: 'nowhere'};

/** The plugin refuses --iidfile with any --platform, and with local and tar outputs (recordings). */
export function chooseDigestSource(
  {destination, platforms}: BuildRequest,
  privatePath: (name: string) => string,
): DigestSource {
  if (destination.kind === 'files') return {from: 'nowhere'};
  if (platforms.length > 0) return {from: 'progress'};
  return {from: 'image-id-file', path: privatePath('image-id')};
}

/** The digest after a build that succeeded; undefined where it has none. Throws `digest-missing`. */
export async function findDigest(
  source: DigestSource,
  {destination}: BuildRequest,
  progress: ProgressDigest,
  files: Files,
): Promise<string | undefined> {
  const digest =
    source.from === 'image-id-file'
      ? readDigest((await files.readText(source.path)) ?? '')
      : source.from === 'progress'
        ? progress.digest()
        : undefined;
  // An archive is the user's file already; only some versions of BuildKit print its digest.
  const isOptional = source.from === 'nowhere' || destination.kind === 'archive';
  if (digest !== undefined || isOptional) return digest;
  throw new TiltbuildError(
    'digest-missing',
    'The build succeeded, but kubectl build did not report the digest of the image.',
    {
      remedy: [advise`The image exists under its tags. To see the command that ran, use ${flag('verbose')}.`],
    },
  );
}

/** go-digest's canonical form; BuildKit's exporter makes no other. */
const DIGEST = /^sha256:[0-9a-f]{64}$/;

/**
 * `#8 exporting manifest sha256:… done`, and where there are several platforms also
 * `#8 exporting manifest list sha256:… done` (recordings, build-multi-platform). The output of a RUN step does not
 * match, since a time stands between the step's number and its output.
 */
const EXPORTED = /^#\d+ exporting manifest (list )?(sha256:[0-9a-f]{64})(?=\s|$)/;

/** The digest in an image ID file's text, or undefined where it holds none. */
export function readDigest(text: string): string | undefined {
  const trimmed = text.trim();
  return DIGEST.test(trimmed) ? trimmed : undefined;
}

/** Watches the progress, in chunks as they come, and remembers the digest that was exported. */
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
