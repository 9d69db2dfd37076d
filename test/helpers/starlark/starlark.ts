/** Owns the use of Starlark by tests: running files and calling their functions with stand-ins of Tilt's builtins. */
import {callValue} from './calls.ts';
import {withinCall} from './errors.ts';
import {freeze} from './freezing.ts';
import {parseFile} from './parser.ts';
import {resolveFile} from './resolver.ts';
import {executeBlock, type LoadModule} from './statements.ts';
import {createUniverse} from './universe.ts';
import {
  type Builtin,
  type Call,
  type Mapping,
  type MappingHost,
  type Module,
  newBuiltin,
  type Opaque,
  type Scope,
  type StarlarkValue,
} from './values.ts';

export {takeArguments, takePositional} from './builtin-arguments.ts';
export {fromJs, toJs} from './conversion.ts';
export {StarlarkError} from './errors.ts';
export {toText} from './text.ts';
export {type Call, newList, newTuple, type StarlarkValue, typeOf} from './values.ts';

export interface ExecuteOptions {
  /** Stands in errors. */
  readonly filename: string;
  readonly predeclared?: Readonly<Record<string, StarlarkValue>>;
  /** Resolves load(); gives the globals of the other file. */
  readonly load?: LoadModule;
  readonly print?: (line: string) => void;
}

/** Runs a file; gives its globals, frozen as Starlark freezes them. Throws a StarlarkError. */
export function execute(source: string, options: ExecuteOptions): Record<string, StarlarkValue> {
  const {filename, predeclared = {}, load, print = () => {}} = options;
  const universe = createUniverse(print);
  const statements = parseFile(source, filename);
  const {container, globals} = resolveFile(statements, filename, {
    isPredeclared: (name) => Object.hasOwn(predeclared, name),
    isUniversal: (name) => universe.has(name),
  });
  const site = {name: '<toplevel>', file: filename, at: {line: 1, column: 1}};
  const scope: Scope = {
    container,
    slots: new Map(),
    parent: undefined,
    file: {name: filename, predeclared: new Map([...universe, ...Object.entries(predeclared)])},
    site,
  };
  const held = (): [string, StarlarkValue][] =>
    [...globals].flatMap(([name, binding]) => {
      const value = scope.slots.get(binding);
      return value === undefined ? [] : [[name, value] as [string, StarlarkValue]];
    });
  try {
    withinCall(site, () => executeBlock(statements, scope, load));
  } finally {
    for (const [, value] of held()) freeze(value);
  }
  return Object.fromEntries(held());
}

/** Calls a function or builtin from the host. */
export function callFunction(fn: StarlarkValue, call: Partial<Call> = {}): StarlarkValue {
  return callValue(fn, {positional: call.positional ?? [], named: call.named ?? new Map()});
}

/** Makes a builtin of a host function. What it throws becomes the error of the call; undefined becomes None. */
export function builtin(name: string, run: (call: Call) => StarlarkValue | undefined): Builtin {
  return newBuiltin(name, run);
}

/** Makes something like Tilt's `os` or `shlex`. */
export function module(name: string, attributes: Readonly<Record<string, StarlarkValue>>): Module {
  return {kind: 'module', name, attributes: new Map(Object.entries(attributes))};
}

/** Makes something like Tilt's `os.environ`: a dict of strings whose entries the host keeps, in a Map for example. */
export function mapping(type: string, host: MappingHost): Mapping {
  return {kind: 'mapping', type, host};
}

/** Makes a value of the host's own, as Tilt's `blob` is: str() gives its text, toJs() what the host keeps. */
export function opaque(
  type: string,
  text: string,
  host: unknown = text,
  attributes: Readonly<Record<string, StarlarkValue>> = {},
): Opaque {
  return {kind: 'opaque', type, text, host, attributes: new Map(Object.entries(attributes))};
}
