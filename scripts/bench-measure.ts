/** Owns measuring cases alternately in one run, so other load on the machine affects all of them. */
import {runCommand} from '../test/helpers/programs.ts';

export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

export interface Case {
  readonly name: string;
  /** Rejects on failure. */
  readonly run: () => Promise<unknown>;
  /** Runs before each round, and is not measured. */
  readonly prepare?: () => void;
}

export function oneRun(name: string, of: Program): Case {
  return {name, run: () => runProgram(of)};
}

/** Several runs of the same program at once. */
export function runsAtOnce(name: string, of: Program, count: number): Case {
  return {name, run: () => Promise.all(Array.from({length: count}, () => runProgram(of)))};
}

export interface Comparison {
  readonly title: string;
  /** The others are compared with the first. */
  readonly cases: readonly [Case, ...Case[]];
  /** Fewer rounds than usual, for slow cases. */
  readonly rounds?: number;
  /** Rounds to warm up the caches, which do not count; 2 by default. */
  readonly warmUps?: number;
}

/** Times in milliseconds. */
export interface Row {
  readonly name: string;
  readonly min: number;
  readonly median: number;
  readonly max: number;
  /** The median divided by that of the first case. */
  readonly ratio: number;
}

export interface Result {
  readonly title: string;
  readonly rounds: number;
  readonly rows: readonly Row[];
}

export async function compare(
  {title, cases, rounds, warmUps = 2}: Comparison,
  usual: number,
): Promise<Result> {
  const counted = Math.min(rounds ?? usual, usual);
  const times = cases.map(() => [] as number[]);
  for (let round = -warmUps; round < counted; round += 1) {
    for (const [index, one] of cases.entries()) {
      const took = await measure(one);
      if (round >= 0) times[index]?.push(took);
    }
  }
  const peer = median(times[0] ?? []);
  const rows = cases.map(({name}, index) => {
    const measured = times[index] ?? [];
    const own = median(measured);
    return {
      name,
      min: Math.min(...measured),
      median: own,
      max: Math.max(...measured),
      ratio: own / peer,
    };
  });
  return {title, rounds: counted, rows};
}

async function measure({run, prepare}: Case): Promise<number> {
  prepare?.();
  const started = performance.now();
  await run();
  return performance.now() - started;
}

/** Throws unless the exit code is 0. */
export async function runProgram({command, args, ...options}: Program): Promise<void> {
  const ended = await runCommand(command, args, {...options, timeoutMs: 600_000});
  if (ended.exitCode !== 0)
    throw new Error(`${command} ${args.join(' ')} exited with ${ended.exitCode}:\n${ended.stderr}`);
}

/** Peak resident memory of the process itself, in megabytes; undefined without /proc. */
export async function measureMemory({command, args, ...options}: Program): Promise<number | undefined> {
  const {maxRssKb} = await runCommand(command, args, {...options, measureMemory: true});
  return maxRssKb === undefined ? undefined : maxRssKb / 1024;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
