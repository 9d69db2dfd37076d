/** Owns the disk, and is the only importer of node:fs. Private files are readable by this user only, and temporary. */
import {
  accessSync,
  constants,
  createReadStream,
  createWriteStream,
  existsSync,
  realpathSync,
  rmSync,
  statSync,
} from 'node:fs';
import {
  type FileHandle,
  mkdir,
  mkdtemp,
  open,
  readFile,
  realpath,
  rename,
  rm,
  writeFile,
} from 'node:fs/promises';
import {basename, dirname, join} from 'node:path';
import type {Readable} from 'node:stream';
import {TiltbuildError} from '../errors.ts';
import type {FileKind, Files} from '../ports.ts';
import {reasonOf} from '../system-error.ts';

/** Fails if the file is already there, even as a link. */
const PRIVATE = {mode: 0o600, flag: 'wx'} as const;

export class DiskFiles implements Files {
  readonly #temporaryRoot: string;
  readonly #privateDirectories = new Set<string>();
  readonly join = join;
  readonly dirname = dirname;
  readonly basename = basename;

  /** Private directories are created in `temporaryRoot`; `atExit` runs its argument when the process ends. */
  constructor(temporaryRoot: string, atExit: (cleanUp: () => void) => void) {
    this.#temporaryRoot = temporaryRoot;
    atExit(() => {
      for (const directory of this.#privateDirectories) rmSync(directory, {recursive: true, force: true});
    });
  }

  async readText(path: string): Promise<string | undefined> {
    try {
      return await readFile(path, 'utf8');
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw error;
    }
  }

  async readBytes(path: string): Promise<Uint8Array> {
    return await readFile(path);
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

  async makePrivateDirectory(): Promise<string> {
    // mkdtemp creates it with mode 0700.
    const directory = await this.#temporary(mkdtemp(join(this.#temporaryRoot, 'kubectl-tiltbuild-')));
    this.#privateDirectories.add(directory);
    return directory;
  }

  async writePrivate(path: string, content: string | Uint8Array): Promise<void> {
    await this.#temporary(writeFile(path, content, PRIVATE));
  }

  async makeDirectory(path: string): Promise<void> {
    await mkdir(path, {recursive: true, mode: 0o700});
  }

  async writePrivateChunks(path: string, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const {pipeline} = await import('node:stream/promises');
    const {Readable} = await import('node:stream');
    const file = createWriteStream(path, {mode: PRIVATE.mode, flags: PRIVATE.flag});
    await this.#temporary(pipeline(Readable.from(chunks), file));
  }

  /** Writes a stream to a new private file. */
  async saveStream(stream: Readable, path: string): Promise<void> {
    const {pipeline} = await import('node:stream/promises');
    await pipeline(stream, createWriteStream(path, {mode: PRIVATE.mode, flags: PRIVATE.flag}));
  }

  async remove(path: string): Promise<void> {
    await rm(path, {recursive: true, force: true});
    this.#privateDirectories.delete(path);
  }

  realPath(path: string): string {
    return realpathSync(path);
  }

  async replace(path: string, text: string): Promise<void> {
    const partial = join(dirname(path), `.${basename(path)}.${crypto.randomUUID()}`);
    try {
      await writeFile(partial, text, {flag: 'wx'});
      await rename(partial, path);
    } catch (error) {
      await rm(partial, {force: true});
      throw error;
    }
  }

  async #temporary<T>(written: Promise<T>): Promise<T> {
    return await written.catch((cause) => {
      const root = this.#temporaryRoot;
      throw new TiltbuildError(
        'temporary-files',
        `Cannot write temporary files in ${root}: ${reasonOf(cause)}.`,
        {remedy: ['Free some space there, or set TMPDIR (TEMP on Windows) to another directory.'], cause},
      );
    });
  }
}

/** A new private file, to write piece by piece. */
export async function openPrivate(path: string): Promise<FileHandle> {
  return await open(path, PRIVATE.flag, PRIVATE.mode);
}

export function readPieces(path: string): AsyncIterable<Uint8Array> {
  return createReadStream(path);
}

export async function readBytes(path: string): Promise<Buffer> {
  return await readFile(path);
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

/** The file that `path` leads to, with all links followed; `path` itself if there is none. */
export async function followLinks(path: string): Promise<string> {
  return await realpath(path).catch(() => path);
}
