/** Owns the stand-in delegate on disk: installing it as `kubectl-build`, and reading what it was given. */
import {existsSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {pathToFileURL} from 'node:url';

/** All that the stand-in can do; chosen when it is installed. */
export type DelegateBehaviour =
  | 'build' // builds, as recorded
  | 'run-fails' // a RUN step exits 7
  | 'otel-socket' // a RUN step on the builder that the plugin makes by default
  | 'copy-missing' // COPY of a file that is not there
  | 'syntax-error' // an unknown instruction
  | 'push-401' // the registry wants a login; builds well where nothing is pushed
  | 'slow' // a tick a second until SIGINT or SIGTERM cancels it
  | 'ignores-signals' // nothing but SIGKILL and SIGHUP ends it, for 60 seconds
  | 'hangs' // in a step, without a word
  | 'floods' // 200 MB of progress, then as `build`
  | 'changes' // makes another image each time
  | 'no-digest' // succeeds and tells no digest
  | 'panics'; // a Go panic

export interface SeenFile {
  readonly path: string;
  /** Null where there was no such file. */
  readonly content: string | null;
  readonly mode: number | null;
  readonly directoryMode: number | null;
}

export interface Invocation {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly pid: number;
  readonly terminal: {readonly stdin: boolean; readonly stdout: boolean; readonly stderr: boolean};
  /** The files that its kubeconfig came from, those that are missing as well. Empty where argv was refused. */
  readonly kubeconfigs: readonly SeenFile[];
  /** The token that the credential plugin gave; undefined where there was none to ask. */
  readonly login: string | undefined;
  readonly secrets: readonly (SeenFile & {readonly id: string})[];
  /** The Dockerfile of the context, whether `-f` named it or not; null where there is none. */
  readonly dockerfile: Pick<SeenFile, 'path' | 'content'> | null;
  /** The paths in an archive that is the context; undefined where it is none. */
  readonly context: readonly string[] | undefined;
  /** What it read from standard input; undefined where it did not read. */
  readonly stdin: Buffer | undefined;
  /** Signals it caught, in order; a signal that killed it is not among them. */
  readonly signals: readonly NodeJS.Signals[];
  /** Null while it runs, and for ever where a signal killed it. */
  readonly exitCode: number | null;
}

/**
 * Installs the stand-ins of `kubectl-build` and `kubectl-buildkit` into `directory`. Node is baked in, so that PATH needs
 * none, and so is the behaviour, so that the environment is the test's own.
 */
export function installDelegate(directory: string, behaviour: DelegateBehaviour, logDirectory: string): void {
  if (/\s/.test(process.execPath))
    throw new Error(`A path with a space cannot start a script: ${process.execPath}`);
  for (const name of ['kubectl-build', 'kubectl-buildkit']) {
    const standIn = pathToFileURL(join(import.meta.dirname, 'stand-ins', `${name}.mjs`)).href;
    const call = `main(${JSON.stringify({behaviour, logDirectory})})`;
    const script = `#!${process.execPath}\nimport(${JSON.stringify(standIn)}).then(({main}) => ${call});\n`;
    writeFileSync(join(directory, name), script, {mode: 0o755});
  }
}

/** All runs so far, in the order in which they were started. */
export function readInvocations(logDirectory: string): Invocation[] {
  if (!existsSync(logDirectory)) return [];
  return readdirSync(logDirectory)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => {
      const record = JSON.parse(readFileSync(join(logDirectory, name), 'utf8'));
      return {...record, stdin: record.stdin === null ? undefined : Buffer.from(record.stdin, 'base64')};
    });
}
