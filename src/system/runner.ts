/** Owns starting other programs, and is the only importer of execa and node:child_process. It never uses a shell. */
import {type ChildProcess, spawn} from 'node:child_process';
import type {Readable, Writable} from 'node:stream';
import type {Options} from 'execa';
import type {InterruptSignal} from '../errors.ts';
import type {SignalInterruption} from './interruption.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** How a program ended: its exit code, or the signal that killed it. */
export interface Ended {
  readonly exitCode: number | undefined;
  readonly signal: string | undefined;
}

export interface Collected extends Ended {
  readonly stdout: string;
  readonly stderr: string;
}

export interface CollectOptions {
  readonly env: Env;
  /** The program's standard input; empty if undefined. */
  readonly input?: string;
  readonly onErrorLine: (line: string) => void;
  /** In milliseconds; the program is ended after it. */
  readonly timeout?: number;
}

/** Called with each piece of a program's standard error; the next piece waits for its promise. */
export type Sink = (chunk: Uint8Array) => void | Promise<void>;

export interface SuperviseOptions {
  readonly env: Env;
  /** Its current directory; our own if undefined. */
  readonly cwd?: string;
  /** Path of the file that is its standard input; our own standard input if undefined. */
  readonly input?: string;
  readonly stdout: 'inherit' | 'stderr';
  readonly stderr: 'inherit' | Sink;
  /** Ends the program when aborted, as a signal to us would. */
  readonly stop?: AbortSignal;
  /** Called with the number of its process. */
  readonly onStart?: (pid: number) => void;
}

/** A program whose standard streams are pipes to us. */
export interface Piped {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Rejects if the program could not be started. */
  readonly ended: Promise<Ended>;
  kill(): void;
}

interface Child {
  readonly pid: number | undefined;
  readonly stderr: AsyncIterable<Uint8Array> | null;
  /** Rejects if the program could not be started. */
  readonly ended: Promise<Ended>;
  kill(signal: NodeJS.Signals): unknown;
}

/** How long a program may take to end after a signal, in milliseconds. BuildKit needs less than a second. */
const GRACE = 10_000;

const BASE = {extendEnv: false, reject: false, windowsHide: true} as const satisfies Options;

export class Runner {
  readonly #interruption: SignalInterruption;
  readonly #platform: NodeJS.Platform;
  /** The supervised programs, which must not outlive us. */
  readonly #running = new Set<Child>();

  /** `atExit` runs its argument when the process ends. */
  constructor(
    interruption: SignalInterruption,
    platform: NodeJS.Platform,
    atExit: (cleanUp: () => void) => void,
  ) {
    this.#interruption = interruption;
    this.#platform = platform;
    atExit(() => {
      for (const child of this.#running) child.kill('SIGTERM');
    });
  }

  /**
   * Runs a program for its output, which is short. Also passes each line of its standard error to `onErrorLine` as it
   * is written. A signal to us ends the program, and throws `Interrupted`.
   */
  async collect(
    program: string,
    args: readonly string[],
    {env, input, onErrorLine, timeout}: CollectOptions,
  ): Promise<Collected> {
    const stdin = input === undefined ? {stdin: 'ignore' as const} : {input};
    const {execa} = await import('execa');
    const child = execa(program, args, {...BASE, env, ...stdin, timeout, stripFinalNewline: false});
    const release = this.#interruption.subscribe(() => child.kill('SIGTERM'));
    const watched = (async () => {
      for await (const line of child.iterable({from: 'stderr'})) onErrorLine(line);
    })();
    const [result] = await Promise.all([child, watched.catch(() => undefined)]).finally(release);
    this.#interruption.throwIfReceived();
    const {exitCode, signal, stdout, stderr, code, cause} = result;
    if (code !== undefined && exitCode === undefined && cause !== undefined) throw cause;
    return {exitCode, signal, stdout, stderr};
  }

  /**
   * Runs a program with our own standard streams. The first signal to us is passed on, for the program to cancel its
   * work; the second one kills it, as does `GRACE` without an end.
   */
  async supervise(program: string, args: readonly string[], options: SuperviseOptions): Promise<Ended> {
    // Loading execa costs a build 8 ms (docs/benchmarks.md). It is needed for batch files on Windows, whose arguments
    // cmd would interpret, and to read from a file.
    const start = this.#platform === 'win32' || options.input !== undefined ? startWithExeca : startDirectly;
    const child = await start(program, args, options);
    this.#running.add(child);
    if (child.pid !== undefined) options.onStart?.(child.pid);
    const forget = () => this.#running.delete(child);
    child.ended.then(forget, forget);
    let timer: NodeJS.Timeout | undefined;
    const cancel = (signal?: NodeJS.Signals) => {
      timer ??= setTimeout(() => child.kill('SIGKILL'), GRACE);
      if (signal !== undefined) child.kill(signal);
    };
    const stop = () => cancel('SIGTERM');
    if (options.stop?.aborted) stop();
    else options.stop?.addEventListener('abort', stop, {once: true});
    const release = this.#interruption.subscribe((signal, count) => {
      if (count > 1) child.kill('SIGKILL');
      // On Windows the console has signalled the child already, and kill() would end it before it can cancel.
      else cancel(this.#platform === 'win32' ? undefined : cancellingSignal(signal));
    });
    try {
      const [ended] = await Promise.all([child.ended, drain(child.stderr, options.stderr)]);
      return ended;
    } finally {
      clearTimeout(timer);
      options.stop?.removeEventListener('abort', stop);
      release();
    }
  }

