/** Owns the result of a build: its forms on standard output, and the files that it is written to. */
import type {Product} from '../cluster/product.ts';
import {TiltbuildError} from '../errors.ts';
import type {Files, ResultPlace} from '../ports.ts';
import {reasonOf} from '../system-error.ts';
import {formatJson} from '../text/show-text.ts';
import type {BuildRequest, EngineName, PrintForm} from './build-request.ts';
import type {NodeResult} from './node-results.ts';

export interface BuildResult {
  /** `sha256:…` of the manifest, or of the manifest list; undefined where the build makes no image. */
  readonly digest: string | undefined;
  /** `NAME:TAG` with the tag made from the digest; null where none was asked for. */
  readonly reference: string | null;
  /** The canonical names that the image carries, that of `reference` first. */
  readonly references: readonly string[];
  readonly product: Product;
  readonly context: string;
  readonly namespace: string;
  readonly builder: string;
  /** The node on which it was built; null where that is not known. */
  readonly node: string | null;
  /** The nodes that the image is for; empty if it is not for nodes, or they are not known. */
  readonly nodes: readonly NodeOutcome[];
  /** What built it, and why that was chosen. */
  readonly engine: EngineName;
  readonly engineReason: string;
  /** Name of the pull secret; null for none. */
  readonly pullSecret: string | null;
  /** How long the whole run took, to the millisecond. */
  readonly seconds: number;
}

/** What became of the image on a node, and how many bytes were sent to it. */
export type NodeOutcome = Pick<NodeResult, 'name' | 'state' | 'bytes'>;

/** The text for standard output; empty where there is nothing to print. */
export function formatResult(result: BuildResult, form: PrintForm): string {
  switch (form) {
    case 'digest':
      return result.digest === undefined ? '' : `${result.digest}\n`;
    case 'ref':
      return result.references.map((reference) => `${reference}\n`).join('');
    case 'json':
      return formatMetadata(result);
    case 'none':
      return '';
  }
}

/** One JSON object and a newline, for a metadata file and for `--print json`. */
function formatMetadata({digest, ...rest}: BuildResult): string {
  return formatJson({digest: digest ?? null, ...rest});
}

/** A file that a flag names for the result. */
export interface ResultFile {
  readonly flag: string;
  readonly path: string;
  /** Whether missing directories above it are created. */
  readonly createsDirectory?: boolean;
  readonly format: (result: BuildResult) => string;
}

/** One that was cleared for the result to come. */
export interface ClearedFile extends ResultFile {
  readonly place: ResultPlace;
}

/** The files that `request` asks for. */
export function listResultFiles({iidFile, metadataFile, contentName}: BuildRequest): readonly ResultFile[] {
  const files: ResultFile[] = [];
  // docker's image ID file has no newline, and Tilt's reference file needs none.
  if (iidFile !== undefined)
    files.push({flag: '--iidfile', path: iidFile, format: ({digest}) => digest ?? ''});
  if (metadataFile !== undefined)
    files.push({flag: '--metadata-file', path: metadataFile, format: formatMetadata});
  // A Tiltfile names this one, and a Tiltfile cannot create a directory.
  if (contentName?.file !== undefined)
    files.push({
      flag: '--ref-file',
      path: contentName.file,
      createsDirectory: true,
      format: ({reference}) => reference ?? '',
    });
  return files;
}

/** Throws `usage` where one cannot be written, or two are the same; changes nothing. */
export function checkResultFiles(results: readonly ResultFile[], files: Files): void {
  const seen = new Map<string, string>();
  for (const {flag, path, createsDirectory} of results) {
    if (createsDirectory) {
      const squatter = files.findSquatter(path);
      if (squatter !== undefined) throw unusable(flag, path, squatter);
      if (files.kindOf(files.dirname(path)) === 'missing') continue;
    }
    const {fault, identity} = files.locateResult(path);
    if (fault !== undefined) throw unusable(flag, path, fault);
    const other = identity && seen.get(identity);
    if (other) throw new TiltbuildError('usage', `${other} and ${flag} are the same file, "${path}".`);
    if (identity) seen.set(identity, flag);
  }
}

/**
 * Makes room for files that were checked: creates their directories, and removes older files, so a build that fails
 * leaves no earlier result behind. Throws `usage`.
 */
export async function clearResultFiles(
  results: readonly ResultFile[],
  files: Files,
): Promise<readonly ClearedFile[]> {
  const cleared: ClearedFile[] = [];
  for (const result of results) {
    const {flag, path} = result;
    const directory = files.dirname(path);
    if (result.createsDirectory && files.kindOf(directory) === 'missing') {
      await files.makeDirectory(directory).catch((error: unknown) => {
        throw unusable(flag, path, `could not create "${directory}": ${reasonOf(error)}`);
      });
    }
    const place = files.locateResult(path);
    try {
      place.clear();
    } catch (error) {
      throw unusable(flag, path, reasonOf(error));
    }
    cleared.push({...result, place});
  }
  return cleared;
}

/** Writes it whole or not at all, where it is a file of its own. Throws `result-not-written`. */
export async function writeResultFile(
  {flag, path, format, place}: ClearedFile,
  result: BuildResult,
): Promise<void> {
  try {
    const writer = place.open();
    try {
      await writer.write(Buffer.from(format(result)));
      await writer.complete();
    } finally {
      writer.close();
    }
  } catch (cause) {
    throw new TiltbuildError(
      'result-not-written',
      `The image was built, but ${flag} "${path}" could not be written.`,
      {detail: [cause instanceof Error ? cause.message : String(cause)], cause},
    );
  }
}

function unusable(flag: string, path: string, why: string): TiltbuildError {
  return new TiltbuildError('usage', `${flag} "${path}" cannot be written: ${why}.`);
}
