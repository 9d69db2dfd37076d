/** Owns which manager has set which field: server-side apply, and what other writes do to that record. */
import {isDeepStrictEqual} from 'node:util';
import {
  type FieldPath,
  fromFieldsV1,
  mergeFields,
  pathsOf,
  toFieldsV1,
  valueAt,
  without,
} from './api-fields.ts';
import {now, withMetadata} from './api-objects.ts';
import type {ApiObject} from './api-samples.ts';

interface Manager {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  readonly time: string;
  readonly fieldsType: 'FieldsV1';
  readonly fieldsV1: Record<string, unknown>;
}

export interface Conflict {
  readonly manager: string;
  readonly apiVersion: string;
  readonly field: string;
}

/** Who set what, where an object says so. */
function managersOf(object: ApiObject | undefined): readonly Manager[] {
  return (object?.metadata.managedFields ?? []) as readonly Manager[];
}

function withManagers(object: ApiObject, managers: readonly Manager[]): ApiObject {
  return withMetadata(object, {
    managedFields: managers.filter(({fieldsV1}) => Object.keys(fieldsV1).length > 0),
  });
}

function describeManager(
  object: ApiObject,
  manager: string,
  operation: Manager['operation'],
  paths: readonly FieldPath[],
): Manager {
  const apiVersion = object.apiVersion ?? 'v1';
  return {manager, operation, apiVersion, time: now(), fieldsType: 'FieldsV1', fieldsV1: toFieldsV1(paths)};
}

const keyOf = (path: FieldPath) => path.join('\n');

/** The object as it becomes, or the conflicts that stand in the way. */
export function applyFields(
  live: ApiObject | undefined,
  applied: ApiObject,
  {manager, force}: {readonly manager: string; readonly force: boolean},
): ApiObject | readonly Conflict[] {
  const isMine = (entry: Manager) => entry.manager === manager && entry.operation === 'Apply';
  const managers = managersOf(live);
  const mine = managers.filter(isMine);
  const others = managers.filter((entry) => !isMine(entry));
  const paths = pathsOf(applied);
  const wanted = new Set(paths.map(keyOf));
  const differs = (path: FieldPath) =>
    wanted.has(keyOf(path)) &&
    path.at(-1) !== '.' &&
    !isDeepStrictEqual(valueAt(live, path), valueAt(applied, path));

  const conflicts = others.flatMap((entry) =>
    fromFieldsV1(entry.fieldsV1)
      .filter(differs)
      .map((path) => ({manager: entry.manager, apiVersion: entry.apiVersion, field: writePath(path)})),
  );
  if (conflicts.length > 0 && !force) return conflicts;

  const heldByOthers = others.flatMap(({fieldsV1}) => fromFieldsV1(fieldsV1));
  const given = mine
    .flatMap(({fieldsV1}) => fromFieldsV1(fieldsV1))
    .filter((path) => !wanted.has(keyOf(path)));
  const dropped = given.filter((path) => {
    const prefix = keyOf(path.at(-1) === '.' ? path.slice(0, -1) : path);
    return ![...heldByOthers, ...paths].some((other) => `${keyOf(other)}\n`.startsWith(`${prefix}\n`));
  });
  const kept = dropped.reduce<unknown>((object, path) => without(object, path), live) ?? {};
  const merged = mergeFields(kept, applied) as ApiObject;
  const next = withManagers(merged, [
    ...others.map((entry) => ({
      ...entry,
      fieldsV1: toFieldsV1(fromFieldsV1(entry.fieldsV1).filter((path) => !differs(path))),
    })),
    describeManager(applied, manager, 'Apply', paths),
  ]);
  return live !== undefined && isDeepStrictEqual(withoutTimes(next), withoutTimes(live)) ? live : next;
}

/** After a write that is no apply: what was changed is the writer's, what is gone is nobody's. */
export function updateFields(live: ApiObject | undefined, next: ApiObject, manager: string): ApiObject {
  const changed = pathsOf(next).filter(
    (path) => path.at(-1) !== '.' && !isDeepStrictEqual(valueAt(live, path), valueAt(next, path)),
  );
  const taken = new Set(changed.map(keyOf));
  const isMine = (entry: Manager) => entry.manager === manager && entry.operation === 'Update';
  const left = (entry: Manager) =>
    fromFieldsV1(entry.fieldsV1).filter(
      (path) => valueAt(next, path) !== undefined && (isMine(entry) || !taken.has(keyOf(path))),
    );
  const managers = managersOf(live);
  const own = managers.filter(isMine).flatMap(left);
  const owned = new Set(own.map(keyOf));
  return withManagers(next, [
    ...managers
      .filter((entry) => !isMine(entry))
      .map((entry) => ({...entry, fieldsV1: toFieldsV1(left(entry))})),
    describeManager(next, manager, 'Update', [...own, ...changed.filter((path) => !owned.has(keyOf(path)))]),
  ]);
}

function withoutTimes(object: ApiObject): unknown {
  const managedFields = managersOf(object)
    .map(({time: _, ...entry}) => entry)
    .sort((one, other) => one.manager.localeCompare(other.manager));
  return withMetadata(object, {managedFields});
}

/** `.spec.template.spec.containers[name="buildkitd"].image` */
function writePath(path: FieldPath): string {
  return path
    .map((step) => {
      if (!step.startsWith('k:')) return step === '.' ? '' : `.${step.slice(2)}`;
      const key = Object.entries(JSON.parse(step.slice(2)) as Record<string, unknown>);
      return `[${key.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(',')}]`;
    })
    .join('');
}
