/** Owns paths to fields as `managedFields` writes them, and what they lead to in an object. */

/** `f:spec`, `k:{"name":"x"}` for an element of a list, `.` for an element as such. */
export type FieldPath = readonly string[];

/** Lists whose elements have an identity, by the name of the field; all others are one value. */
const listKeys: Readonly<Record<string, readonly string[]>> = {
  containers: ['name'],
  initContainers: ['name'],
  volumes: ['name'],
  env: ['name'],
  volumeMounts: ['mountPath'],
  ports: ['containerPort', 'protocol'],
  imagePullSecrets: ['name'],
  topologySpreadConstraints: ['topologyKey', 'whenUnsatisfiable'],
  conditions: ['type'],
};
/** Objects that are one value. */
const atomic = new Set([
  'selector',
  'labelSelector',
  'nodeSelector',
  'fieldRef',
  'configMapKeyRef',
  'secretKeyRef',
]);

type Json = Record<string, unknown>;

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function elementKey(field: string, element: unknown): string | undefined {
  const keys = listKeys[field];
  if (keys === undefined || !isObject(element)) return undefined;
  const defaults: Json = {protocol: 'TCP'};
  return `k:${JSON.stringify(Object.fromEntries(keys.map((key) => [key, element[key] ?? defaults[key]])))}`;
}

/** All that a configuration says, apart from what identifies the object. */
export function pathsOf(value: unknown, path: FieldPath = []): FieldPath[] {
  const field = path.at(-1)?.slice(2) ?? '';
  if (isObject(value) && !atomic.has(field)) {
    const entries = Object.entries(value).filter(([key]) => !isIdentity([...path, `f:${key}`]));
    if (entries.length === 0) return path.length > 1 ? [path] : [];
    return entries.flatMap(([key, child]) => pathsOf(child, [...path, `f:${key}`]));
  }
  if (Array.isArray(value) && value.length > 0 && elementKey(field, value[0]) !== undefined) {
    return value.flatMap((element) => {
      const inside = [...path, elementKey(field, element) ?? ''];
      return [[...inside, '.'], ...pathsOf(element, inside)];
    });
  }
  return [path];
}

const identity = new Set([
  'apiVersion',
  'kind',
  'status',
  'metadata/name',
  'metadata/namespace',
  'metadata/uid',
]);
for (const field of ['resourceVersion', 'generation', 'creationTimestamp', 'managedFields', 'selfLink']) {
  identity.add(`metadata/${field}`);
}

function isIdentity(path: FieldPath): boolean {
  return path.length <= 2 && identity.has(path.map((step) => step.slice(2)).join('/'));
}

export function valueAt(value: unknown, path: FieldPath): unknown {
  return path.reduce<unknown>((current, step, index) => {
    if (step === '.') return current;
    if (step.startsWith('f:')) return isObject(current) ? current[step.slice(2)] : undefined;
    const field = path[index - 1]?.slice(2) ?? '';
    return Array.isArray(current)
      ? current.find((element) => elementKey(field, element) === step)
      : undefined;
  }, value);
}

/** A copy without the field; objects that are left empty go as well. */
export function without(value: unknown, path: FieldPath, field = ''): unknown {
  const [step, ...rest] = path;
  if (step === undefined || step === '.') return undefined;
  if (Array.isArray(value)) {
    const left = value.flatMap((element) => {
      if (elementKey(field, element) !== step) return [element];
      const kept = without(element, rest);
      return kept === undefined ? [] : [kept];
    });
    return left.length > 0 ? left : undefined;
  }
  const key = step.slice(2);
  if (!isObject(value) || !(key in value)) return value;
  const {[key]: child, ...others} = value;
  const kept = rest.length === 0 ? undefined : without(child, rest, key);
  if (kept !== undefined) return {...value, [key]: kept};
  return Object.keys(others).length > 0 ? others : undefined;
}

/** The second over the first: objects and lists with identities together, anything else as the second says. */
export function mergeFields(live: unknown, applied: unknown, field = ''): unknown {
  if (isObject(live) && isObject(applied) && !atomic.has(field)) {
    const merged: Json = {...live};
    for (const [key, child] of Object.entries(applied)) {
      if (child === null) delete merged[key];
      else merged[key] = mergeFields(live[key], child, key);
    }
    return merged;
  }
  if (Array.isArray(live) && Array.isArray(applied) && elementKey(field, applied[0]) !== undefined) {
    const wanted = new Map(applied.map((element) => [elementKey(field, element), element]));
    const kept = live.map((element) => {
      const key = elementKey(field, element);
      const other = wanted.get(key);
      wanted.delete(key);
      return other === undefined ? element : mergeFields(element, other);
    });
    return [...kept, ...wanted.values()];
  }
  return applied;
}

/** As the API writes a set of fields. */
export function toFieldsV1(paths: readonly FieldPath[]): Json {
  const root: Json = {};
  for (const path of paths) {
    let at = root;
    for (const step of path) {
      at[step] ??= {};
      at = at[step] as Json;
    }
  }
  return root;
}

export function fromFieldsV1(fields: Json, path: FieldPath = []): FieldPath[] {
  const steps = Object.entries(fields);
  if (steps.length === 0) return path.length > 0 ? [path] : [];
  return steps.flatMap(([step, inside]) => fromFieldsV1(inside as Json, [...path, step]));
}
