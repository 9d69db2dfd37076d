/** Owns where the kubeconfig is looked for: the flag, else KUBECONFIG, else the home directory. */
import type path from 'node:path';
import {TiltbuildError} from '../../errors.ts';

export interface KubeconfigPaths {
  /** Whether the file was named by the flag, so that it has to exist; other files may be missing. */
  readonly explicit: boolean;
  /** Absolute, in order of precedence. */
  readonly paths: readonly string[];
}

export interface KubeconfigSources {
  /** `--kubeconfig` */
  readonly flag?: string | undefined;
  /** `KUBECONFIG` */
  readonly env?: string | undefined;
  /** Empty where there is none. */
  readonly home: string;
  readonly cwd: string;
  /** `node:path`'s `posix` or `win32`. */
  readonly rules: Pick<typeof path, 'resolve' | 'delimiter'>;
}

/** The files to read, by the rules of client-go's `NewDefaultClientConfigLoadingRules`. */
export function kubeconfigPaths({flag, env, home, cwd, rules}: KubeconfigSources): KubeconfigPaths {
  if (flag) return {explicit: true, paths: [rules.resolve(cwd, flag)]};
  // A KUBECONFIG that is nothing but separators names no file, and the home directory is not looked at.
  if (env) {
    const listed = splitList(env, rules.delimiter).filter((path) => path !== '');
    return {explicit: false, paths: [...new Set(listed)].map((path) => rules.resolve(cwd, path))};
  }
  return {explicit: false, paths: [rules.resolve(cwd, home, '.kube', 'config')]};
}

/** The error for the case that none of the files is there. */
export function missingKubeconfig({explicit, paths}: KubeconfigPaths): TiltbuildError {
  const [first] = paths;
  if (explicit) {
    return new TiltbuildError(
      'kubeconfig-missing',
      `The kubeconfig ${first} given with --kubeconfig does not exist.`,
    );
  }
  return new TiltbuildError(
    'kubeconfig-missing',
    'No kubeconfig was found, so there is no cluster to build in.',
    {
      detail: paths.length === 0 ? ['KUBECONFIG names no file.'] : paths.map((path) => `looked at ${path}`),
      remedy: [
        'Start a cluster with a tool that writes one (`kind create cluster`, `minikube start`, …).',
        'Or name yours with --kubeconfig FILE or the environment variable KUBECONFIG.',
      ],
    },
  );
}

/** Go's `filepath.SplitList`: on Windows double quotes keep a semicolon and are taken away. */
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
