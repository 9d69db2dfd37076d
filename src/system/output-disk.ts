/** Owns writing what a build gives back to the disk: a tree into a directory, and never beyond it. */
import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import {dirname, join, sep} from 'node:path';
import type {TreeOutput} from '../buildkit/session/outputs.ts';
import type {FileWriter} from '../ports.ts';

const {O_CREAT, O_EXCL, O_NOFOLLOW = 0, O_WRONLY} = constants;

/** The root may exist, and what is in it stays, unless the build has something of that name. */
export class OutputDirectory implements TreeOutput {
  readonly kind = 'tree';
  readonly #root: string;
  readonly #open = new Map<string, {readonly partial: string; readonly descriptor: number}>();
  #opened = 0;
  #isClosed = false;

  constructor(root: string) {
    this.#root = root;
    mkdirSync(root, {recursive: true});
  }

  async makeDirectory(path: string): Promise<void> {
    const place = this.#locate(path);
    // A link of that name could lead anywhere.
    if (!isDirectory(place)) {
      rmSync(place, {force: true});
      mkdirSync(place);
    }
    // What is in it is still to be written, and its own mode comes last.
    chmodSync(place, 0o700);
  }

  async makeLink(path: string, target: string, modified: bigint): Promise<void> {
    const place = this.#clear(path);
    symlinkSync(target, place);
    lutimesSync(place, toSeconds(modified), toSeconds(modified));
  }

  async makeHardLink(path: string, existing: string): Promise<void> {
    linkSync(this.#locate(existing), this.#clear(path));
  }

  async write(path: string, chunk: Uint8Array): Promise<void> {
    const {descriptor} = this.#open.get(path) ?? this.#openPartial(path);
    for (let at = 0; at < chunk.length; ) at += writeSync(descriptor, chunk, at);
  }

  async finishFile(path: string, mode: number, modified: bigint): Promise<void> {
    const {descriptor, partial} = this.#open.get(path) ?? this.#openPartial(path);
    this.#open.delete(path);
    try {
      fchmodSync(descriptor, mode);
      closeSync(descriptor);
      utimesSync(partial, toSeconds(modified), toSeconds(modified));
      if (isDirectory(this.#locate(path))) this.#clear(path);
      renameSync(partial, this.#locate(path));
    } catch (error) {
      rmSync(partial, {force: true});
      throw error;
    }
  }

  async finishDirectory(path: string, mode: number, modified: bigint): Promise<void> {
    chmodSync(this.#locate(path), mode);
    utimesSync(this.#locate(path), toSeconds(modified), toSeconds(modified));
  }

  /** Removes what is not complete. */
  close(): void {
    this.#isClosed = true;
    for (const {partial, descriptor} of this.#open.values()) {
      closeSync(descriptor);
      rmSync(partial, {force: true});
    }
    this.#open.clear();
  }

  #openPartial(path: string) {
    // What is still on its way when a build is cancelled would be left behind.
    if (this.#isClosed) throw new Error('the output was closed');
    this.#opened += 1;
    const partial = join(dirname(this.#locate(path)), `${PARTIAL}-${this.#opened}`);
    // One that was left by a process that was killed.
    rmSync(partial, {force: true});
    const opened = {partial, descriptor: openSync(partial, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY, 0o600)};
    this.#open.set(path, opened);
    return opened;
  }

  /** Where it belongs, with nothing there. */
  #clear(path: string): string {
    const place = this.#locate(path);
    rmSync(place, {recursive: true, force: true});
    return place;
  }

  #locate(path: string): string {
    // Characters of a name elsewhere, but of a path to somewhere else on Windows.
    if (sep === '\\' && /[\\:]/.test(path)) throw new Error(`${path} cannot be a file on Windows`);
    return join(this.#root, path);
  }
}

/** Beside the file that it becomes, so that it can be renamed; short, since that file's name may be of any length. */
const PARTIAL = '.kubectl-tiltbuild-partial';

function isDirectory(path: string): boolean {
  return lstatSync(path, {throwIfNoEntry: false})?.isDirectory() ?? false;
}

/** Node takes a floating point number. The half keeps a fraction from being a microsecond less. */
function toSeconds(nanoseconds: bigint): number {
  const microseconds = Number(nanoseconds / 1000n);
  return microseconds % 1e6 === 0 ? microseconds / 1e6 : (microseconds + 0.5) / 1e6;
}

/** An archive that goes wherever `write` takes it, such as standard output. */
export function archiveTo(write: (chunk: Uint8Array) => Promise<void>): FileWriter {
  return {kind: 'archive', write, complete: async () => undefined, close: () => undefined};
}

const STDOUT = 1;
const O_CLOEXEC = 0o2000000;

/**
 * Whether the process was started without a standard output. Bun (1.4.5, `bun_initialize_process`) then opens /dev/null
 * in its place, with a flag that no inherited descriptor has. Nothing tells it on Node, or without /proc.
 */
export function isStandardOutputClosed(): boolean {
  if (!('Bun' in globalThis)) return false;
  try {
    const flags =
      /^flags:\s+([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${STDOUT}`, 'latin1'))?.[1] ?? '0';
    return (Number.parseInt(flags, 8) & O_CLOEXEC) !== 0;
  } catch {
    return false;
  }
}
