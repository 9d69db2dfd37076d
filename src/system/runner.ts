/** Owns starting other programs: the only importer of execa and of node:child_process. Argument arrays, never a shell. */
import {spawn} from 'node:child_process';
import type {Options} from 'execa';
import type {InterruptSignal} from '../errors.ts';
import type {SignalInterruption} from './interruption.ts';

/** How a program ended. */
export interface Ended {
  readonly exitCode: number | undefined;
  readonly signal: string | undefined;
}

export interface Collected extends Ended {
  readonly stdout: string;
  readonly stderr: string;
}

export interface CollectOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What the program reads from its standard input; nothing where it is undefined. */
  readonly input?: string;
  readonly onErrorLine: (line: string) => void;
  /** How long it may take, in milliseconds; then it is ended. */
  readonly timeout?: number;
}

/** Called with each piece of a program's stderr; the next piece waits for its promise. */
export type Sink = (chunk: Uint8Array) => void | Promise<void>;

export interface SuperviseOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The file that is its standard input; undefined: our own. */
  readonly input?: string;
  readonly stdout: 'inherit' | 'stderr';
  readonly stderr: 'inherit' | Sink;
  /** Aborted, it ends the program as a signal meant for us would. */
  readonly stop?: AbortSignal;
}

/** How a program that is to be supervised is started; 2 is our standard error. */
interface StartOptions extends Pick<SuperviseOptions, 'env' | 'input'> {
  readonly stdout: 'inherit' | 2;
  readonly stderr: 'inherit' | 'pipe';
}

/** A program that runs, whoever started it. */
interface Child {
  readonly stderr: AsyncIterable<Uint8Array> | null;
  /** Rejects where the program could not be started. */
  readonly ended: Promise<Ended>;
  kill(signal: NodeJS.Signals): unknown;
}

/** How long a program may take to end by itself after a signal, in milliseconds. BuildKit needs under a second. */
const GRACE = 10_000;

export class Runner {
  readonly #interruption: SignalInterruption;
  readonly #platform: NodeJS.Platform;
  /** Those that are supervised: they must not outlive us, however we end. */
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
   * Runs a program for its output, which is short; each line of stderr is also handed to `onErrorLine` as it comes.
   * A signal meant for us ends it; see `Interruption`.
   */
  async collect(
    program: string,
    args: readonly string[],
    {env, input, onErrorLine, timeout}: CollectOptions,
  ): Promise<Collected> {
    const stdin = input === undefined ? {stdin: 'ignore' as const} : {input};
    const execa = await loadExeca();
    const child = execa(program, args, {...BASE, env, ...stdin, timeout, stripFinalNewline: false});
    const release = this.#interruption.subscribe(() => child.kill('SIGTERM'));
    const watched = (async () => {
      for await (const line of child.iterable({from: 'stderr'})) onErrorLine(line);
    })();
    const [result] = await Promise.all([child, watched.catch(() => undefined)]).finally(release);
    this.#interruption.throwIfReceived();
    if (result.code !== undefined && result.exitCode === undefined && result.cause !== undefined)
      throw result.cause;
    return {exitCode: result.exitCode, signal: result.signal, stdout: result.stdout, stderr: result.stderr};
  }

  /**
   * Runs a program to its end with our own standard streams. The first signal meant for us goes on to it, so
   * that it can cancel its work; the second one, or `GRACE` without an end, kills it.
   */
  async supervise(program: string, args: readonly string[], options: SuperviseOptions): Promise<Ended> {
    // A batch file on Windows, whose arguments cmd reads as it likes, and a file to read from, are execa's to start.
    // For all else it would take 9 ms to load, more than the start itself.
    const start = this.#platform === 'win32' || options.input !== undefined ? startWithExeca : startDirectly;
    const child = await start(program, args, {
      env: options.env,
      input: options.input,
      stdout: options.stdout === 'inherit' ? 'inherit' : 2,
      stderr: options.stderr === 'inherit' ? 'inherit' : 'pipe',
    });
    this.#running.add(child);
    const forget = () => this.#running.delete(child);
    child.ended.then(forget, forget);
    let timer: NodeJS.Timeout | undefined;
    const killLater = () => {
      timer ??= setTimeout(() => child.kill('SIGKILL'), GRACE);
    };
    const stop = () => {
      killLater();
      child.kill('SIGTERM');
    };
    if (options.stop?.aborted) stop();
    else options.stop?.addEventListener('abort', stop, {once: true});
    const release = this.#interruption.subscribe((signal, count) => {
      if (count > 1) {
        child.kill('SIGKILL');
        return;
      }
      killLater();
      if (this.#platform !== 'win32') child.kill(cancellingSignal(signal));
      // On Windows the console has told the child already, and kill() would end it before it can cancel.
    });
    try {
      const drained = typeof options.stderr === 'function' ? drain(child.stderr, options.stderr) : undefined;
      const [ended] = await Promise.all([child.ended, drained]);
      return ended;
    } finally {
      clearTimeout(timer);
      options.stop?.removeEventListener('abort', stop);
      release();
    }
  }
}

async function loadExeca() {
  return (await import('execa')).execa;
}

async function startWithExeca(
  program: string,
  args: readonly string[],
  {env, input, stdout, stderr}: StartOptions,
): Promise<Child> {
  const execa = await loadExeca();
  const child = execa(program, args, {
    ...BASE,
    env,
    stdin: input === undefined ? 'inherit' : {file: input},
    stdout,
    stderr,
    buffer: false,
    // Those that are supervised are ended by us.
    cleanup: false,
    // execa would kill after five seconds; `GRACE` is ours.
    forceKillAfterDelay: false,
  });
  const ended = child.then((result) => {
    const {exitCode, signal} = result;
    if (exitCode === undefined && signal === undefined) throw result.cause ?? result;
    return {exitCode, signal};
  });
  return {stderr: child.stderr, ended, kill: (signal) => child.kill(signal)};
}

function startDirectly(program: string, args: readonly string[], {env, stdout, stderr}: StartOptions): Child {
  const child = spawn(program, args, {env, stdio: ['inherit', stdout, stderr]});
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', (error) => {
      // A signal that came too late is an error as well.
      if (child.pid === undefined) reject(error);
    });
    child.on('close', (exitCode, signal) =>
      resolve({exitCode: exitCode ?? undefined, signal: signal ?? undefined}),
    );
  });
  return {stderr: child.stderr, ended, kill: (signal) => child.kill(signal)};
}

const BASE = {
  extendEnv: false,
  reject: false,
  // A child must not outlive us, however we end.
  cleanup: true,
  windowsHide: true,
} as const satisfies Options;

/** kubectl build cancels on SIGINT and SIGTERM only; SIGHUP would end it with the build still running. */
function cancellingSignal(signal: InterruptSignal): 'SIGINT' | 'SIGTERM' {
  return signal === 'SIGINT' ? 'SIGINT' : 'SIGTERM';
}

async function drain(stream: AsyncIterable<Uint8Array> | null, sink: Sink): Promise<void> {
  if (stream === null) return;
  for await (const chunk of stream) await sink(chunk);
}