  /** Runs a program as one end of a connection. It is ended with us, and by nothing else but `kill`. */
  pipe(program: string, args: readonly string[], env: Env): Piped {
    const process = spawn(program, args, {env, stdio: 'pipe', windowsHide: true});
    const child = {
      pid: process.pid,
      stderr: process.stderr,
      ended: endOf(process),
      kill: () => process.kill('SIGTERM'),
    };
    this.#running.add(child);
    const forget = () => this.#running.delete(child);
    child.ended.then(forget, forget);
    const {stdin, stdout, stderr} = process;
    return {stdin, stdout, stderr, ended: child.ended, kill: () => void child.kill()};
  }
}

async function startWithExeca(
  program: string,
  args: readonly string[],
  {env, cwd, input, stdout, stderr}: SuperviseOptions,
): Promise<Child> {
  const {execa} = await import('execa');
  const child = execa(program, args, {
    ...BASE,
    env,
    cwd,
    stdin: input === undefined ? 'inherit' : {file: input},
    stdout: stdout === 'inherit' ? 'inherit' : 2,
    stderr: stderr === 'inherit' ? 'inherit' : 'pipe',
    buffer: false,
    // We end it ourselves, and execa would kill it after five seconds.
    cleanup: false,
    forceKillAfterDelay: false,
  });
  const ended = child.then((result) => {
    const {exitCode, signal} = result;
    if (exitCode === undefined && signal === undefined) throw result.cause ?? result;
    return {exitCode, signal};
  });
  return {pid: child.pid, stderr: child.stderr, ended, kill: (signal) => child.kill(signal)};
}

function startDirectly(program: string, args: readonly string[], options: SuperviseOptions): Child {
  const {env, cwd, stdout, stderr} = options;
  const child = spawn(program, args, {
    env,
    cwd,
    stdio: ['inherit', stdout === 'inherit' ? 'inherit' : 2, stderr === 'inherit' ? 'inherit' : 'pipe'],
  });
  const {pid, stderr: output} = child;
  return {pid, stderr: output, ended: endOf(child), kill: (signal) => child.kill(signal)};
}

function endOf(child: ChildProcess): Promise<Ended> {
  return new Promise((resolve, reject) => {
    child.on('error', (error) => {
      // A signal that came too late is an error as well.
      if (child.pid === undefined) reject(error);
    });
    child.on('close', (exitCode, signal) =>
      resolve({exitCode: exitCode ?? undefined, signal: signal ?? undefined}),
    );
  });
}

/** kubectl build cancels on SIGINT and SIGTERM only; SIGHUP would end it with the build still running. */
function cancellingSignal(signal: InterruptSignal): 'SIGINT' | 'SIGTERM' {
  return signal === 'SIGINT' ? 'SIGINT' : 'SIGTERM';
}

async function drain(stream: Child['stderr'], sink: SuperviseOptions['stderr']): Promise<void> {
  if (stream === null || sink === 'inherit') return;
  for await (const chunk of stream) await sink(chunk);
}
