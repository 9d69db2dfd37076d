/** Owns the way from the connection flags and the environment to one target, and the arguments that pin it for children. */
import {posix, win32} from 'node:path';
import {TiltbuildError} from '../../errors.ts';
import type {Files} from '../../ports.ts';
import type {Surroundings} from '../../surroundings.ts';
import {isMissing, reasonOf} from '../../system-error.ts';
import {advise, flag} from '../../text/advice.ts';
import type {ConnectionRequest} from '../connection.ts';
import {decodeKubeconfig} from '../kubeconfig/decode.ts';
import {findHome} from '../kubeconfig/home.ts';
import {
  inClusterTarget,
  type PodEnvironment,
  podNamespace,
  serviceAccountFiles,
} from '../kubeconfig/in-cluster.ts';
import {type Kubeconfig, mergeKubeconfigs} from '../kubeconfig/merge.ts';
import {type KubeconfigFile, parseKubeconfig} from '../kubeconfig/parse.ts';
import {type KubeconfigPaths, kubeconfigPaths, missingKubeconfig} from '../kubeconfig/paths.ts';
import {resolveTarget, type Target} from './target.ts';

interface LoadedTarget {
  readonly target: Target;
  /**
   * The arguments that make every child use `target`, even if the files' current-context changes meanwhile; undefined
   * where only a kubeconfig of our own can do that, see `needsOwnKubeconfig`.
   */
  readonly pinArgs: readonly string[] | undefined;
}

/** The kubeconfig, and the paths that were tried. Throws where the file of --kubeconfig is missing. */
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
    pinArgs: needsOwnKubeconfig(target, kubeconfig, request, files) ? undefined : pin(target, paths, request),
  };
}

/**
 * kubectl build requires a current-context that exists, even with --context (its source, `Validate`), and a pod has
 * none. A token must not be visible in a child's arguments, where a name with NUL cannot be. What is no regular file, such
 * as a pipe, can be read only once.
 */
function needsOwnKubeconfig(
  target: Target,
  kubeconfig: Kubeconfig,
  request: ConnectionRequest,
  files: Pick<Files, 'kindOf'>,
): boolean {
  return (
    target.context === '' ||
    target.context.includes('\0') ||
    !kubeconfig.contexts.has(kubeconfig.currentContext) ||
    Boolean(request.overrides.token) ||
    kubeconfig.files.some((path) => files.kindOf(path) === 'other')
  );
}

function pin(target: Target, {paths}: KubeconfigPaths, {passed}: ConnectionRequest): readonly string[] {
  const [first, ...others] = paths;
  return [
    // Only KUBECONFIG, which the children inherit, can name several files.
    ...(first !== undefined && others.length === 0 ? ['--kubeconfig', first] : []),
    '--context',
    target.context,
    '--namespace',
    target.namespace,
    ...passed.flat(),
  ];
}

/** The arguments for a kubeconfig of our own at `path`, which has all flags applied. */
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
  let bytes: Uint8Array;
  try {
    bytes = await files.readBytes(path);
  } catch (cause) {
    if (isMissing(cause)) return undefined;
    throw new TiltbuildError(
      'kubeconfig-unreadable',
      `The kubeconfig ${path} cannot be read: ${reasonOf(cause)}.`,
      {
        remedy: [
          advise`Check its permissions, or choose another file with ${flag('kubeconfig', 'FILE')} or KUBECONFIG.`,
        ],
        cause,
      },
    );
  }
  const text = decodeKubeconfig(bytes);
  if (text !== undefined) return parseKubeconfig(path, text, rules);
  throw new TiltbuildError(
    'kubeconfig-malformed',
    `The kubeconfig ${path} is neither UTF-8 nor UTF-16 with a byte order mark.`,
  );
}

async function lookForPod(env: Surroundings['env'], files: Files): Promise<PodEnvironment> {
  // Outside a pod, which is the usual case, no file is read.
  if (!env.KUBERNETES_SERVICE_HOST) return {env: {}, tokenExists: false};
  return {
    env,
    tokenExists: files.kindOf(serviceAccountFiles.token) === 'file',
    certificateAuthorityExists: files.kindOf(serviceAccountFiles.certificateAuthority) === 'file',
    namespaceFile: await files.readText(serviceAccountFiles.namespace),
  };
}
