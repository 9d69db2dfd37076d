/** Owns starting other programs, and is the only importer of execa and node:child_process. It never uses a shell. */
import {type ChildProcess, spawn} from 'node:child_process';
import type {Readable, Writable} from 'node:stream';
import type {Options} from 'execa';
import {Interrupted, TiltbuildError} from '../errors.ts';
import {LineSplitter} from '../text/line-splitter.ts';
import {openToRead} from './disk-files.ts';

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
  /** The next line waits for its promise. */
  readonly onErrorLine: (line: string) => void | Promise<void>;
  /** In milliseconds; the program is ended after it. */
  readonly timeout?: number;
  /** The most that it may print to standard output, in bytes. */
  readonly longest?: number;
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
  /** Ends the program when aborted: with the signal that is its reason, if it is one. */
  readonly stop: AbortSignal;
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
  readonly process: ChildProcess;
  /** Rejects if the program could not be started. A program that it left behind may hold its streams still. */
  readonly ended: Promise<Ended>;
}

/** How long a program may take to end after a signal, in milliseconds. BuildKit needs less than a second. */
const GRACE = 10_000;

/** How long a program that has the terminal's SIGINT already may go on until it gets ours, in milliseconds. */
const TERMINAL_GRACE = 1_500;

/** What a program that has ended wrote before is read until nothing comes for this long, in milliseconds. */
const DRAIN = 100;

const MEGABYTE = 1024 * 1024;
const LONGEST_OUTPUT = 64 * MEGABYTE;
const LONGEST_ERRORS = MEGABYTE;
const LONGEST_LINE = 65_536;

const BASE = {extendEnv: false, reject: false, windowsHide: true, buffer: false} as const satisfies Options;

export class Runner {
  readonly #platform: NodeJS.Platform;
  readonly #hasTerminal: () => boolean;
  /** The programs that must not outlive us, and those among them that were told to end. */
  readonly #running = new Set<ChildProcess>();
  readonly #told = new WeakSet<ChildProcess>();

