/** Owns the choice of context, cluster, user and namespace from a kubeconfig and the flags that override it. */
import {TiltbuildError} from '../../errors.ts';
import {findNearName} from '../../text/near-name.ts';
import type {Kubeconfig} from '../kubeconfig/merge.ts';
import type {Entry} from '../kubeconfig/parse.ts';
import {type KubeconfigPaths, missingKubeconfig} from '../kubeconfig/paths.ts';
import type {ClusterFields, ContextFields, UserFields} from '../kubeconfig/shape.ts';
import {checkClusterFields, checkUserFields} from './target-check.ts';
import {overrideCluster, overrideUser, type TargetOverrides} from './target-overrides.ts';

export type {TargetOverrides} from './target-overrides.ts';

export type TargetCluster = ClusterFields & {readonly name: string; readonly server: string};
export type TargetUser = UserFields & {readonly name: string};

/** What a build is aimed at, all flags applied. Names are empty where nothing was named. */
export interface Target {
  readonly context: string;
  readonly namespace: string;
  readonly cluster: TargetCluster;
  readonly user: TargetUser;
  /** The current context of the files, whatever --context says. */
  readonly currentContext: string | undefined;
}

export interface TargetSurroundings {
  /** Where the kubeconfig was looked for. */
  readonly lookedAt: KubeconfigPaths;
  /** The namespace of the pod that we run in, if any: a context without a namespace gets it. */
  readonly podNamespace?: string | undefined;
}

/** The target that kubectl would choose, or an error that says what is missing and what there is. */
export function resolveTarget(
  kubeconfig: Kubeconfig,
  overrides: TargetOverrides,
  {lookedAt, podNamespace}: TargetSurroundings,
): Target {
  const context = chooseContext(kubeconfig, overrides, lookedAt);
  const cluster = chooseCluster(kubeconfig, overrides, context);
  const user = chooseUser(kubeconfig, overrides, context);
  return {
    context: context?.name ?? '',
    namespace: overrides.namespace || context?.fields.namespace || podNamespace || 'default',
    cluster,
    user,
    currentContext: kubeconfig.currentContext || undefined,
  };
}

/** Undefined where flags say all that a context would. */
function chooseContext(
  kubeconfig: Kubeconfig,
  overrides: TargetOverrides,
  lookedAt: KubeconfigPaths,
): Entry<ContextFields> | undefined {
  const {contexts, currentContext} = kubeconfig;
  const name = overrides.context || currentContext;
  const found = contexts.get(name);
  if (name !== '' && found !== undefined) return found;
  if (name === '' && (overrides.server || overrides.cluster)) return undefined;
  if (kubeconfig.files.length === 0) throw missingKubeconfig(lookedAt);
  const detail = listNames('context', [...contexts.keys()]);
  if (name === '') {
    throw new TiltbuildError(
      'context-missing',
      'The kubeconfig has no current context, and none was chosen.',
      {
        detail: [...kubeconfig.files.map((file) => `read ${file}`), ...detail],
        remedy: ['Choose one with `kubectl config use-context NAME` or with --context NAME.'],
      },
    );
  }
  const source = overrides.context ? 'given with --context' : 'that is current';
  throw new TiltbuildError('context-missing', `The kubeconfig has no context "${name}", ${source}.`, {
    detail,
    remedy: suggest('--context', name, [...contexts.keys()]),
  });
}

function chooseCluster(
  kubeconfig: Kubeconfig,
  overrides: TargetOverrides,
  context: Entry<ContextFields> | undefined,
): TargetCluster {
  const name = overrides.cluster || context?.fields.cluster || '';
  const entry = kubeconfig.clusters.get(name);
  // With --server kubectl needs no entry, unless one is named by a flag.
  if (entry === undefined && (overrides.cluster || !overrides.server)) {
    throw missingEntry(
      'cluster',
      name,
      [...kubeconfig.clusters.keys()],
      overrides.cluster ? undefined : context,
    );
  }
  const fields = overrideCluster(entry?.fields ?? {}, overrides);
  return {...fields, name, server: checkClusterFields(name, entry?.file, fields)};
}

function chooseUser(
  kubeconfig: Kubeconfig,
  overrides: TargetOverrides,
  context: Entry<ContextFields> | undefined,
): TargetUser {
  const name = overrides.user || context?.fields.user || '';
  const entry = kubeconfig.users.get(name);
  // A context may name no user at all. Where it names one that is missing, a flag can still identify the user.
  const identified = overrides.token || overrides.clientCertificate;
  if (entry === undefined && name !== '' && (overrides.user || !identified)) {
    throw missingEntry('user', name, [...kubeconfig.users.keys()], overrides.user ? undefined : context);
  }
  const fields = overrideUser(entry?.fields ?? {}, overrides);
  checkUserFields(name, entry?.file, fields);
  return {...fields, name};
}

function missingEntry(
  kind: 'cluster' | 'user',
  name: string,
  names: readonly string[],
  context: Entry<ContextFields> | undefined,
): TiltbuildError {
  if (context === undefined) {
    return new TiltbuildError(
      'context-missing',
      `The kubeconfig has no ${kind} "${name}", given with --${kind}.`,
      {
        detail: listNames(kind, names),
        remedy: suggest(`--${kind}`, name, names),
      },
    );
  }
  const fault = name === '' ? `names no ${kind}` : `names the ${kind} "${name}", which no kubeconfig has`;
  return new TiltbuildError(
    'kubeconfig-malformed',
    `The context "${context.name}" in ${context.file} ${fault}.`,
    {
      detail: listNames(kind, names),
      remedy: [
        `Correct it with \`kubectl config set-context ${JSON.stringify(context.name)} --${kind}=NAME\`.`,
      ],
    },
  );
}

function listNames(kind: string, names: readonly string[]): readonly string[] {
  if (names.length === 0) return [`There is no ${kind}.`];
  return [
    `There ${names.length === 1 ? `is the ${kind}` : `are the ${kind}s`} ${[...names].sort().join(', ')}.`,
  ];
}

function suggest(flag: string, name: string, names: readonly string[]): readonly string[] {
  const nearest = findNearName(name, names, 2);
  return [
    ...(nearest ? [`Did you mean ${flag} ${nearest}?`] : []),
    'See `kubectl config view` for all there is.',
  ];
}
