/** Owns what is known of a build context before it is sent. */
import type {SyncedDirectory} from './directory.ts';
import type {Filter} from './filters.ts';

export interface Survey {
  readonly files: number;
  readonly bytes: number;
  /** Whether the path that was looked for is among them. */
  readonly hasWanted: boolean;
  /** Of the paths of `--only`, those for which nothing is sent. */
  readonly unmatched: readonly string[];
  /** The bytes of the files in each directory, without those below it. */
  readonly directories: ReadonlyMap<string, number>;
}

export function surveyContext(
  directory: SyncedDirectory,
  filters: readonly Filter[],
  wanted?: string,
  onlyPaths: readonly string[] = [],
): Survey {
  let files = 0;
  let bytes = 0;
  let hasWanted = false;
  let unmatched = onlyPaths;
  const directories = new Map<string, number>();
  for (const {path, kind, size} of directory.walk(filters)) {
    if (path === wanted) hasWanted = true;
    // Most builds have none, or find all of them soon.
    if (unmatched.length > 0)
      unmatched = unmatched.filter((one) => path !== one && !path.startsWith(`${one}/`));
    if (kind !== 'file') continue;
    files += 1;
    bytes += size;
    const parent = path.slice(0, Math.max(path.lastIndexOf('/'), 0));
    directories.set(parent, (directories.get(parent) ?? 0) + size);
  }
  return {files, bytes, hasWanted, unmatched, directories};
}

/** Two headers, the time with its fraction, and on average half a block at the end of the content. */
const BYTES_AROUND = 3.5 * 512;

/** How large it is as an archive, about, in bytes. */
export function estimateArchive({files, bytes}: Pick<Survey, 'files' | 'bytes'>): number {
  return bytes + files * BYTES_AROUND;
}