  /** `atExit` runs its argument when the process ends; `hasTerminal` is whether a terminal sends us its signals. */
  constructor(
    platform: NodeJS.Platform,
    atExit: (cleanUp: () => void) => void,
    hasTerminal: () => boolean = () => false,
  ) {
    this.#platform = platform;
    this.#hasTerminal = hasTerminal;
    atExit(() => {
      for (const child of this.#running) child.kill(this.#told.has(child) ? 'SIGKILL' : 'SIGTERM');
    });
  }

  /**
   * Runs a program for its output, which is short. Also passes each line of its standard error to `onErrorLine` as it
   * is written.
   */
  async collect(
    program: string,
    args: readonly string[],
    {env, input, onErrorLine, timeout, longest = LONGEST_OUTPUT}: CollectOptions,
  ): Promise<Collected> {
    const stdin = input === undefined ? 'ignore' : 'pipe';
    const child = await this.#start(program, args, {env}, [stdin, 'pipe', 'pipe']);
    const kill = () => child.process.kill('SIGKILL');
    // It may end without reading it.
    child.process.stdin?.on('error', () => undefined).end(input);
    const timer = timeout === undefined ? undefined : setTimeout(kill, timeout);
    const [stdout, stderr] = [new Kept(longest), new Kept(LONGEST_ERRORS)];
    const lines: string[] = [];
    const splitter = new LineSplitter((line) => lines.push(line), LONGEST_LINE);
    const report = async () => {
      for (const line of lines.splice(0)) await onErrorLine(line);
    };
    const ended = await readUntilEnd(child, [
      [child.process.stdout, (chunk) => void (stdout.add(chunk) || kill())],
      [
        child.process.stderr,
        async (chunk) => {
          stderr.add(chunk);
          splitter.observe(chunk);
          await report();
        },
      ],
    ]).finally(() => clearTimeout(timer));
    splitter.end();
    if (lines[0] !== '') await report();
    if (stdout.isFull) {
      const most = `${longest / MEGABYTE} MB`;
      throw new TiltbuildError('cluster-unreachable', `The program "${program}" printed more than ${most}.`);
    }
    return {...ended, stdout: stdout.text, stderr: stderr.text};
  }

  /**
   * Runs a program with our own standard streams. When it is to stop it gets a signal, to cancel its work; `GRACE`
   * without an end kills it, as does our own end.
   */
  async supervise(
    program: string,
    args: readonly string[],
    {env, cwd, input, stdout, stderr, stop, onStart}: SuperviseOptions,
  ): Promise<Ended> {
    const child = await this.#start(program, args, {env, cwd}, [
      input === undefined ? 'inherit' : {file: input},
      stdout === 'inherit' ? 'inherit' : 2,
      stderr === 'inherit' ? 'inherit' : 'pipe',
    ]);
    if (child.process.pid !== undefined) onStart?.(child.process.pid);
    const timers: NodeJS.Timeout[] = [];
    const end = () => {
      this.#told.add(child.process);
      const {signal, delay} = this.#tell(stop.reason);
      const later = (milliseconds: number, late: NodeJS.Signals) =>
        timers.push(setTimeout(() => child.process.kill(late), milliseconds));
      if (delay > 0) later(delay, signal);
      else child.process.kill(signal);
      later(GRACE, 'SIGKILL');
    };
    if (stop.aborted) end();
    else stop.addEventListener('abort', end, {once: true});
    try {
      return await readUntilEnd(child, stderr === 'inherit' ? [] : [[child.process.stderr, stderr]]);
    } finally {
      for (const timer of timers) clearTimeout(timer);
      stop.removeEventListener('abort', end);
    }
  }

  /** Runs a program as one end of a connection. It is ended with us, and by nothing else but `kill`. */
  pipe(program: string, args: readonly string[], env: Env): Piped {
    const process = spawn(program, args, {env, stdio: 'pipe', windowsHide: true});
    const ended = this.#watch(process).then(async (end) => {
      await quiet(new Promise((resolve) => process.on('close', resolve)));
      return end;
    });
    const {stdin, stdout, stderr} = process;
    return {stdin, stdout, stderr, ended, kill: () => void process.kill('SIGTERM')};
  }

  /** The signal that a program gets for `reason`, and after how long. */
  #tell(reason: unknown): {readonly signal: NodeJS.Signals; readonly delay: number} {
    // kubectl build cancels on SIGINT and SIGTERM only; SIGHUP would end it with the build still running.
    if (!(reason instanceof Interrupted)) return {signal: 'SIGTERM', delay: 0};
    // On Windows the console has signalled it already, and kill() would end it before it can cancel.
    if (this.#platform === 'win32') return {signal: 'SIGTERM', delay: GRACE};
    if (reason.signal !== 'SIGINT') return {signal: 'SIGTERM', delay: 0};
    // Ctrl-C reaches all that the terminal runs; the same signal sent to us alone does not, and looks no different.
    return {signal: 'SIGINT', delay: this.#hasTerminal() ? TERMINAL_GRACE : 0};
  }

  async #start(program: string, args: readonly string[], place: Place, stdio: Stdio): Promise<Child> {
    const [stdin, stdout, stderr] = stdio;
    // Loading execa costs a build 8 ms (docs/benchmarks.md). It is needed for batch files on Windows, whose arguments
    // cmd would interpret. On Bun 1.4.5 it has a TypeError for a program that cannot be started (execa 10.2.1).
    if (this.#platform !== 'win32') {
      const file = typeof stdin === 'string' ? undefined : await openToRead(stdin.file);
      try {
        const input = file?.fd ?? (stdin as Exclude<typeof stdin, {readonly file: string}>);
        const process = spawn(program, args, {...place, stdio: [input, stdout, stderr]});
        return {process, ended: this.#watch(process)};
      } finally {
        // The program has its own. Waiting here would miss that it could not be started.
        void file?.close();
      }
    }
    const {execa} = await import('execa');
    // We end it ourselves, and execa would kill it after five seconds.
    const ending = {cleanup: false, forceKillAfterDelay: false} as const;
    const running = execa(program, args, {...BASE, ...ending, ...place, stdin, stdout, stderr});
    const started = running.then(({exitCode, signal, cause}) => {
      if (exitCode === undefined && signal === undefined) throw cause;
      return {exitCode, signal};
    });
    const process = running.nodeChildProcess;
    return {process, ended: Promise.race([this.#watch(process), started])};
  }

  /** How a program ended. */
  #watch(child: ChildProcess): Promise<Ended> {
    this.#running.add(child);
    return new Promise<Ended>((resolve, reject) => {
      child.on('error', (error) => {
        // A signal that came too late is an error as well.
        if (child.pid === undefined) reject(error);
      });
      child.on('exit', (exitCode, signal) =>
        resolve({exitCode: exitCode ?? undefined, signal: signal ?? undefined}),
      );
    }).finally(() => this.#running.delete(child));
  }
}

type Place = Pick<SuperviseOptions, 'env' | 'cwd'>;

type Stdio = readonly [
  stdin: 'ignore' | 'pipe' | 'inherit' | {readonly file: string},
  stdout: 'pipe' | 'inherit' | 2,
  stderr: 'pipe' | 'inherit',
];

/** The start of a program's output. */
class Kept {
  readonly #longest: number;
  readonly #chunks: Uint8Array[] = [];
  #size = 0;

  constructor(longest: number) {
    this.#longest = longest;
  }

  /** False where it is more than is kept. */
  add(chunk: Uint8Array): boolean {
    if (this.#size <= this.#longest) this.#chunks.push(chunk);
    this.#size += chunk.length;
    return !this.isFull;
  }

  get isFull(): boolean {
    return this.#size > this.#longest;
  }

  get text(): string {
    return Buffer.concat(this.#chunks).subarray(0, this.#longest).toString('utf8');
  }
}

/** How often a program that was left behind may write before it is no longer listened to. */
const MOST_ROUNDS = 20;

/** Reads a program's streams to their end, or until it has ended and nothing more comes: others may hold them. */
async function readUntilEnd(
  {process, ended}: Child,
  outputs: readonly (readonly [stream: Readable | null, sink: Sink])[],
): Promise<Ended> {
  let [received, busy, isGivenUp] = [0, 0, false];
  const reading = Promise.all(
    outputs.map(async ([stream, sink]) => {
      try {
        for await (const chunk of stream ?? []) {
          received += 1;
          busy += 1;
          await sink(chunk);
          busy -= 1;
        }
      } catch (error) {
        // The streams of a program that could not be started break first.
        if (process.pid === undefined) await ended;
        if (!isGivenUp) throw error;
      }
    }),
  );
  const end = await Promise.race([ended, reading.then(() => ended)]);
  for (
    let [before, rounds] = [-1, 0];
    busy > 0 || (received !== before && rounds < MOST_ROUNDS);
    rounds += 1
  ) {
    before = received;
    if (await quiet(reading)) return end;
  }
  isGivenUp = true;
  for (const [stream] of outputs) stream?.destroy();
  return end;
}

/** Whether `read` was done before long. What has come by then is read before this resolves. */
async function quiet(read: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => setImmediate(resolve, false), DRAIN);
  });
  return await Promise.race([read.then(() => true), late]).finally(() => clearTimeout(timer));
}
