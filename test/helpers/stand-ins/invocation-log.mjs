/** Owns the record of one run of the stand-in delegate, with all that it saw: a JSON file in the log directory. */
import {existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';

export class InvocationLog {
  #path;
  #record;

  constructor(directory, {argv, env, cwd, pid, terminal}) {
    mkdirSync(directory, {recursive: true});
    // A monotonic clock of the machine, so the names sort by the time of the start.
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

/** A file as the delegate finds it, with its content and modes. */
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
