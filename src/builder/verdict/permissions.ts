/** Owns which permissions a build and a builder need in their namespace, and which of them the user lacks. */
import type {ClusterFacts, ResourceRule} from '../../cluster/api/facts.ts';
import {namespacePath} from '../../cluster/api/paths.ts';
import type {Cluster} from '../../cluster/ports.ts';
import {TiltbuildError} from '../../errors.ts';
import {advise, command, flag} from '../../text/advice.ts';

/** `get deployments.apps` or `create pods/exec`, as `kubectl auth can-i` takes them. */
export type Permission = `${string} ${string}`;

/** What kubectl build does in every build; without one of these it fails late, or retries forever. */
export const BUILD_PERMISSIONS: readonly Permission[] = [
  'get deployments.apps',
  'list deployments.apps',
  'list pods',
  // It reaches BuildKit through `exec`, as a POST (its execconn).
  'create pods/exec',
];

/** What creating a builder needs besides, and watching it start. */
export const BUILDER_PERMISSIONS: readonly Permission[] = [
  'create deployments.apps',
  'create configmaps',
  // A server-side apply is a PATCH.
  'patch configmaps',
  'list events',
];

const REPLACE_PERMISSIONS: readonly Permission[] = ['update deployments.apps', 'patch configmaps'];

/** Those of `wanted` that no rule grants for a builder called `name`; none where the rules are not known. */
export function missingPermissions(
  rules: readonly ResourceRule[] | undefined,
  wanted: readonly Permission[],
  name?: string,
): readonly Permission[] {
  return rules === undefined
    ? []
    : wanted.filter((permission) => !rules.some((rule) => grants(rule, permission, name)));
}

function grants(rule: ResourceRule, permission: Permission, name: string | undefined): boolean {
  const [verb = '', full = ''] = permission.split(' ');
  const [resource = '', group = ''] = full.split('.');
  const subresource = resource.includes('/') ? `*/${resource.split('/')[1]}` : undefined;
  return (
    // A request without a name, such as a list, is never granted for some names only.
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

/** Missing permissions of a build. The server may refuse a list that its rules seem to grant. */
export function missingForBuild(
  {deployments, rules}: ClusterFacts,
  name: string,
  wanted = BUILD_PERMISSIONS,
): readonly Permission[] {
  const missing = missingPermissions(rules, wanted, name);
  return deployments?.kind === 'forbidden' && missing.length === 0 ? ['list deployments.apps'] : missing;
}

/**
 * Throws `cluster-denied` if one is missing: kubectl build would need it as well, and retries forever without it (its
 * source, `createConfigMap` and `createBuilder`).
 */
export function demandPermissions(
  facts: ClusterFacts,
  namespace: string,
  wanted: readonly Permission[],
  name: string,
): void {
  const [first, ...more] = missingForBuild(facts, name, wanted);
  if (first === undefined) return;
  const detail = facts.deployments?.kind === 'forbidden' ? [facts.deployments.message] : [];
  throw missingPermission([first, ...more], namespace, detail);
}

/** `detail` is what the server said. */
export function missingPermission(
  missing: readonly [Permission, ...Permission[]],
  namespace: string,
  detail: readonly string[],
): TiltbuildError {
  return new TiltbuildError(
    'cluster-denied',
    `You do not have permission to ${missing.join(', ')} in namespace "${namespace}", which a build needs.`,
    {
      detail,
      remedy: [
        advise`Ask for ${missing.length === 1 ? 'this permission' : 'these permissions'}, or build in another namespace with ${flag('namespace', 'NAME')}.`,
        advise`To check: ${command('kubectl', 'auth', 'can-i', ...missing[0].split(' '), '--namespace', namespace)}`,
      ],
    },
  );
}

/** Throws `namespace-missing`; kubectl build would retry for a minute and a half. */
export async function demandNamespace(namespace: string, cluster: Cluster): Promise<void> {
  const answer = await cluster.get(namespacePath(namespace));
  // A user without permission to get namespaces may still have permission to build in one.
  if (answer.kind !== 'missing') return;
  throw new TiltbuildError('namespace-missing', `There is no namespace "${namespace}" in this cluster.`, {
    remedy: [
      advise`Create it with: ${command('kubectl', 'create', 'namespace', namespace)}`,
      advise`Or use another one with ${flag('namespace', 'NAME')}.`,
    ],
  });
}

/** Why the user cannot replace a builder, as a clause; undefined if nothing is in the way. */
export function findObstacle({nodes, rules}: ClusterFacts): string | undefined {
  if (nodes?.kind !== 'found')
    return 'you do not have permission to list nodes, so their container runtime is not known';
  return findMissingChange(rules);
}

/** Why the user cannot change a builder, in the same form. */
export function findMissingChange(rules: ClusterFacts['rules']): string | undefined {
  const missing = missingPermissions(rules, REPLACE_PERMISSIONS);
  return missing.length === 0 ? undefined : `you do not have permission to ${missing.join(', ')}`;
}
