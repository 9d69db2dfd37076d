/** Owns what a run that was killed leaves: private directories, whose names tell whose they are, and children. */
import {chmodSync, lstatSync, readdirSync, readFileSync, readlinkSync, rmdirSync, unlinkSync} from 'node:fs';
import {readdir} from 'node:fs/promises';
import {join} from 'node:path';

export interface Self {
  /** Undefined on Windows. */
  readonly uid: number | undefined;
  readonly pid: number;
  /** The name of this machine. */
  readonly host: string;
  /** Sends a signal. 0 is none: it throws where there is no such process. */
  readonly kill: (pid: number, signal: 'SIGTERM' | 0) => void;
}

/** `kubectl-tiltbuild-PID_START_PLACE_RANDOM` */
const NAME = /^kubectl-tiltbuild-(\d+)_(\d+)_(\w+)_\w+$/;
const CHILD = /^child-(\d+)_(\d+)$/;

/** The name of a private directory of this process, without what makes it unique. */
export function nameDirectory({pid, host}: Self): string {
  return `kubectl-tiltbuild-${pid}_${startOf(pid)}_${placeOf(host)}_`;
}

export function isDirectoryName(name: string): boolean {
  return NAME.test(name);
}

/** The name of a file that tells of a child; undefined where the system does not tell when it was started. */
export function nameChild(pid: number): string | undefined {
  const start = startOf(pid);
  return start === '0' ? undefined : `child-${pid}_${start}`;
}

/** Removes the directories of dead runs in `root`, and ends their children. */
export async function sweepDeadRuns(root: string, {uid, host, kill}: Self): Promise<void> {
  const here = placeOf(host);
  for (const name of await readdir(root)) {
    const [, pid, start, place] = NAME.exec(name) ?? [];
    // The number of a process elsewhere, such as in another container, says nothing here.
    if (place !== here || isAlive(Number(pid), start, kill)) continue;
    const path = join(root, name);
    const stats = lstatSync(path, {throwIfNoEntry: false});
    if (!stats?.isDirectory() || (uid !== undefined && stats.uid !== uid)) continue;
    for (const file of readdirSync(path)) {
      const [, child, began] = CHILD.exec(file) ?? [];
      if (child !== undefined && startOf(Number(child)) === began) kill(Number(child), 'SIGTERM');
    }
    removeTree(path);
  }
}

/** Removes as much as it can, never through a link, and gives the paths of what is left. */
export function removeTree(path: string): readonly string[] {
  try {
    const stats = lstatSync(path, {throwIfNoEntry: false});
    if (stats === undefined) return [];
    if (!stats.isDirectory()) {
      unlinkSync(path);
      return [];
    }
    // A program may have made its own directory read-only.
    if ((stats.mode & 0o700) !== 0o700) chmodSync(path, 0o700);
    const left = readdirSync(path).flatMap((name) => removeTree(join(path, name)));
    if (left.length > 0) return left;
    rmdirSync(path);
    return [];
  } catch {
    return [path];
  }
}

function isAlive(pid: number, start: string | undefined, kill: Self['kill']): boolean {
  if (start !== '0') return startOf(pid) === start;
  try {
    kill(pid, 0);
    return true;
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
}

/** When the process was started, in ticks since the machine was: a number may be used again. `0` if unknown or dead. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name, in parentheses, may have blanks and parentheses in it (proc_pid_stat(5)).
    const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return state === 'Z' || state === 'X' ? '0' : (fields[18] ?? '0');
  } catch {
    return '0';
  }
}

/** Where the numbers of processes are those that we see. */
function placeOf(host: string): string {
  const name = host.replaceAll(/\W|_/g, '').slice(-16);
  try {
    return `${readlinkSync('/proc/self/ns/pid').replaceAll(/\D/g, '')}_${name}`;
  } catch {
    return `0_${name}`;
  }
}
