/** Owns which adapter stands behind each port. */
import {isAbsolute, join} from 'node:path';
import {renderForeign, renderQuestion} from './cli/render/render.ts';
import {findHome} from './cluster/kubeconfig/home.ts';
import type {Notes, Ports} from './ports.ts';
import {openBlobs} from './system/blob-disk.ts';
import {BuildDelegate} from './system/build-delegate.ts';
import {SystemCluster} from './system/cluster-reader.ts';
import {contextDisk} from './system/context-disk.ts';
import {describeFaults} from './system/describe-faults.ts';
import {DiskFiles} from './system/disk-files.ts';
import type {Interruption} from './system/interruption.ts';
import {readMachineId} from './system/machine-id.ts';
import {archiveTo, OutputDirectory} from './system/output-disk.ts';
import {PrivateDirectories} from './system/private-directory.ts';
import {listRoots} from './system/private-root.ts';
import {PathPrograms} from './system/programs.ts';
import {openResult} from './system/result-file.ts';
import {Runner} from './system/runner.ts';
import {confirm, StandardInput} from './system/standard-input.ts';
import type {Terminal} from './system/terminal.ts';

/** The process and its machine. */
export interface Host {
  /** It opens each of its streams the first time that it is read. */
  readonly process: Pick<
    NodeJS.Process,
    'arch' | 'env' | 'getuid' | 'kill' | 'on' | 'pid' | 'platform' | 'stderr' | 'stdin' | 'stdout'
  >;
  readonly temporaryRoot: () => string;
  readonly hostname: () => string;
}

export function makePorts(...args: Parameters<typeof makeAdapters>): Ports {
  return describeFaults(makeAdapters(...args));
}

export function makeAdapters(
  {process, temporaryRoot, hostname}: Host,
  interruption: Interruption,
  terminal: Terminal,
  notes: Notes,
  showLine = (line: string): void => void terminal.writeError(renderForeign(line)),
): Ports {
  const {env, platform, arch} = process;
  const atExit = (cleanUp: () => void) => void process.on('exit', () => tryTo(cleanUp));
  const hasTerminal = () => [process.stdin, process.stdout, process.stderr].some(({isTTY}) => isTTY);
  const runner = new Runner(platform, atExit, hasTerminal);
  const uid = process.getuid?.();
  // A relative one would lie in the build context, and differ from run to run; the XDG specification ignores it.
  const caches = [env.XDG_CACHE_HOME, env.LOCALAPPDATA, env.HOME && join(env.HOME, '.cache')];
  const cache = caches.find((path) => path && isAbsolute(path)) ?? '';
  const privates = new PrivateDirectories({
    roots: listRoots(process, temporaryRoot(), cache),
    uid,
    pid: process.pid,
    host: hostname(),
    kill: (pid, signal) => void process.kill(pid, signal),
    atExit,
    complain: (text) => notes.note(text),
  });
  const files = new DiskFiles(privates, uid);
  const home = findHome({env, platform}, files);
  let machine: Promise<string> | undefined;
  const tools = {runner, interruption, env, platform, home, showLine};
  return {
    files,
    input: new StandardInput(() => process.stdin, files),
    clusters: {
      connect: (target, connection) => new SystemCluster(tools, target, connection),
    },
    delegate: new BuildDelegate(runner, interruption, terminal, env, {platform, arch}, (pid) =>
      privates.recordChild(pid),
    ),
    programs: new PathPrograms(runner, env, platform),
    builtin: {
      contexts: contextDisk,
      machine: () => (machine ??= readMachineId(cache, hostname(), files)),
      random: (size) => crypto.getRandomValues(new Uint8Array(size)),
      openTree: (path) => new OutputDirectory(path),
      openArchive: (path) =>
        path === '-' ? archiveTo((chunk) => terminal.writeBytes(chunk)) : openResult(path, uid),
      openBlobs,
      connectAgent: async (path) => (await import('./system/agent-socket.ts')).connectAgent(path),
      show: (text) => terminal.writeError(text),
      terminalSize: () => ({columns: process.stderr.columns ?? 80, rows: process.stderr.rows ?? 24}),
      every,
    },
    notes,
    withGrace: (work) => interruption.withGrace(work),
    confirm: (question) => confirm(renderQuestion(question), process.stdin, process.stderr),
    wallClock: () => Date.now(),
    now: () => performance.now(),
    sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
  };
}

/** An error at the exit would change the exit code, and show the program's own source. */
function tryTo(cleanUp: () => void): void {
  try {
    cleanUp();
  } catch {
    // Nothing is left that could act on it.
  }
}

export function every(milliseconds: number, callback: () => void): () => void {
  const timer = setInterval(callback, milliseconds).unref();
  return () => clearInterval(timer);
}
