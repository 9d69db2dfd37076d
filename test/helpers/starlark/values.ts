/** Owns Starlark's values: what they are in this process, their types, and which are true. */
import type {CallSite} from './errors.ts';
import type {Binding, Code, Container, Parameter} from './syntax.ts';

/** None is null, an int is a bigint, a float is a number. */
export type StarlarkValue =
  | null
  | boolean
  | bigint
  | number
  | string
  | List
  | Tuple
  | Dict
  | Range
  | StringParts
  | StarlarkFunction
  | Builtin
  | Module
  | Mapping
  | Opaque;

export interface Call {
  positional: StarlarkValue[];
  named: Map<string, StarlarkValue>;
}

/** What a list or dict knows to refuse changes. */
export interface Changeable {
  frozen: boolean;
  /** Loops over it that are under way. */
  loops: number;
}

export interface List extends Changeable {
  readonly kind: 'list';
  readonly items: StarlarkValue[];
}

export interface Tuple {
  readonly kind: 'tuple';
  readonly items: readonly StarlarkValue[];
}

export interface Dict extends Changeable {
  readonly kind: 'dict';
  /** By what hashKey() makes of the key. */
  readonly entries: Map<unknown, readonly [StarlarkValue, StarlarkValue]>;
}

export interface Range {
  readonly kind: 'range';
  readonly start: number;
  readonly stop: number;
  readonly step: number;
  readonly length: number;
}

/** What "abc".elems() and its like give. */
export interface StringParts {
  readonly kind: 'parts';
  readonly text: string;
  readonly method: string;
  readonly items: readonly StarlarkValue[];
}

/** The variables of a call under way, or of a file. */
export interface Scope {
  readonly container: Container;
  readonly slots: Map<Binding, StarlarkValue>;
  readonly parent: Scope | undefined;
  readonly file: FileContext;
  /** Where the call stands. */
  readonly site: CallSite;
}

export interface FileContext {
  readonly name: string;
  readonly predeclared: ReadonlyMap<string, StarlarkValue>;
}

export interface StarlarkFunction {
  readonly kind: 'function';
  readonly name: string;
  readonly code: Code & {container: Container};
  readonly parameters: readonly Parameter[];
  readonly fallbacks: ReadonlyMap<Parameter, StarlarkValue>;
  readonly scope: Scope;
  readonly run: (scope: Scope) => StarlarkValue;
  frozen: boolean;
}

export interface Builtin {
  readonly kind: 'builtin';
  readonly name: string;
  readonly receiver?: StarlarkValue;
  readonly run: (call: Call) => StarlarkValue | undefined;
}

export interface Module {
  readonly kind: 'module';
  readonly name: string;
  readonly attributes: ReadonlyMap<string, StarlarkValue>;
}

/** Looks like a dict of strings, as Tilt's os.environ does, and keeps its entries with the host. */
export interface Mapping {
  readonly kind: 'mapping';
  readonly type: string;
  readonly host: MappingHost;
}

export interface MappingHost {
  get(key: string): string | undefined;
  set(key: string, value: string): void;
  delete(key: string): void;
  keys(): Iterable<string>;
}

/** A value of the host's own, as Tilt's blob is. */
export interface Opaque {
  readonly kind: 'opaque';
  readonly type: string;
  readonly text: string;
  readonly host: unknown;
  readonly attributes: ReadonlyMap<string, StarlarkValue>;
}

export function newList(items: StarlarkValue[]): List {
  return {kind: 'list', items, frozen: false, loops: 0};
}

export function newTuple(items: readonly StarlarkValue[]): Tuple {
  return {kind: 'tuple', items};
}

export function newBuiltin(
  name: string,
  run: (call: Call) => StarlarkValue | undefined,
  receiver?: StarlarkValue,
): Builtin {
  return receiver === undefined ? {kind: 'builtin', name, run} : {kind: 'builtin', name, run, receiver};
}

/** Narrows to what has a kind. */
export function isObject(value: StarlarkValue): value is Extract<StarlarkValue, object> {
  return typeof value === 'object' && value !== null;
}

export function isKind<K extends Extract<StarlarkValue, object>['kind']>(
  value: StarlarkValue,
  kind: K,
): value is Extract<StarlarkValue, {kind: K}> {
  return isObject(value) && value.kind === kind;
}

export function typeOf(value: StarlarkValue): string {
  if (value === null) return 'NoneType';
  switch (typeof value) {
    case 'boolean':
      return 'bool';
    case 'bigint':
      return 'int';
    case 'number':
      return 'float';
    case 'string':
      return 'string';
  }
  switch (value.kind) {
    case 'builtin':
      return 'builtin_function_or_method';
    case 'parts':
      return value.method.startsWith('codepoint') ? 'string.codepoints' : 'string.elems';
    case 'mapping':
    case 'opaque':
      return value.type;
    default:
      return value.kind;
  }
}

export function isTrue(value: StarlarkValue): boolean {
  if (value === null) return false;
  if (!isObject(value)) return Boolean(value);
  switch (value.kind) {
    case 'list':
    case 'tuple':
      return value.items.length > 0;
    case 'dict':
      return value.entries.size > 0;
    case 'range':
      return value.length > 0;
    case 'mapping':
      return [...value.host.keys()].length > 0;
    default:
      return true;
  }
}
