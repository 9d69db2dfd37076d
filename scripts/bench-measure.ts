/** Owns measuring: cases beside their peer, in turns, in one run, so that what else the machine does strikes all. */
import {runCommand} from '../test/helpers/programs.ts';

/** A program with all that it is given. */
export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

export interface Case {
  readonly name: string;
  /** Rejects where it fails. */
  readonly run: () => Promise<unknown>;
  /** Run before each round, and not measured. */
  readonly prepare?: () => void;
}

/** A case that is one program. */
export function oneRun(name: string, of: Program): Case {
  return {name, run: () => runProgram(of)};
}

/** A case that is the same program several times side by side. */
export function runsAtOnce(name: string, of: Program, count: number): Case {
  return {name, run: () => Promise.all(Array.from({length: count}, () => runProgram(of)))};
}

export interface Comparison {
  readonly title: string;
  /** The first is the peer of the others. */
  readonly cases: readonly [Case, ...Case[]];
  /** Fewer rounds than usual, for what takes long. */
  readonly rounds?: number;
  /** Rounds before those that count, which warm the caches up; 2 where nothing else is said. */
  readonly warmUps?: number;
}

/** Times in milliseconds. */
export interface Row {
  readonly name: string;
  readonly min: number;
  readonly median: number;
  readonly max: number;
  /** Of the medians, to the peer's; 1 for the peer itself. */
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
  const medians = times.map(median);
  const rows = cases.map(({name}, index) => {
    const measured = times[index] ?? [];
    return {
      name,
      min: Math.min(...measured),
      median: medians[index] ?? Number.NaN,
      max: Math.max(...measured),
      ratio: (medians[index] ?? Number.NaN) / (medians[0] ?? Number.NaN),
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

/** Throws where it does not end with 0. */
export async function runProgram({command, args, ...options}: Program): Promise<void> {
  const ended = await runCommand(command, args, {...options, timeoutMs: 600_000});
  if (ended.exitCode !== 0)
    throw new Error(`${command} ${args.join(' ')} ended with ${ended.exitCode}:\n${ended.stderr}`);
}

/** Peak resident memory of the process itself, in megabytes; undefined where there is no /proc. */
export async function measureMemory({command, args, ...options}: Program): Promise<number | undefined> {
  const {maxRssKb} = await runCommand(command, args, {...options, measureMemory: true});
  return maxRssKb === undefined ? undefined : maxRssKb / 1024;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
