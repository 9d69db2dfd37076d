/** Owns the choice of context, cluster, user and namespace from a kubeconfig and the flags that override it. */
import {TiltbuildError} from '../../errors.ts';
import {type Advice, advise, command, flag} from '../../text/advice.ts';
import {findNearName} from '../../text/near-name.ts';
import type {TargetOverrides} from '../connection.ts';
import type {Kubeconfig} from '../kubeconfig/merge.ts';
import type {Entry} from '../kubeconfig/parse.ts';
import {type KubeconfigPaths, missingKubeconfig} from '../kubeconfig/paths.ts';
import type {ClusterFields, ContextFields, UserFields} from '../kubeconfig/shape.ts';
import {findClusterFault, findContextFault, findUserFault} from './faults.ts';
import {overrideCluster, overrideUser} from './overrides.ts';
import {usesTls} from './server-address.ts';

export type TargetCluster = ClusterFields & {readonly name: string; readonly server: string};
export type TargetUser = UserFields & {readonly name: string};

/** What a build is aimed at, all flags applied. Names are empty where nothing was named. */
export interface Target {
  readonly context: string;
  readonly namespace: string;
  readonly cluster: TargetCluster;
  readonly user: TargetUser;
  /** The kubeconfig that has the cluster; undefined where flags stand for it. */
  readonly clusterFile?: string;
}

/**
 * The target that kubectl would choose, or an error that says what is missing and what there is. `lookedAt` is where
 * the kubeconfig was looked for; `podNamespace` that of the pod that we run in, if any.
 */
export function resolveTarget(
  kubeconfig: Kubeconfig,
  overrides: TargetOverrides,
  {lookedAt, podNamespace}: {readonly lookedAt: KubeconfigPaths; readonly podNamespace?: string | undefined},
): Target {
  const context = chooseContext(kubeconfig, overrides, lookedAt);

  const cluster = chooseEntry('cluster', kubeconfig.clusters, overrides, context);
  const clusterFields = overrideCluster(cluster.fields, overrides);
  demandNoFault('cluster', cluster, findClusterFault(clusterFields));

  const user = chooseEntry('user', kubeconfig.users, overrides, context);
  const userFields = overrideUser(user.fields, overrides);
  demandNoFault('user', user, findUserFault(userFields));

  if (context !== undefined) demandNoFault('context', context, findContextFault(context.fields));

  return {
    context: context?.name ?? '',
    namespace: overrides.namespace || context?.fields.namespace || podNamespace || 'default',
    cluster: {...clusterFields, name: cluster.name, server: clusterFields.server ?? ''},
    user: {
      ...(usesTls(clusterFields.server ?? '') ? userFields : onlyImpersonation(userFields)),
      name: user.name,
    },
    ...(cluster.file !== undefined && {clusterFile: cluster.file}),
  };
}

/** What client-go sends in the clear. */
function onlyImpersonation(fields: UserFields): UserFields {
  const {as, 'as-uid': asUid, 'as-groups': asGroups, 'as-user-extra': asUserExtra} = fields;
  return {
    ...(as !== undefined && {as}),
    ...(asUid !== undefined && {'as-uid': asUid}),
    ...(asGroups !== undefined && {'as-groups': asGroups}),
    ...(asUserExtra !== undefined && {'as-user-extra': asUserExtra}),
  };
}

/** Undefined where flags say all that a context would. */
function chooseContext(
  {contexts, currentContext, files}: Kubeconfig,
  overrides: TargetOverrides,
  lookedAt: KubeconfigPaths,
): Entry<ContextFields> | undefined {
  const name = overrides.context || currentContext;
  const found = contexts.get(name);
  if (found !== undefined) return found;
  if (name === '' && (overrides.server || overrides.cluster)) return undefined;
  if (files.length === 0) throw missingKubeconfig(lookedAt);
  const names = [...contexts.keys()];
  if (name === '') {
    throw new TiltbuildError('context-missing', 'The kubeconfig has no current context.', {
      detail: [`kubeconfig files: ${files.join(', ')}`, listNames('context', names)],
      remedy: [
        advise`Choose one with ${command('kubectl', 'config', 'use-context', 'NAME')} or with ${flag('context', 'NAME')}.`,
      ],
    });
  }
  if (overrides.context) throw missingByFlag('context', name, names);
  throw new TiltbuildError(
    'context-missing',
    `The kubeconfig has no context "${name}", its current context.`,
    {
      detail: [listNames('context', names)],
      remedy: suggest('context', name, names),
    },
  );
}

interface Chosen<Fields> {
  readonly name: string;
  /** Undefined where flags stand for an entry. */
  readonly file?: string;
  readonly fields: Fields;
}

function chooseEntry<Fields extends object>(
  kind: 'cluster' | 'user',
  entries: ReadonlyMap<string, Entry<Fields>>,
  overrides: TargetOverrides,
  context: Entry<ContextFields> | undefined,
): Chosen<Fields> {
  const name = overrides[kind] || context?.fields[kind] || '';
  const entry = entries.get(name);
  if (entry !== undefined) return entry;
  if (!overrides[kind] && isDispensable(kind, name, overrides)) return {name, fields: {} as Fields};
  const names = [...entries.keys()];
  throw overrides[kind] || context === undefined
    ? missingByFlag(kind, name, names)
    : missingInContext(kind, name, names, context);
}

/** With --server kubectl needs no cluster. A context need not name a user, and flags can identify a missing one. */
function isDispensable(kind: 'cluster' | 'user', name: string, overrides: TargetOverrides): boolean {
  if (kind === 'cluster') return Boolean(overrides.server);
  return name === '' || Boolean(overrides.token || overrides.clientCertificate);
}

function demandNoFault(kind: string, {name, file}: Chosen<unknown>, fault: string | undefined): void {
  if (fault === undefined) return;
  const subject = name === '' ? `The ${kind} given by flags` : `The ${kind} "${name}"`;
  const place = file === undefined ? '' : ` in ${file}`;
  throw new TiltbuildError('kubeconfig-malformed', `${subject}${place} ${fault}.`, {
    remedy: [`Correct the ${kind} in the kubeconfig, or the flags that override it.`],
  });
}

function missingByFlag(
  kind: 'context' | 'cluster' | 'user',
  name: string,
  names: readonly string[],
): TiltbuildError {
  return new TiltbuildError(
    'context-missing',
    `The kubeconfig has no ${kind} "${name}", given with --${kind}.`,
    {
      detail: [listNames(kind, names)],
      remedy: suggest(kind, name, names),
    },
  );
}

function missingInContext(
  kind: 'cluster' | 'user',
  name: string,
  names: readonly string[],
  context: Entry<ContextFields>,
): TiltbuildError {
  const fault = name === '' ? `has no ${kind}` : `names the ${kind} "${name}", which does not exist`;
  return new TiltbuildError(
    'kubeconfig-malformed',
    `The context "${context.name}" in ${context.file} ${fault}.`,
    {
      detail: [listNames(kind, names)],
      remedy: [
        advise`Correct it with ${command('kubectl', 'config', 'set-context', context.name, `--${kind}=NAME`)}.`,
      ],
    },
  );
}

function listNames(kind: string, names: readonly string[]): string {
  return names.length === 0 ? `There are no ${kind}s.` : `${kind}s: ${names.toSorted().join(', ')}`;
}

function suggest(kind: string, name: string, names: readonly string[]): readonly Advice[] {
  const nearest = findNearName(name, names, 2);
  return [
    ...(nearest ? [advise`Did you mean ${flag(kind, nearest)}?`] : []),
    advise`Run ${command('kubectl', 'config', 'view')} to see all of them.`,
  ];
}
