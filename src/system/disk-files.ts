/** Owns the disk: the only importer of node:fs. Private files are made private, and do not outlive the process. */
import {accessSync, constants, createReadStream, createWriteStream, rmSync, statSync} from 'node:fs';
import {mkdir, mkdtemp, open, readFile, realpath, rename, rm, writeFile} from 'node:fs/promises';
import {basename, dirname, join} from 'node:path';
import type {Readable} from 'node:stream';
import {TiltbuildError} from '../errors.ts';
import type {Files} from '../ports.ts';
import {reasonOf} from '../system-error.ts';

export class DiskFiles implements Files {
  readonly #temporaryRoot: string;
  readonly #privateDirectories = new Set<string>();

  /** `temporaryRoot` is where private directories are made; `atExit` runs its argument when the process ends. */
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
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  kindOf(path: string): 'file' | 'directory' | 'missing' {
    try {
      return statSync(path).isDirectory() ? 'directory' : 'file';
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
    try {
      // mkdtemp makes it with mode 0700.
      const directory = await mkdtemp(join(this.#temporaryRoot, 'kubectl-tiltbuild-'));
      this.#privateDirectories.add(directory);
      return directory;
    } catch (error) {
      throw noTemporaryFiles(this.#temporaryRoot, error);
    }
  }

  async writePrivate(path: string, text: string): Promise<void> {
    await this.#writeNew(path, text);
  }

  async copyPrivate(from: string, to: string): Promise<void> {
    let content: Buffer;
    try {
      content = await readFile(from);
    } catch (cause) {
      throw new TiltbuildError('usage', `"${from}" cannot be read: ${reasonOf(cause)}.`, {cause});
    }
    await this.#writeNew(to, content);
  }

  async makeDirectory(path: string): Promise<void> {
    await mkdir(path, {recursive: true, mode: 0o700});
  }

  /** Writes what a stream gives, to its end, to a new file that only this user can read. */
  async saveStream(stream: Readable, path: string): Promise<void> {
    const {pipeline} = await import('node:stream/promises');
    await pipeline(stream, createWriteStream(path, {mode: 0o600, flags: 'wx'}));
  }

  async remove(path: string): Promise<void> {
    await rm(path, {recursive: true, force: true});
    this.#privateDirectories.delete(path);
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

  join(...parts: string[]): string {
    return join(...parts);
  }

  dirname(path: string): string {
    return dirname(path);
  }

  basename(path: string): string {
    return basename(path);
  }

  async #writeNew(path: string, content: string | Buffer): Promise<void> {
    try {
      await writeFile(path, content, {mode: 0o600, flag: 'wx'});
    } catch (error) {
      throw noTemporaryFiles(this.#temporaryRoot, error);
    }
  }
}

/** A private file that is written in pieces, each waited for, and read back in pieces. */
export interface Spool {
  write(chunk: Uint8Array): Promise<void>;
  close(): Promise<void>;
  read(): AsyncIterable<Uint8Array>;
}

export function openSpool(path: string): Spool {
  const stream = createWriteStream(path, {mode: 0o600, flags: 'wx'});
  const settled = (start: (done: (error?: Error | null) => void) => void) =>
    new Promise<void>((resolve, reject) => {
      start((error) => (error ? reject(error) : resolve()));
    });
  stream.on('error', () => {}); // each write reports its own failure
  return {
    write: (chunk) => settled((done) => stream.write(chunk, done)),
    close: () => settled((done) => stream.end(done)),
    read: () => createReadStream(path),
  };
}

/** A credential's file, as it is. */
export async function readBytes(path: string): Promise<Buffer> {
  return await readFile(path);
}

/** The first `length` bytes of a file, or all that it has. */
export async function readStart(path: string, length: number): Promise<string> {
  const file = await open(path);
  try {
    const {buffer, bytesRead} = await file.read(Buffer.alloc(length), 0, length, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}

/** The file that `path` leads to, all links followed; `path` itself where it leads to none. */
export async function followLinks(path: string): Promise<string> {
  return await realpath(path).catch(() => path);
}

function noTemporaryFiles(root: string, cause: unknown): TiltbuildError {
  return new TiltbuildError(
    'temporary-files',
    `No temporary file can be written in ${root}: ${reasonOf(cause)}.`,
    {
      remedy: ['Free some space there, or name another directory with TMPDIR (TEMP on Windows).'],
      cause,
    },
  );
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
