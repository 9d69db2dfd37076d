/** Owns reading a build context from the disk. */
import {
  type BigIntStats,
  closeSync,
  createReadStream,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
} from 'node:fs';
import type {ContextFiles, FileFacts} from '../context/ports.ts';

/** What is at most so large is read at once, which is several times faster than a stream. */
const SMALL = 256 * 1024;

/** Of a larger file; memory of this size is used again and again, and more of it would have to be asked of the system. */
const CHUNK = 64 * 1024;

/** Blocking calls: for a hundred thousand small files they take a quarter of the time of the others. */
export const contextDisk: ContextFiles = {
  list: (directory) => readdirSync(directory, {encoding: 'buffer'}),
  lstat: (path) => toFacts(lstatSync(path, {bigint: true})),
  readLink: (path) => readlinkSync(path, {encoding: 'buffer'}),
  read: (path, size) =>
    size <= SMALL ? readSmall(path, size) : createReadStream(path, {end: size - 1, highWaterMark: CHUNK}),
};

function* readSmall(path: string, size: number): Generator<Uint8Array> {
  const descriptor = openSync(path, 'r');
  try {
    const chunk = Buffer.allocUnsafe(size);
    let length = 0;
    while (length < size) {
      const read = readSync(descriptor, chunk, length, size - length, null);
      if (read === 0) break;
      length += read;
    }
    if (length > 0) yield chunk.subarray(0, length);
  } finally {
    closeSync(descriptor);
  }
}

function toFacts(stats: BigIntStats): FileFacts {
  const kind = kindOf(stats);
  return {
    kind,
    mode: Number(stats.mode) & 0o7777,
    size: Number(stats.size),
    modified: stats.mtimeNs,
    changed: stats.ctimeNs,
    inode: (stats.dev << 64n) + stats.ino,
    ...(kind === 'file' && stats.nlink > 1n && {identity: `${stats.dev}:${stats.ino}`}),
    ...(kind.endsWith('-device') && {device: Number(stats.rdev)}),
  };
}

function kindOf(stats: BigIntStats): FileFacts['kind'] {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'directory';
  if (stats.isSymbolicLink()) return 'symlink';
  if (stats.isFIFO()) return 'fifo';
  if (stats.isSocket()) return 'socket';
  return stats.isBlockDevice() ? 'block-device' : 'character-device';
}
