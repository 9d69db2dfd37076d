/** Owns which kubeconfig files are read: that of the flag, else those in KUBECONFIG, else that in the home directory. */
import type {posix} from 'node:path';
import {TiltbuildError} from '../../errors.ts';
import {advise, command, flag} from '../../text/advice.ts';

export interface KubeconfigPaths {
  /** Whether the flag named the file. It must exist then; other files may be missing. */
  readonly explicit: boolean;
  /** Absolute, in order of precedence. */
  readonly paths: readonly string[];
}

interface KubeconfigSources {
  /** `--kubeconfig` */
  readonly flag?: string | undefined;
  /** `KUBECONFIG` */
  readonly env?: string | undefined;
  /** Empty where there is none. */
  readonly home: string;
  readonly cwd: string;
  /** `node:path`'s `posix` or `win32`. */
  readonly rules: typeof posix;
}

/** The same files as client-go's `NewDefaultClientConfigLoadingRules`. */
export function kubeconfigPaths({flag, env, home, cwd, rules}: KubeconfigSources): KubeconfigPaths {
  if (flag) return {explicit: true, paths: [rules.resolve(cwd, flag)]};
  // A KUBECONFIG with separators only names no file, and the home directory does not matter.
  if (env) {
    const listed = splitList(env, rules.delimiter).filter((path) => path !== '');
    return {explicit: false, paths: [...new Set(listed)].map((path) => rules.resolve(cwd, path))};
  }
  return {explicit: false, paths: [rules.resolve(cwd, home, '.kube', 'config')]};
}

/** The error where none of the files exists. */
export function missingKubeconfig({explicit, paths}: KubeconfigPaths): TiltbuildError {
  const [first] = paths;
  if (explicit) {
    return new TiltbuildError(
      'kubeconfig-missing',
      `The kubeconfig ${first} given with --kubeconfig does not exist.`,
    );
  }
  return new TiltbuildError('kubeconfig-missing', 'No kubeconfig was found.', {
    detail:
      paths.length === 0 ? ['KUBECONFIG names no file.'] : paths.map((path) => `${path} does not exist.`),
    remedy: [
      advise`Create a cluster, for example with ${command('kind', 'create', 'cluster')} or ${command('minikube', 'start')}.`,
      advise`Or choose a kubeconfig with ${flag('kubeconfig', 'FILE')} or the environment variable KUBECONFIG.`,
    ],
  });
}

/** Go's `filepath.SplitList`: on Windows double quotes protect a semicolon, and are removed. */
function splitList(list: string, delimiter: string): readonly string[] {
  if (delimiter !== ';') return list.split(delimiter);
  const parts = [''];
  let quoted = false;
  for (const character of list) {
    if (character === '"') quoted = !quoted;
    else if (character === ';' && !quoted) parts.push('');
    else parts.push(parts.pop() + character);
  }
  return parts;
}
