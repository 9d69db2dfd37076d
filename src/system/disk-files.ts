/** Owns the files that commands read and write. Private files are readable by this user only, and temporary. */
import {
  accessSync,
  constants,
  createReadStream,
  createWriteStream,
  existsSync,
  realpathSync,
  statSync,
} from 'node:fs';
import {type FileHandle, mkdir, open, readFile, realpath, rm, writeFile} from 'node:fs/promises';
import {basename, dirname, join} from 'node:path';
import type {Readable} from 'node:stream';
import {TiltbuildError} from '../errors.ts';
import type {FileKind, Files, PrivateDirectory, ResultPlace} from '../ports.ts';
import {describeSystemError, isMissing} from '../system-error.ts';
import {type PrivateDirectories, unwritable} from './private-directory.ts';
import {findSquatter} from './private-root.ts';
import {locateResult, replaceFile} from './result-file.ts';

/** Fails if the file is already there, even as a link. */
const PRIVATE = {mode: 0o600, flag: 'wx'} as const;

export class DiskFiles implements Files {
  readonly #privates: PrivateDirectories;
  readonly #uid: number | undefined;
  readonly join = join;
  readonly dirname = dirname;
  readonly basename = basename;

  constructor(privates: PrivateDirectories, uid: number | undefined) {
    this.#privates = privates;
    this.#uid = uid;
  }

  async readText(path: string): Promise<string | undefined> {
    try {
      return (await readBytes(path)).toString('utf8');
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  async readBytes(path: string): Promise<Uint8Array> {
    return await readBytes(path);
  }

  kindOf(path: string): FileKind {
    try {
      const stats = statSync(path);
      if (stats.isDirectory()) return 'directory';
      return stats.isFile() ? 'file' : 'other';
    } catch {
      return 'missing';
    }
  }

  isWritableDirectory(directory: string): boolean {
    try {
      accessSync(directory, constants.W_OK);
      return statSync(directory).isDirectory();
    } catch {
      return false;
    }
  }

  async makePrivateDirectory(outside: readonly string[] = []): Promise<PrivateDirectory> {
    return this.#privates.make(outside);
  }

  async writePrivate(path: string, content: string | Uint8Array): Promise<void> {
    await temporary(path, writeFile(path, content, PRIVATE));
  }

  async takePrivate(path: string, mark: string): Promise<string | undefined> {
    if (!this.#privates.owns(path)) return undefined;
    const text = await readFile(path, 'utf8');
    if (!text.startsWith(mark)) return undefined;
    await rm(path);
    return text.slice(mark.length);
  }

  async makeDirectory(path: string): Promise<void> {
    await mkdir(path, {recursive: true, mode: 0o700});
  }

  async writePrivateChunks(path: string, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const {pipeline} = await import('node:stream/promises');
    const {Readable} = await import('node:stream');
    const file = createWriteStream(path, {mode: PRIVATE.mode, flags: PRIVATE.flag});
    await temporary(path, pipeline(Readable.from(chunks), file));
  }

  /** Writes a stream to a new private file. */
  async saveStream(stream: Readable, path: string): Promise<void> {
    const {pipeline} = await import('node:stream/promises');
    await pipeline(stream, createWriteStream(path, {mode: PRIVATE.mode, flags: PRIVATE.flag}));
  }

  async remove(path: string): Promise<void> {
    await rm(path, {recursive: true, force: true});
  }

  realPath(path: string): string {
    return realpathSync(path);
  }

  async replace(path: string, text: string): Promise<void> {
    const writer = replaceFile(path);
    try {
      await writer.write(Buffer.from(text));
      await writer.complete();
    } finally {
      writer.close();
    }
  }

  async update(path: string, change: (before: string | undefined) => string): Promise<void> {
    const {whileLocked} = await import('./update-file.ts');
    await whileLocked(path, async () => await this.replace(path, change(await this.readText(path))));
  }

  locateResult(path: string): ResultPlace {
    return locateResult(path, this.#uid);
  }

  findSquatter(path: string): string | undefined {
    return findSquatter(path, this.#uid);
  }
}

async function temporary<T>(path: string, written: Promise<T>): Promise<T> {
  return await written.catch((cause) => {
    // What was to be written could not be read.
    if (cause instanceof TiltbuildError) throw cause;
    throw unwritable(dirname(dirname(path)), cause);
  });
}

/** A new private file, to write piece by piece. */
export async function openPrivate(path: string): Promise<FileHandle> {
  return await open(path, PRIVATE.flag, PRIVATE.mode);
}

export async function openToRead(path: string): Promise<FileHandle> {
  return await open(path);
}

export function readPieces(path: string): AsyncIterable<Uint8Array> {
  return createReadStream(path);
}

/** In bytes. What is read as a whole is a key, a secret or a configuration; a device may have no end. */
const LONGEST_FILE = 64 * 1024 * 1024;

export async function readBytes(path: string): Promise<Buffer> {
  const stats = statSync(path);
  if (stats.isFile() && stats.size <= LONGEST_FILE) return await readFile(path);
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of readPieces(path)) {
    size += piece.length;
    if (size > LONGEST_FILE)
      throw describeSystemError(Object.assign(new Error(), {code: 'EFBIG', syscall: 'read', path}));
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

/** At most the first `length` bytes of a file. */
export async function readStart(path: string, length: number): Promise<Buffer> {
  const file = await open(path);
  try {
    const {buffer, bytesRead} = await file.read(Buffer.alloc(length), 0, length, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

export function isThere(path: string): boolean {
  return existsSync(path);
}

/** Whether there is a file that this user may execute. */
export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** The file that `path` leads to, with all links followed; `path` itself if there is none. */
export async function followLinks(path: string): Promise<string> {
  return await realpath(path).catch(() => path);
}
