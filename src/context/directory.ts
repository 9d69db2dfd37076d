/** Owns a directory on the disk as what is sent of it: walked, read, and its links followed. */
import {TiltbuildError} from '../errors.ts';
import {isDenied, reasonOf} from '../system-error.ts';
import type {Filter} from './filters.ts';
import type {LinkReader} from './follow-links.ts';
import type {ContextFiles} from './ports.ts';
import {type ContextEntry, MAKE_READABLE, nativePath, walkContext} from './walk.ts';

export interface SyncedDirectory extends LinkReader {
  walk(filters: readonly Filter[]): Iterable<ContextEntry>;
  /** The content of a file as it was walked. Throws `usage` where it went or shrank since. */
  read(file: Pick<ContextEntry, 'path' | 'size'>): AsyncIterable<Uint8Array>;
  /** The same without the filters that apply to all that is ever sent of it. */
  readonly whole?: SyncedDirectory;
}

/** `filters` apply to all that is ever sent of it. */
export function syncDirectory(
  root: string,
  files: ContextFiles,
  filters: readonly Filter[] = [],
): SyncedDirectory {
  return {
    ...(filters.length > 0 && {whole: syncDirectory(root, files)}),
    walk: (more) => walkContext({root, files, filters: [...filters, ...more]}),
    read: (entry) => readWhole(nativePath(root, entry.path), entry, files),
    list: (path) => ifThere(() => files.list(locate(root, path)).map((name) => Buffer.from(name).toString())),
    readLink: (path) => ifThere(() => Buffer.from(files.readLink(locate(root, path))).toString()),
  };
}

/** A directory with one file, which is in memory. `inode` tells it from other texts. */
export function syncText(
  path: string,
  text: string,
  {modified, inode}: Pick<ContextEntry, 'modified' | 'inode'>,
): SyncedDirectory {
  const content = Buffer.from(text);
  const entry: ContextEntry = {
    path,
    kind: 'file',
    mode: 0o644,
    size: content.length,
    modified,
    changed: modified,
    inode,
  };
  return {
    walk: (filters) => (filters.every((filter) => filter.judge(path, []).passes) ? [entry] : []),
    async *read() {
      yield content;
    },
    list: (directory) => (directory === '.' ? [path] : undefined),
    readLink: () => undefined,
  };
}

/** The directory with a text as that file, which comes last where the directory has no such file. */
export function withText(
  directory: SyncedDirectory,
  path: string,
  text: string,
  stamp: Parameters<typeof syncText>[2],
): SyncedDirectory {
  const own = syncText(path, text, stamp);
  return {
    ...directory,
    *walk(filters) {
      let isThere = false;
      for (const entry of directory.walk(filters)) {
        const isIt = entry.path === path;
        isThere ||= isIt;
        yield* isIt ? own.walk([]) : [entry];
      }
      if (!isThere) yield* own.walk([]);
    },
    read: (file) => (file.path === path ? own : directory).read(file),
    readLink: (other) => (other === path ? undefined : directory.readLink(other)),
  };
}

function locate(root: string, path: string): string {
  return nativePath(root, path === '.' ? '' : path);
}

function ifThere<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined; // Missing, or no directory, or no link: BuildKit says what it makes of that.
  }
}

/** A file that grows while it is sent, such as a log, is sent as it was when the walk met it. */
async function* readWhole(
  path: string,
  {path: shown, size}: Pick<ContextEntry, 'path' | 'size'>,
  files: ContextFiles,
) {
  let rest = size;
  try {
    if (size > 0) {
      for await (const chunk of files.read(path, size)) {
        rest -= chunk.length;
        yield chunk;
      }
    }
  } catch (cause) {
    throw unreadable(shown, `could not be read: ${reasonOf(cause)}`, cause);
  }
  if (rest > 0) throw unreadable(shown, `became ${rest} bytes shorter while it was sent`);
}

function unreadable(path: string, what: string, cause?: unknown): TiltbuildError {
  return new TiltbuildError('usage', `The file "${path}" of the build context ${what}.`, {
    remedy: [
      isDenied(cause) ? MAKE_READABLE : 'Build again once it no longer changes, or list it in .dockerignore.',
    ],
    cause,
  });
}
