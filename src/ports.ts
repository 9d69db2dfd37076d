/** Owns the ports through which commands reach the outside: files, clusters, programs, notes, signals, clocks. */
import type {Duplex} from 'node:stream';
import type {ContentStore} from './buildkit/session/content.ts';
import type {ArchiveOutput, TreeOutput} from './buildkit/session/outputs.ts';
import type {Clusters, ExitStatus, ProgramOutput} from './cluster/ports.ts';
import type {ContextFiles} from './context/ports.ts';
import type {Advice} from './text/advice.ts';

/** `other`: a pipe, socket or device. */
export type FileKind = 'file' | 'directory' | 'missing' | 'other';

export interface Files {
  /** The text of a file, with its byte order mark; undefined where there is no file. */
  readText(path: string): Promise<string | undefined>;
  /** All of what is at `path`, with links followed. Throws the system's error. */
  readBytes(path: string): Promise<Uint8Array>;
  /** Whether `directory` is one and a file can be created in it. */
  isWritableDirectory(directory: string): boolean;
  /** What is at `path`, with links followed. */
  kindOf(path: string): FileKind;
  /**
   * A new directory that only this user can enter, and that is in none of `outside`. It is removed when the process
   * ends; if that is killed, when the next one makes such a directory. Throws `temporary-files`.
   */
  makePrivateDirectory(outside?: readonly string[]): Promise<PrivateDirectory>;
  /** Writes a file that only this user can read. */
  writePrivate(path: string, text: string): Promise<void>;
  /**
   * Removes a private file that begins with `mark`, and gives what follows it. Undefined, and nothing is removed, for
   * any other file.
   */
  takePrivate(path: string, mark: string): Promise<string | undefined>;
  /** Creates a directory that only this user can enter, and its missing parents. */
  makeDirectory(path: string): Promise<void>;
  /** The same as `writePrivate`, from chunks. */
  writePrivateChunks(path: string, chunks: AsyncIterable<Uint8Array>): Promise<void>;
  /** Removes a file or a whole directory, if there is one. */
  remove(path: string): Promise<void>;
  /** Replaces the file in one step: at every moment either the old one or the whole new one is there. */
  replace(path: string, text: string): Promise<void>;
  /** Replaces the file by what `change` makes of its text, and is the only process that does so at that moment. */
  update(path: string, change: (before: string | undefined) => string): Promise<void>;
  /** Looks at a file that a result goes to. */
  locateResult(path: string): ResultPlace;
  /** Who else could replace `path` in a directory that all users share, as a clause; undefined if nobody. */
  findSquatter(path: string): string | undefined;
  /** The path with all links resolved. Throws the system's error. */
  realPath(path: string): string;
  join(...parts: string[]): string;
  dirname(path: string): string;
  basename(path: string): string;
}

export interface PrivateDirectory {
  readonly path: string;
  /** For files that may be large: another directory on a disk if `path` is in memory. */
  readonly spool: string;
  remove(): Promise<void>;
}

/** The file at the end of a path, links followed. A device or a FIFO is only ever written to. */
export interface ResultPlace {
  /** Why it cannot be written, as a clause. */
  readonly fault: string | undefined;
  /** The same for all paths to one file; undefined for a device or a FIFO. */
  readonly identity: string | undefined;
  /** Removes an earlier result, and remembers its owner and mode. Throws the system's error. */
  clear(): void;
  /** Throws the system's error. */
  open(): FileWriter;
}

export type FileWriter = ArchiveOutput & {
  /** Removes what is not complete. */
  close(): void;
};

/** Our standard input; it can be read once. */
export interface Input {
  /** Reads all of it into a new file that only this user can read. */
  save(path: string): Promise<void>;
}

export interface DelegateRun {
  readonly program: string;
  readonly argv: readonly string[];
  /** Changes to the environment of the delegate; undefined unsets a variable. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Its current directory; undefined for our own. */
  readonly cwd?: string;
  /** When aborted, it ends the delegate as a signal would. */
  readonly stop?: AbortSignal;
  /** `result`: the delegate's standard output is the result and goes to ours. */
  readonly stdout: 'result' | 'stderr';
  /** The file for its standard input; without one it gets our own. */
  readonly input?: string;
  /**
   * `shown`: the delegate writes to our terminal or log itself. `watched`: `observe` sees the bytes on their way there.
   * `read`: only `observe` sees them.
   * `held`: the file `spool` keeps them, and they are shown if the build fails.
   */
  readonly progress:
    | {readonly mode: 'shown'}
    | {readonly mode: 'watched' | 'read'; readonly observe: (chunk: Uint8Array) => void}
    | {readonly mode: 'held'; readonly spool: string; readonly observe: (chunk: Uint8Array) => void};
}

