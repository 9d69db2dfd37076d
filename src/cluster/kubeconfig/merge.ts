/** Owns the merging of several kubeconfig files into one, by client-go's rules. */
import type {Entry, KubeconfigFile} from './parse.ts';
import type {ClusterFields, ContextFields, UserFields} from './shape.ts';

export interface Kubeconfig {
  /** The files that exist, in order of precedence. */
  readonly files: readonly string[];
  /** Empty where no file sets one. */
  readonly currentContext: string;
  readonly clusters: ReadonlyMap<string, Entry<ClusterFields>>;
  readonly users: ReadonlyMap<string, Entry<UserFields>>;
  readonly contexts: ReadonlyMap<string, Entry<ContextFields>>;
}

/**
 * Merges files given in order of precedence. The first file with an entry's name wins; later files add nothing to it
 * (client-go, `ClientConfigLoadingRules.Load`).
 */
export function mergeKubeconfigs(files: readonly KubeconfigFile[]): Kubeconfig {
  return {
    files: files.map(({file}) => file),
    currentContext: files.find(({currentContext}) => currentContext !== '')?.currentContext ?? '',
    clusters: takeFirst(files.flatMap(({clusters}) => clusters)),
    users: takeFirst(files.flatMap(({users}) => users)),
    contexts: takeFirst(files.flatMap(({contexts}) => contexts)),
  };
}

function takeFirst<Fields>(entries: readonly Entry<Fields>[]): ReadonlyMap<string, Entry<Fields>> {
  const first = new Map<string, Entry<Fields>>();
  for (const entry of entries) if (!first.has(entry.name)) first.set(entry.name, entry);
  return first;
}
