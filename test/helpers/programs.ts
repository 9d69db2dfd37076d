/** Owns running the program under test, from its source or as the compiled binary, and seeing how it ended. */
import {spawn} from 'node:child_process';
import {existsSync, readFileSync} from 'node:fs';
import {delimiter, join} from 'node:path';
import {realKubectlDirectory} from './real-kubectl.ts';

export interface Program {
  readonly name: 'source' | 'binary';
  readonly command: string;
  readonly args: readonly string[];
}

const root = join(import.meta.dirname, '..', '..');
const distribution = join(root, 'dist');

const programs: Readonly<Record<Program['name'], Program>> = {
  source: {name: 'source', command: process.execPath, args: [join(root, 'bin', 'kubectl-tiltbuild.js')]},
  binary: {name: 'binary', command: join(distribution, 'kubectl-tiltbuild'), args: []},
};

/** What the tests run: the binary, which is the product, unless TILTBUILD_TEST_PROGRAM is `source`. */
export const program: Program = chooseProgram(process.env.TILTBUILD_TEST_PROGRAM || 'binary');

function chooseProgram(name: string): Program {
  if (name === 'source' || name === 'binary') return programs[name];
  throw new Error(`TILTBUILD_TEST_PROGRAM: there is no program "${name}"`);
}

export interface RunOptions {
  readonly args: readonly string[];
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** None: standard input is at its end from the start. */
  readonly stdin?: string | Uint8Array;
  readonly timeoutMs?: number;
  /** Watches the peak of the program's memory, from /proc: on Linux alone. */
  readonly measureMemory?: boolean;
  /** Reads standard error without keeping it. */
  readonly discardStderr?: boolean;
  /** Sends the signals, a tenth of a second apart, once standard error holds the text. */
  readonly signalWhen?: {readonly stderrContains: string; readonly signals: readonly NodeJS.Signals[]};
  /** Writes the keys to its standard input, once standard output holds the text, and leaves it open. */
  readonly typedAt?: {readonly stdoutContains: string; readonly keys: string};
}

export interface Ended {
  /** Undefined where a signal killed it. */
  readonly exitCode: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
  readonly stdout: string;
  readonly stderr: string;
  /** Standard output as it came. */
  readonly stdoutBytes: Buffer;
  readonly durationMs: number;
  /** With `measureMemory`; of the process itself, without its children. */
  readonly maxRssKb: number | undefined;
}

export async function run(program: Program, options: RunOptions): Promise<Ended> {
  if (program.name === 'binary' && !existsSync(program.command)) {
    throw new Error(
      'There is no compiled binary in dist/: compile it, or set TILTBUILD_TEST_PROGRAM=source.',
    );
  }
  return await runCommand(program.command, [...program.args, ...options.args], options);
}

/** `kubectl tiltbuild ...`: kubectl finds the compiled binary on PATH. `before` are words for kubectl itself. */
export async function runViaKubectl(
  options: RunOptions & {readonly before?: readonly string[]},
): Promise<Ended> {
  const env = {...options.env, PATH: [distribution, options.env.PATH].join(delimiter)};
  const kubectl = join(realKubectlDirectory(), 'kubectl');
  return await runCommand(kubectl, [...(options.before ?? []), 'tiltbuild', ...options.args], {
    ...options,
    env,
  });
}

/** Any program, with no shell between. Rejects where it cannot be started or takes too long. */
export function runCommand(
  command: string,
  args: readonly string[],
  {
    env,
    cwd,
    stdin,
    timeoutMs = 60_000,
    measureMemory = false,
    discardStderr = false,
    signalWhen,
    typedAt,
  }: Omit<RunOptions, 'args'>,
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const child = spawn(command, args, {
      env,
      cwd,
      stdio: [stdin === undefined && typedAt === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    const timers: NodeJS.Timeout[] = [];
    let signalled = false;
    let tooLate = false;
    timers.push(
      setTimeout(() => {
        tooLate = true;
        child.kill('SIGKILL');
      }, timeoutMs),
    );
    let maxRssKb: number | undefined;
    if (measureMemory) {
      timers.push(
        setInterval(() => {
          maxRssKb = readPeakMemory(child.pid) ?? maxRssKb;
        }, 20),
      );
    }
    let typed = false;
    child.stdout?.on('data', (chunk: Buffer) => {
      stdout.push(chunk);
      if (typed || typedAt === undefined || !Buffer.concat(stdout).includes(typedAt.stdoutContains)) return;
      typed = true;
      child.stdin?.write(typedAt.keys);
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      if (!discardStderr) stderr.push(chunk);
      if (signalWhen === undefined || signalled) return;
      if (!Buffer.concat(stderr).includes(signalWhen.stderrContains)) return;
      signalled = true;
      for (const [index, signal] of signalWhen.signals.entries()) {
        timers.push(setTimeout(() => child.kill(signal), index * 100));
      }
    });
    child.on('error', reject);
    child.on('close', (exitCode, signal) => {
      for (const timer of timers) clearTimeout(timer);
      const stdoutBytes = Buffer.concat(stdout);
      const ended = {
        exitCode: exitCode ?? undefined,
        signal: signal ?? undefined,
        stdout: stdoutBytes.toString('utf8'),
        stderr: Buffer.concat(stderr).toString('utf8'),
        stdoutBytes,
        durationMs: performance.now() - started,
        maxRssKb,
      };
      if (tooLate) {
        const shown = `${ended.stdout}\n${ended.stderr}`.slice(-4000);
        reject(new Error(`${command} was still running after ${timeoutMs} ms. It had printed:\n${shown}`));
      } else resolve(ended);
    });
    // A program that ends without reading its input is not an error of the test.
    child.stdin?.on('error', () => undefined);
    if (typedAt === undefined) child.stdin?.end(stdin);
  });
}

function readPeakMemory(pid: number | undefined): number | undefined {
  try {
    const kb = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kb === undefined ? undefined : Number(kb);
  } catch {
    return undefined; // It has ended, or there is no /proc.
  }
}
