/** Owns which rights a build needs in its namespace, and which of them a user lacks. */
import type {ResourceRule} from '../../cluster/api/facts.ts';

export interface Right {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
}

/** What kubectl build does at every build; without one of these it fails late, or retries for ever. */
export const BUILD_RIGHTS: readonly Right[] = [
  {verb: 'get', group: 'apps', resource: 'deployments'},
  {verb: 'list', group: 'apps', resource: 'deployments'},
  {verb: 'list', group: '', resource: 'pods'},
  // It reaches BuildKit through `exec`, as a POST (its execconn).
  {verb: 'create', group: '', resource: 'pods/exec'},
];

/** What making a builder takes on top, and saying what it waits for. */
export const BUILDER_RIGHTS: readonly Right[] = [
  {verb: 'create', group: 'apps', resource: 'deployments'},
  {verb: 'create', group: '', resource: 'configmaps'},
  // A server-side apply is a PATCH.
  {verb: 'patch', group: '', resource: 'configmaps'},
  {verb: 'list', group: '', resource: 'events'},
];

/** What replacing one takes. */
export const REPLACE_RIGHTS: readonly Right[] = [
  {verb: 'update', group: 'apps', resource: 'deployments'},
  {verb: 'patch', group: '', resource: 'configmaps'},
];

/** Those of `wanted` that no rule grants, for a builder called `name`. */
export function missingRights(
  rules: readonly ResourceRule[],
  wanted: readonly Right[],
  name?: string,
): readonly Right[] {
  return wanted.filter((right) => !rules.some((rule) => grants(rule, right, name)));
}

/** `create pods/exec`, or `get deployments.apps`, as `kubectl auth can-i` takes them. */
export function formatRight({verb, group, resource}: Right): string {
  return `${verb} ${resource}${group === '' ? '' : `.${group}`}`;
}

function grants(rule: ResourceRule, {verb, group, resource}: Right, name: string | undefined): boolean {
  const subresource = resource.includes('/') ? `*/${resource.split('/')[1]}` : undefined;
  return (
    // What goes by no name, as a list, is never granted for some names only.
    (rule.resourceNames.length === 0 ||
      (verb === 'get' && name !== undefined && rule.resourceNames.includes(name))) &&
    has(rule.verbs, verb) &&
    has(rule.apiGroups, group) &&
    (has(rule.resources, resource) || (subresource !== undefined && rule.resources.includes(subresource)))
  );
}

function has(values: readonly string[], value: string): boolean {
  return values.includes('*') || values.includes(value);
}
