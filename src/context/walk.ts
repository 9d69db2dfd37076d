/** Owns the walk through a build context: what is sent of it, in the order that BuildKit demands. */
import {TiltbuildError} from '../errors.ts';
import {reasonOf} from '../system-error.ts';
import type {Filter, FilterState} from './filters.ts';
import type {ContextFiles, FileFacts} from './ports.ts';

/** One path of a context; its directory came before it. */
export interface ContextEntry extends FileFacts {
  /** Relative, with slashes. */
  readonly path: string;
  /** The target of a symbolic link, or the path of an earlier entry that is the same file. */
  readonly link?: string;
}

export interface WalkedContext {
  /** The platform's own path of the directory. */
  readonly root: string;
  readonly filters: readonly Filter[];
  readonly files: ContextFiles;
}

/** A directory on the way that has not been sent: nothing below it has passed so far. */
interface Level {
  readonly entry: ContextEntry;
  sent: boolean;
}

/**
 * Depth first, in byte order within a directory, as fsutil's receiver insists. A directory that does not pass itself is
 * sent with the first thing below it that does. Throws `usage` for a name that is not UTF-8 and for what cannot be read.
 */
export function* walkContext(context: WalkedContext): Generator<ContextEntry> {
  const states = context.filters.map((): FilterState => []);
  yield* walkDirectory(context, '', states, [], new Map());
}

function* walkDirectory(
  context: WalkedContext,
  directory: string,
  states: readonly FilterState[],
  levels: readonly Level[],
  sentFiles: Map<string, string>,
): Generator<ContextEntry> {
  for (const name of listSorted(context, directory)) {
    const path = directory === '' ? name : `${directory}/${name}`;
    const judged = context.filters.map((filter, index) => filter.judge(path, states[index] ?? []));
    const passes = judged.every(({passes}) => passes);
    const facts = look(context, path, passes);
    if (facts === undefined) continue;
    const entry =
      facts.kind === 'symlink' ? {...facts, path, link: readLink(context, path)} : {...facts, path};
    const level = {entry, sent: passes};
    if (passes) {
      for (const above of levels.filter(({sent}) => !sent)) {
        above.sent = true;
        yield above.entry;
      }
      yield joinHardLinks(entry, sentFiles);
    }
    if (facts.kind !== 'directory') continue;
    const goesOn = context.filters.every(
      (filter, index) => judged[index]?.passes || filter.mayPassBelow(path),
    );
    if (!goesOn) continue;
    const below = judged.map(({state}) => state);
    yield* walkDirectory(context, path, below, [...levels, level], sentFiles);
  }
}

/** The second and later names of a file are links to the first one that was sent. */
function joinHardLinks(entry: ContextEntry, sentFiles: Map<string, string>): ContextEntry {
  if (entry.kind !== 'file' || entry.identity === undefined) return entry;
  const first = sentFiles.get(entry.identity);
  if (first !== undefined) return {...entry, size: 0, link: first};
  sentFiles.set(entry.identity, entry.path);
  return entry;
}

/** Undefined for what went away meanwhile, and for what is not sent and may not be looked at. */
function look({files, root}: WalkedContext, path: string, passes: boolean): FileFacts | undefined {
  try {
    return files.lstat(nativePath(root, path));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || (!passes && code === 'EACCES')) return undefined;
    throw unreadable(path, error);
  }
}

function listSorted({files, root}: WalkedContext, directory: string): readonly string[] {
  try {
    const names = files.list(nativePath(root, directory)).map((name) => Buffer.from(name));
    return names.sort(Buffer.compare).map((name) => decode(name, directory));
  } catch (error) {
    if (error instanceof TiltbuildError) throw error;
    // The directory went away after it was listed itself.
    if (directory !== '' && (error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw unreadable(directory || '.', error);
  }
}

function readLink({files, root}: WalkedContext, path: string): string {
  try {
    return decode(Buffer.from(files.readLink(nativePath(root, path))), path);
  } catch (error) {
    throw error instanceof TiltbuildError ? error : unreadable(path, error);
  }
}

/** BuildKit's messages hold text, and no other bytes. */
function decode(name: Buffer, where: string): string {
  const text = name.toString('utf8');
  if (Buffer.from(text, 'utf8').equals(name)) return text;
  const shown = JSON.stringify(name.toString('latin1'));
  throw new TiltbuildError(
    'usage',
    `The build context has a name that is not UTF-8: ${shown} in ${JSON.stringify(where || '.')}.`,
    {remedy: ['Rename the file, or exclude the directory that it is in with a .dockerignore file.']},
  );
}

export const MAKE_READABLE = 'Make it readable, or list it in .dockerignore.';

function unreadable(path: string, cause: unknown): TiltbuildError {
  return new TiltbuildError('usage', `Could not read "${path}" in the build context: ${reasonOf(cause)}.`, {
    remedy: [MAKE_READABLE],
    cause,
  });
}

/** Node takes slashes on every platform. */
export function nativePath(root: string, path: string): string {
  return path === '' ? root : `${root.replace(/\/$/, '')}/${path}`;
}
