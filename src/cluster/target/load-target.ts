/** Owns getting from the connection flags and the environment to one target, and how it is pinned for children. */
import {posix, win32} from 'node:path';
import {TiltbuildError} from '../../errors.ts';
import type {Files} from '../../ports.ts';
import type {Surroundings} from '../../surroundings.ts';
import {reasonOf} from '../../system-error.ts';
import type {ConnectionRequest} from '../connection.ts';
import {findHome} from '../kubeconfig/home.ts';
import {
  inClusterTarget,
  type PodSurroundings,
  podNamespace,
  serviceAccountFiles,
} from '../kubeconfig/in-cluster.ts';
import {type Kubeconfig, mergeKubeconfigs} from '../kubeconfig/merge.ts';
import {type KubeconfigFile, parseKubeconfig} from '../kubeconfig/parse.ts';
import {type KubeconfigPaths, kubeconfigPaths, missingKubeconfig} from '../kubeconfig/paths.ts';
import {resolveTarget, type Target} from './target.ts';

export interface LoadedTarget {
  readonly target: Target;
  /**
   * The arguments that make every child use `target`, whatever happens to the files' current-context meanwhile;
   * undefined where only a kubeconfig of our own can do it, see `needsOwnKubeconfig`.
   */
  readonly pinArgs: readonly string[] | undefined;
}

/** What the kubeconfig files say, and where they were looked for. Throws where the one that was named is missing. */
export async function loadKubeconfig(
  request: ConnectionRequest,
  surroundings: Surroundings,
  files: Files,
): Promise<{readonly kubeconfig: Kubeconfig; readonly paths: KubeconfigPaths}> {
  const {env, cwd, platform} = surroundings;
  const home = findHome(surroundings, files);
  const rules = platform === 'win32' ? win32 : posix;
  const paths = kubeconfigPaths({flag: request.kubeconfig, env: env.KUBECONFIG, home, cwd, rules});
  const read = await Promise.all(paths.paths.map((path) => readKubeconfig(path, files, rules)));
  const found = read.filter((file) => file !== undefined);
  if (paths.explicit && found.length === 0) throw missingKubeconfig(paths);
  return {kubeconfig: mergeKubeconfigs(found), paths};
}

export async function loadTarget(
  request: ConnectionRequest,
  surroundings: Surroundings,
  files: Files,
): Promise<LoadedTarget> {
  const {kubeconfig, paths} = await loadKubeconfig(request, surroundings, files);
  const {env} = surroundings;
  const pod = await lookForPod(env, files);
  const target =
    inClusterTarget(pod, kubeconfig, request.overrides) ??
    resolveTarget(kubeconfig, request.overrides, {lookedAt: paths, podNamespace: podNamespace(pod)});
  return {
    target,
    pinArgs: needsOwnKubeconfig(target, kubeconfig, request) ? undefined : pin(target, paths, request),
  };
}

/**
 * kubectl build demands a current-context that exists, even with --context (its source, `Validate`), which a pod
 * has none of. And a token must not be seen among a child's arguments.
 */
function needsOwnKubeconfig(target: Target, kubeconfig: Kubeconfig, request: ConnectionRequest): boolean {
  return (
    target.context === '' ||
    !kubeconfig.contexts.has(kubeconfig.currentContext) ||
    Boolean(request.overrides.token)
  );
}

function pin(target: Target, {paths}: KubeconfigPaths, {passed}: ConnectionRequest): readonly string[] {
  const [first, ...others] = paths;
  return [
    // Several files are only understood in KUBECONFIG, which the children inherit.
    ...(first !== undefined && others.length === 0 ? ['--kubeconfig', first] : []),
    '--context',
    target.context,
    '--namespace',
    target.namespace,
    ...passed.flat(),
  ];
}

/** The arguments where the target lies in a kubeconfig of our own at `path`, all flags applied. */
export function pinToOwnKubeconfig(
  path: string,
  target: Target,
  {passed}: ConnectionRequest,
): readonly string[] {
  const kept = passed.filter(([name]) => name === '--cache-dir' || name === '--request-timeout');
  return ['--kubeconfig', path, '--namespace', target.namespace, ...kept.flat()];
}

async function readKubeconfig(
  path: string,
  files: Files,
  rules: typeof posix,
): Promise<KubeconfigFile | undefined> {
  let text: string | undefined;
  try {
    text = await files.readText(path);
  } catch (cause) {
    throw new TiltbuildError(
      'kubeconfig-unreadable',
      `The kubeconfig ${path} cannot be read: ${reasonOf(cause)}.`,
      {
        remedy: ['Check who may read it, or name another one with --kubeconfig or KUBECONFIG.'],
        cause,
      },
    );
  }
  return text === undefined ? undefined : parseKubeconfig(path, text, rules);
}

async function lookForPod(env: Surroundings['env'], files: Files): Promise<PodSurroundings> {
  // Outside a pod, which is nearly always, nothing is looked for.
  if (!env.KUBERNETES_SERVICE_HOST) return {env: {}, tokenExists: false};
  return {
    env,
    tokenExists: files.kindOf(serviceAccountFiles.token) === 'file',
    certificateAuthorityExists: files.kindOf(serviceAccountFiles.certificateAuthority) === 'file',
    namespaceFile: await files.readText(serviceAccountFiles.namespace),
  };
}
