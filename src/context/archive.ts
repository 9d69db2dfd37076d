/** Owns a build context as a tar archive, for what takes a context in no other form. */
import {Header, Pax} from 'tar';
import type {SyncedDirectory} from './directory.ts';
import type {Filter} from './filters.ts';
import type {ContextEntry} from './walk.ts';

const BLOCK = 512;

/**
 * BuildKit tells an archive from a Dockerfile by its first bytes, among which the header of an entry has to be: not only
 * the block before it that most entries have.
 */
const ROOT: ContextEntry = {path: '.', kind: 'directory', mode: 0o755, size: 0, modified: 0n, changed: 0n};

/** The archive in chunks. Owner and group are root's, as in a context that is synced. */
export async function* archiveContext(
  directory: SyncedDirectory,
  filters: readonly Filter[] = [],
): AsyncGenerator<Uint8Array> {
  yield encodeHeader(ROOT, 0);
  for (const entry of directory.walk(filters)) {
    const size = isWithContent(entry) ? entry.size : 0;
    yield encodeHeader(entry, size);
    if (size === 0) continue;
    yield* directory.read(entry);
    yield Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);
  }
  yield Buffer.alloc(2 * BLOCK);
}

function isWithContent({kind, link}: ContextEntry): boolean {
  return kind === 'file' && link === undefined;
}

function encodeHeader(entry: ContextEntry, size: number): Buffer {
  const {path, kind, mode, modified, link, device = 0} = entry;
  const data = {
    path: kind === 'directory' ? `${path}/` : path,
    mode,
    uid: 0,
    gid: 0,
    size,
    type: typeOf(entry),
    mtime: new Date(Number(modified / 1_000_000n)),
    ...(link !== undefined && {linkpath: link}),
    devmaj: (device >>> 8) & 0xfff,
    devmin: (device & 0xff) | ((device >>> 12) & 0xfff00),
  };
  const block = Buffer.alloc(BLOCK);
  const needsMore = new Header(data).encode(block);
  // A time with a fraction, or a name that is long or not ASCII, stands in a block of its own before.
  const more = needsMore || modified % 1_000_000_000n !== 0n ? new Pax(data).encode() : Buffer.alloc(0);
  return Buffer.concat([more, block]);
}

type HeaderType = NonNullable<ConstructorParameters<typeof Pax>[0]['type']>;

function typeOf({kind, link}: ContextEntry): HeaderType {
  switch (kind) {
    case 'file':
      return link === undefined ? 'File' : 'Link';
    // As in a context that is synced.
    case 'socket':
      return 'File';
    case 'directory':
      return 'Directory';
    case 'symlink':
      return 'SymbolicLink';
    case 'fifo':
      return 'FIFO';
    case 'character-device':
      return 'CharacterDevice';
    case 'block-device':
      return 'BlockDevice';
    default:
      return kind satisfies never;
  }
}
