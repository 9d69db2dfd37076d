/** Owns the files that results go to: replaced as a whole where that is possible, and written as they are elsewhere. */
import {
  accessSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  openSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  truncateSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import {type FileHandle, open} from 'node:fs/promises';
import {basename, dirname, join, resolve} from 'node:path';
import type {FileWriter, ResultPlace} from '../ports.ts';
import {reasonOf} from '../system-error.ts';

const {O_NONBLOCK = 0, O_TRUNC, O_WRONLY, W_OK, X_OK} = constants;

/** What is at the end of a path, links followed. */
type Found =
  | {readonly kind: 'descriptor'; readonly number: number}
  | {readonly kind: 'device' | 'fifo'; readonly path: string}
  /** A file that can be written, but not replaced. */
  | {readonly kind: 'in place'; readonly path: string; readonly stats: Stats}
  /** A file that can be replaced or created. */
  | {readonly kind: 'whole'; readonly path: string; readonly stats?: Stats}
  | {readonly kind: 'unusable'; readonly error: Error};

export function locateResult(path: string, uid: number | undefined): ResultPlace {
  let found = find(path, uid);
  return {
    get fault() {
      return found.kind === 'unusable' ? describeFault(found.error, path) : undefined;
    },
    get identity() {
      return identify(found);
    },
    clear: () => {
      found = clear(found);
    },
    open: () => openFound(found),
  };
}

/** Throws the system's error. */
export function openResult(path: string, uid: number | undefined): FileWriter {
  return openFound(find(path, uid));
}

/** A file that appears under its name once it is complete, with the owner and the mode of the one before. */
export function replaceFile(path: string, before?: Stats): FileWriter {
  // Beside it, to be renamed, and short, since the name of the file may be of any length.
  const partial = join(dirname(path), `.kubectl-tiltbuild-partial-${basename(path).slice(0, 50)}`);
  rmSync(partial, {force: true});
  const descriptor = openSync(partial, 'wx', before === undefined ? 0o666 : 0o600);
  const writer = writeTo(descriptor, () => renameSync(partial, path));
  const close = () => {
    writer.close();
    rmSync(partial, {force: true});
  };
  try {
    if (before !== undefined) keepOwner(descriptor, before);
  } catch (error) {
    close();
    throw error;
  }
  return {...writer, close};
}

function find(path: string, uid: number | undefined): Found {
  try {
    const end = followLinks(path);
    if (typeof end === 'number') {
      fstatSync(end);
      return {kind: 'descriptor', number: end};
    }
    const stats = statSync(end, {throwIfNoEntry: false});
    if (stats?.isDirectory()) throw new Error('it is a directory');
    if (stats?.isSocket()) throw new Error('it is a socket');
    if (stats !== undefined && !stats.isFile()) {
      accessSync(end, W_OK);
      return {kind: stats.isFIFO() ? 'fifo' : 'device', path: end};
    }
    const isReplaceable = isWritable(dirname(end)) && (stats === undefined || isOurs(stats, uid));
    if (isReplaceable) return {kind: 'whole', path: end, ...(stats && {stats})};
    if (stats === undefined) throw new Error(`"${dirname(end)}" is not writable`);
    accessSync(end, W_OK);
    return {kind: 'in place', path: end, stats};
  } catch (error) {
    return {kind: 'unusable', error: error as Error};
  }
}

/** A file of somebody else would become ours, and a hard link would be separated from the others. */
function isOurs({uid: owner, nlink}: Stats, uid: number | undefined): boolean {
  return nlink === 1 && (uid === undefined || uid === 0 || owner === uid);
}

const DESCRIPTOR = /^\/(?:dev|proc\/self)\/fd\/(\d+)$/;

/** A descriptor of ours, or the path that is no link any more; a link to nothing leads to what it names. */
function followLinks(path: string): string | number {
  let at = resolve(path);
  for (let links = 0; links < 40; links += 1) {
    const number = DESCRIPTOR.exec(at)?.[1];
    if (number !== undefined) return Number(number);
    // The trailing slash demands a directory.
    accessSync(`${dirname(at)}/`);
    at = join(realpathSync(dirname(at)), basename(at));
    const target = readLink(at);
    if (target === undefined) return at;
    at = resolve(dirname(at), target);
  }
  throw new Error('it leads through too many links');
}

function readLink(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

function isWritable(directory: string): boolean {
  try {
    accessSync(directory, W_OK | X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Undefined for what two results can go to one after the other. */
function identify(found: Found): string | undefined {
  if (found.kind !== 'whole' && found.kind !== 'in place') return undefined;
  const {path, stats} = found;
  if (stats !== undefined) return `${stats.dev}:${stats.ino}`;
  const {dev, ino} = statSync(dirname(path));
  return `${dev}:${ino}/${basename(path)}`;
}

/** Leaves no earlier result behind. */
function clear(found: Found): Found {
  if (found.kind === 'in place') truncateSync(found.path);
  if (found.kind !== 'whole' || found.stats === undefined) return found;
  const {path, stats} = found;
  try {
    unlinkSync(path);
    return found;
  } catch {
    // It is mounted there, for example.
    truncateSync(path);
    return {kind: 'in place', path, stats};
  }
}

function openFound(found: Found): FileWriter {
  switch (found.kind) {
    case 'descriptor':
      return writeToDescriptor(found.number);
    case 'device':
    case 'fifo':
      return writeThrough(found);
    case 'in place':
      return writeTo(openSync(found.path, O_WRONLY | O_TRUNC), () => undefined);
    case 'whole':
      return replaceFile(found.path, found.stats);
    case 'unusable':
      throw found.error;
    default:
      return found satisfies never;
  }
}

function describeFault(error: Error, path: string): string {
  const code = 'code' in error ? error.code : undefined;
  return code === 'ENOENT' || code === 'ENOTDIR'
    ? `there is no directory "${dirname(path)}"`
    : reasonOf(error);
}

/** A new file; `finish` is called once it is complete and closed. */
function writeTo(descriptor: number, finish: () => void): FileWriter {
  let isOpen = true;
  const close = () => {
    if (isOpen) closeSync(descriptor);
    isOpen = false;
  };
  const demandOpen = () => {
    if (!isOpen) throw new Error('the output was closed');
  };
  return {
    kind: 'archive',
    write: async (chunk) => {
      demandOpen();
      for (let at = 0; at < chunk.length; ) at += writeSync(descriptor, chunk, at);
    },
    complete: async () => {
      demandOpen();
      close();
      finish();
    },
    close,
  };
}

/** Somebody else's descriptor that we were started with: it is not ours to close, and a pipe may be full. */
function writeToDescriptor(descriptor: number): FileWriter {
  return {
    kind: 'archive',
    write: async (chunk) => {
      for (let at = 0; at < chunk.length; ) {
        try {
          at += writeSync(descriptor, chunk, at);
        } catch (error) {
          if (!hasCode(error, 'EAGAIN')) throw error;
          await sleep(10);
        }
      }
    },
    complete: async () => undefined,
    close: () => undefined,
  };
}

/** Writing to a FIFO waits for its reader, and for room. */
function writeThrough({kind, path}: {readonly kind: 'device' | 'fifo'; readonly path: string}): FileWriter {
  let file: Promise<FileHandle> | undefined;
  const openFile = async () => {
    const waiting = kind === 'fifo' ? await waitForReader(path) : undefined;
    return await open(path, O_WRONLY).finally(() => waiting === undefined || closeSync(waiting));
  };
  const close = async () => void (await file)?.close();
  return {
    kind: 'archive',
    write: async (chunk) => {
      file ??= openFile();
      await (await file).writeFile(chunk);
    },
    complete: close,
    close: () => void close().catch(() => undefined),
  };
}

/** Node cannot end while it opens a FIFO. Gives a descriptor that keeps the reader from seeing an end. */
async function waitForReader(path: string): Promise<number> {
  for (;;) {
    try {
      return openSync(path, O_WRONLY | O_NONBLOCK);
    } catch (error) {
      if (!hasCode(error, 'ENXIO')) throw error;
      await sleep(50);
    }
  }
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

function keepOwner(descriptor: number, {uid, gid, mode}: Stats): void {
  const now = fstatSync(descriptor);
  if (now.uid !== uid || now.gid !== gid) fchownSync(descriptor, uid, gid);
  fchmodSync(descriptor, mode & 0o7777);
}
