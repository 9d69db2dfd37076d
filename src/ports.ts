/** Owns what a build asks of the outside: files, the cluster, the delegate, a place for notes, signals, a clock. */
import type {Clusters, DelegateResult, KubectlResult} from './cluster/ports.ts';
import type {InterruptSignal} from './errors.ts';
import type {Advice} from './text/advice.ts';

export interface Files {
  /** The text of a file, without a byte order mark's meaning changed; undefined where there is none. */
  readText(path: string): Promise<string | undefined>;
  /** Whether a file can be made in `directory`; false where there is none. */
  isWritableDirectory(directory: string): boolean;
  /** What is at `path`, links followed. */
  kindOf(path: string): 'file' | 'directory' | 'missing';
  /** A new directory that only this user can enter. It is gone when the process is, whatever ends it. */
  makePrivateDirectory(): Promise<string>;
  /** Writes a file that only this user can read. */
  writePrivate(path: string, text: string): Promise<void>;
  /** Copies a file, byte for byte, to one that only this user can read. Throws `usage` if it cannot be read. */
  copyPrivate(from: string, to: string): Promise<void>;
  /** Makes a directory, and those above it that are missing, that only this user can enter. */
  makeDirectory(path: string): Promise<void>;
  /** Removes a file or a whole directory; nothing there is fine. */
  remove(path: string): Promise<void>;
  /** Writes `text` so that at every moment either the old file or the whole new one is there. */
  replace(path: string, text: string): Promise<void>;
  join(...parts: string[]): string;
  dirname(path: string): string;
  basename(path: string): string;
}

/** Our standard input, which can be read once. */
export interface Input {
  /** Reads all of it into a new file that only this user can read. Throws `Interrupted`. */
  save(path: string): Promise<void>;
}

export interface DelegateRun {
  readonly program: string;
  readonly argv: readonly string[];
  /** Changes to the environment that the delegate gets; undefined takes a variable away. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted, it ends the delegate as a signal would; the reason is the caller's own. */
  readonly stop?: AbortSignal;
  /** `result`: the delegate's standard output is the result and is passed on. Else it goes to stderr. */
  readonly stdout: 'result' | 'stderr';
  /** The file that is its standard input; undefined: our own. */
  readonly input?: string;
  /**
   * `shown`: the terminal or log that we have, given to the delegate itself. `watched`: the same bytes, seen on
   * their way by `observe`. `held`: kept in the file `spool`, and shown if the build fails.
   */
  readonly progress:
    | {readonly mode: 'shown'}
    | {readonly mode: 'watched'; readonly observe: (chunk: Uint8Array) => void}
    | {readonly mode: 'held'; readonly spool: string; readonly observe: (chunk: Uint8Array) => void};
}

export interface Delegate {
  /** Absolute path of `kubectl-build`; undefined where PATH has none. */
  find(): Promise<string | undefined>;
  /** Starts it and waits. A signal meant for us is handed to it once; a second one kills it. */
  run(run: DelegateRun): Promise<DelegateResult>;
}

/** Other programs on PATH, for what they tell of themselves. */
export interface Programs {
  /** The entries of PATH as they stand. */
  readonly path: readonly string[];
  /** Absolute path of the program called `name`; undefined where PATH has none. */
  find(name: string): Promise<string | undefined>;
  /** Every file of that name on PATH, in the order of PATH; several paths to one file count once. */
  findAll(name: string): Promise<readonly string[]>;
  /** The beginning of a file as text, a few thousand bytes of it; empty where it cannot be read. */
  readStart(path: string): Promise<string>;
  /**
   * Runs it for its output, which is short, and ends it after `timeout` milliseconds. `env` changes its environment.
   * What cannot be started has no exit code, and the reason on stderr. Throws `Interrupted`.
   */
  run(
    program: string,
    args: readonly string[],
    options: {readonly timeout: number; readonly env?: Readonly<Record<string, string>>},
  ): Promise<KubectlResult>;
}

/** Where notes for the user go: one line each, never the result. */
export interface Notes {
  /** Something the user should know though nothing is wrong. */
  note(text: Advice): void;
  /** What --verbose adds. */
  detail(text: string): void;
}

export interface Interruption {
  /** The first signal that came, if any did. */
  readonly signal: InterruptSignal | undefined;
  /** Throws `Interrupted` if a signal came. */
  throwIfReceived(): void;
}

export interface Ports {
  readonly files: Files;
  readonly input: Input;
  readonly clusters: Clusters;
  readonly delegate: Delegate;
  readonly programs: Programs;
  readonly notes: Notes;
  readonly interruption: Interruption;
  /** Asks a question on the terminal; false where there is none to ask on. */
  readonly confirm: (question: string) => Promise<boolean>;
  /** Milliseconds since the epoch. */
  readonly wallClock: () => number;
  /** Milliseconds since some fixed moment. */
  readonly now: () => number;
  /** Resolves after so many milliseconds, or throws `Interrupted` as soon as a signal comes. */
  readonly sleep: (milliseconds: number) => Promise<void>;
}
