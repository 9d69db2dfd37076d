/** Owns the run of a Tiltfile: as Python, on MicroPython, once what only Python has is refused. */
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
// @ts-expect-error: it comes without types.
import {loadMicroPython} from '@micropython/micropython-webassembly-pyscript/micropython.mjs';
import {StarlarkError, toPython} from './to-python.ts';

/** The arguments of a call by their names, as plain values. */
export type Arguments = Readonly<Record<string, unknown>>;
/**
 * The parameters, as in `path:string only:list? default:string??` (which may be None as well), and what it does. It gives
 * a plain value, or `{kind: 'blob', content}` for one of a type that only Tilt has.
 */
export type Builtin = readonly [parameters: string, run: (given: Arguments) => unknown];
export interface Surroundings {
  /** By names such as `warn` and `os.getcwd`. */
  readonly builtins?: Readonly<Record<string, Builtin>>;
  readonly values?: Arguments;
  /** The text of a file to load. */
  readonly read?: (path: string) => string;
}

const PRELUDE = readFileSync(join(import.meta.dirname, 'prelude.py'), 'utf8');
/** A file here loads at most one other, in one line. */
const LOAD = /^load\('(.+?)', ('\w+'(?:, '\w+')*)\)$/m;
const python: {
  runPython(source: string): void;
  readonly globals: {get(name: string): (...words: readonly unknown[]) => unknown};
} = await loadMicroPython();

/** Runs a file; gives the values as they are then. Throws a StarlarkError. */
export function execute(source: string, filename: string, surroundings: Surroundings = {}): Arguments {
  const {builtins = {}, values = {}, read = () => ''} = surroundings;
  const call = (name: string, ...words: readonly unknown[]) => String(python.globals.get(name)(...words));
  let thrown: unknown;
  // What is thrown through WebAssembly would leave MicroPython in the middle of what it did.
  const host = (name: string, given: string) => {
    try {
      return JSON.stringify([builtins[name]?.[1](Object.fromEntries(JSON.parse(given))) ?? null]);
    } catch (error) {
      thrown = error;
      return '[]';
    }
  };
  const run = (text: string, path: string, known: readonly string[]): void => {
    const [statement = '', from, names = ''] = LOAD.exec(text) ?? [];
    if (from !== undefined) run(read(from), from, known);
    const loaded = names.match(/\w+/g) ?? [];
    if (loaded.some((name) => name.startsWith('_'))) throw new StarlarkError(`not exported: ${names}`);
    call('run', toPython(text.replace(statement, ''), path, [...known, ...loaded]), path, loaded.join(' '));
  };
  try {
    python.runPython(PRELUDE);
    // Of a builtin, JSON has the parameters.
    const known = JSON.parse(call('start', JSON.stringify(builtins), JSON.stringify(values), host));
    run(source, filename, known);
    return JSON.parse(call('finish'));
  } catch (error) {
    if (!(error instanceof Error && error.name === 'PythonError')) throw error;
    throw thrown ?? new StarlarkError(error.message, {cause: error});
  }
}
