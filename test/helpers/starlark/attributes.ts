/** Owns x.name: methods of Starlark's types, and what the host gave its modules. */
import {dictMethods, mappingMethods} from './dict-methods.ts';
import {raise} from './errors.ts';
import {listMethods} from './list-methods.ts';
import {type Method, stringMethods} from './string-methods.ts';
import {isKind, isObject, newBuiltin, type StarlarkValue, typeOf} from './values.ts';

/** Gives undefined when there is no such attribute. */
export function findAttribute(of: StarlarkValue, name: string): StarlarkValue | undefined {
  if (typeof of === 'string') return bindMethod(of, name, stringMethods);
  if (isKind(of, 'list')) return bindMethod(of, name, listMethods);
  if (isKind(of, 'dict')) return bindMethod(of, name, dictMethods);
  if (isKind(of, 'mapping')) return bindMethod(of, name, mappingMethods);
  if (isKind(of, 'module') || isKind(of, 'opaque')) return of.attributes.get(name);
  return undefined;
}

function bindMethod<T extends StarlarkValue>(
  self: T,
  name: string,
  methods: Readonly<Record<string, Method<T>>>,
): StarlarkValue | undefined {
  const method = Object.hasOwn(methods, name) ? methods[name] : undefined;
  return method === undefined ? undefined : newBuiltin(name, (call) => method(self, call, name), self);
}

export function getAttribute(of: StarlarkValue, name: string): StarlarkValue {
  const value = findAttribute(of, name);
  return value === undefined ? raise(`${typeOf(of)} has no .${name} field or method`) : value;
}

/** No value of Tilt's lets its attributes be set. */
export function refuseAttributeAssignment(of: StarlarkValue, name: string): never {
  return raise(`can't assign to .${name} field of ${typeOf(of)}`);
}

export function listAttributes(of: StarlarkValue): string[] {
  if (typeof of === 'string') return Object.keys(stringMethods).sort();
  if (!isObject(of)) return [];
  const methods = {list: listMethods, dict: dictMethods, mapping: mappingMethods}[of.kind as 'list'];
  if (methods !== undefined) return Object.keys(methods).sort();
  return 'attributes' in of ? [...of.attributes.keys()].sort() : [];
}
