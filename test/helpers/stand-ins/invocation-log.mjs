/** Owns the record of one run of the stand-in delegate: what it was given and saw, a JSON file in the log directory. */
import {existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';

export class InvocationLog {
  #path;
  #record;

  constructor(directory, {argv, env, cwd, pid, terminal}) {
    mkdirSync(directory, {recursive: true});
    // The clock is the machine's and monotonic, so that the names sort in the order of the starts.
    const started = String(process.hrtime.bigint()).padStart(20, '0');
    this.#path = join(directory, `${started}-${pid}.json`);
    this.#record = {
      argv,
      env,
      cwd,
      pid,
      terminal,
      kubeconfigs: [],
      secrets: [],
      dockerfile: null,
      stdin: null,
      signals: [],
      exitCode: null,
    };
    this.#write();
  }

  add(fields) {
    Object.assign(this.#record, fields);
    this.#write();
  }

  addSignal(signal) {
    this.#record.signals.push(signal);
    this.#write();
  }

  #write() {
    writeFileSync(`${this.#path}.partial`, JSON.stringify(this.#record));
    renameSync(`${this.#path}.partial`, this.#path);
  }
}

/** A file as the delegate finds it: its content and who may read it. */
export function seeFile(path) {
  if (!existsSync(path) || !statSync(path).isFile())
    return {path, content: null, mode: null, directoryMode: null};
  return {
    path,
    content: readFileSync(path, 'utf8'),
    mode: statSync(path).mode & 0o777,
    directoryMode: statSync(dirname(path)).mode & 0o777,
  };
}

/** A Dockerfile, and what lies beside it. */
export function seeDockerfile(path) {
  return {
    ...seeFile(path),
    directoryFiles: readdirSync(dirname(path)).sort(),
    ignoreFile: seeFile(`${path}.dockerignore`).content,
  };
}