/** The program `kubectl-build`. */
export interface FoundPlugin {
  /** Absolute. */
  readonly path: string;
  /** Why it cannot be used, as a clause of which it is the subject; undefined if nothing is known against it. */
  readonly flaw?: string;
}

export interface Delegate {
  /** Undefined where PATH has no `kubectl-build`. It is read, and not run. */
  find(): Promise<FoundPlugin | undefined>;
  /** Starts it and waits for its end. It gets a signal that stops us as well, and is waited for. */
  run(run: DelegateRun): Promise<ExitStatus>;
}

/** What the builtin engine needs of the outside, besides the cluster. */
export interface BuiltinTools {
  readonly contexts: ContextFiles;
  /** An id of this machine and user, for telling apart what different machines send to one builder. */
  machine(): Promise<string>;
  random(size: number): Uint8Array;
  /** Opens a directory for a build's files. */
  openTree(path: string): TreeOutput & {close(): void};
  /** Opens a file, or with `-` standard output, for an archive. A file appears under its name once it is complete. */
  openArchive(path: string): FileWriter;
  /** The blobs of the OCI layout in a directory, which does not have to be there. */
  openBlobs(path: string): ContentStore;
  /** Connects to an SSH agent's socket. Rejects with the system's error. */
  connectAgent(path: string): Promise<Duplex>;
  /** Shows progress; resolves when it was taken. */
  show(text: string): Promise<void>;
  /** Of the terminal that shows the progress. */
  terminalSize(): {readonly columns: number; readonly rows: number};
  /** Calls back again and again until it is stopped. */
  every(milliseconds: number, callback: () => void): () => void;
}

/** Other programs on PATH, for what they report about themselves. */
export interface Programs {
  /** The entries of PATH as they are. */
  readonly path: readonly string[];
  /** Absolute path of the program called `name`; undefined where PATH has none. */
  find(name: string): Promise<string | undefined>;
  /** Every file of that name on PATH, in its order; several paths to one file count once. */
  findAll(name: string): Promise<readonly string[]>;
  /**
   * Runs a program for its output, which is short, for at most `timeout` milliseconds. `env` changes its environment.
   * A program that cannot be started has no exit code, and the reason is in `stderr`.
   */
  run(
    program: string,
    args: readonly string[],
    options: {readonly timeout: number; readonly env?: Readonly<Record<string, string>>},
  ): Promise<ProgramOutput>;
}

/** Where notes for the user go: one line each, and never the result. */
export interface Notes {
  /** Something that the user should know although nothing is wrong. */
  note(text: Advice): void;
  /** Something for --verbose. */
  detail(text: string): void;
}

/** A signal or the time limit stops all work at once and wherever it is, so no port has to know of it. */
export interface Ports {
  readonly files: Files;
  readonly input: Input;
  readonly clusters: Clusters;
  readonly delegate: Delegate;
  readonly programs: Programs;
  readonly builtin: BuiltinTools;
  readonly notes: Notes;
  /**
   * Runs work that ends by itself when it is stopped, and may take some seconds for it: a build that is cancelled in the
   * cluster. Throws the reason of the stop once there was one, whatever the work gives.
   */
  readonly withGrace: <T>(work: (stop: AbortSignal) => Promise<T>) => Promise<T>;
  /** Asks a question on the terminal; false where there is no terminal. */
  readonly confirm: (question: string) => Promise<boolean>;
  /** Milliseconds since the epoch. */
  readonly wallClock: () => number;
  /** Milliseconds since the program started. */
  readonly now: () => number;
  /**
   * Resolves after the given milliseconds. `waitsFor` is what the user waits for meanwhile; without it, the time is only
   * a limit for something else.
   */
  readonly sleep: (milliseconds: number, waitsFor?: 'builder') => Promise<void>;
}
