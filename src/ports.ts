/** Owns the ports through which commands reach the outside: files, clusters, programs, notes, signals, clocks. */
import type {Clusters, ExitStatus, ProgramOutput} from './cluster/ports.ts';
import type {InterruptSignal} from './errors.ts';
import type {Advice} from './text/advice.ts';

export interface Files {
  /** The text of a file, with its byte order mark; undefined where there is no file. */
  readText(path: string): Promise<string | undefined>;
  /** Whether `directory` is one and a file can be created in it. */
  isWritableDirectory(directory: string): boolean;
  /** What is at `path`, with links followed. */
  kindOf(path: string): 'file' | 'directory' | 'missing';
  /** A new directory that only this user can enter. It is removed when the process ends, whatever ends it. */
  makePrivateDirectory(): Promise<string>;
  /** Writes a file that only this user can read. */
  writePrivate(path: string, text: string): Promise<void>;
  /** Copies a file, byte for byte, to one that only this user can read. Throws `usage` if `from` cannot be read. */
  copyPrivate(from: string, to: string): Promise<void>;
  /** Creates a directory that only this user can enter, and its missing parents. */
  makeDirectory(path: string): Promise<void>;
  /** Removes a file or a whole directory, if there is one. */
  remove(path: string): Promise<void>;
  /** Replaces the file in one step: at every moment either the old one or the whole new one is there. */
  replace(path: string, text: string): Promise<void>;
  join(...parts: string[]): string;
  dirname(path: string): string;
  basename(path: string): string;
}

/** Our standard input; it can be read once. */
export interface Input {
  /** Reads all of it into a new file that only this user can read. Throws `Interrupted`. */
  save(path: string): Promise<void>;
}

export interface DelegateRun {
  readonly program: string;
  readonly argv: readonly string[];
  /** Changes to the environment of the delegate; undefined unsets a variable. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** When aborted, it ends the delegate as a signal would. */
  readonly stop?: AbortSignal;
  /** `result`: the delegate's standard output is the result and goes to ours. */
  readonly stdout: 'result' | 'stderr';
  /** The file for its standard input; without one it gets our own. */
  readonly input?: string;
  /**
   * `shown`: the delegate writes to our terminal or log itself. `watched`: `observe` sees the bytes on their way there.
   * `held`: the file `spool` keeps them, and they are shown if the build fails.
   */
  readonly progress:
    | {readonly mode: 'shown'}
    | {readonly mode: 'watched'; readonly observe: (chunk: Uint8Array) => void}
    | {readonly mode: 'held'; readonly spool: string; readonly observe: (chunk: Uint8Array) => void};
}

export interface Delegate {
  /** Absolute path of `kubectl-build`; undefined where PATH has none. */
  find(): Promise<string | undefined>;
  /** Starts it and waits for its end. It gets our first signal as well; the second one kills it. */
  run(run: DelegateRun): Promise<ExitStatus>;
}

/** Other programs on PATH, for what they report about themselves. */
export interface Programs {
  /** The entries of PATH as they are. */
  readonly path: readonly string[];
  /** Absolute path of the program called `name`; undefined where PATH has none. */
  find(name: string): Promise<string | undefined>;
  /** Every file of that name on PATH, in its order; several paths to one file count once. */
  findAll(name: string): Promise<readonly string[]>;
  /** The first few thousand bytes of a file as text; empty where it cannot be read. */
  readStart(path: string): Promise<string>;
  /**
   * Runs a program for its output, which is short, for at most `timeout` milliseconds. `env` changes its environment.
   * A program that cannot be started has no exit code, and the reason is in `stderr`. Throws `Interrupted`.
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

export interface Interruption {
  /** The first signal that arrived, if any. */
  readonly signal: InterruptSignal | undefined;
  /** Throws `Interrupted` if a signal arrived. */
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
  /** Asks a question on the terminal; false where there is no terminal. */
  readonly confirm: (question: string) => Promise<boolean>;
  /** Milliseconds since the epoch. */
  readonly wallClock: () => number;
  /** Milliseconds since some fixed moment. */
  readonly now: () => number;
  /** Resolves after the given milliseconds, or throws `Interrupted` as soon as a signal arrives. */
  readonly sleep: (milliseconds: number) => Promise<void>;
}
