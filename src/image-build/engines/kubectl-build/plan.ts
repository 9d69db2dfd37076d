/** Owns one run of the plugin as data: from the pass and what was learnt of the cluster to argv and environment. */
import type {BuilderRuntime} from '../../../builder/model/builder.ts';
import {type LocalRegistry, nameInCluster} from '../../../builder/model/local-registry.ts';
import type {Target} from '../../../cluster/target/target.ts';
import type {Surroundings} from '../../../surroundings.ts';
import type {BuildPass} from '../../build-passes.ts';
import type {BuildRequest} from '../../build-request.ts';
import {writeOutput} from '../../inputs/outputs.ts';
import type {BuildSecret} from '../../inputs/secrets.ts';
import {chooseDigestSource, type DigestSource} from './digest.ts';
import {choosePlace, placeFlag, placeOutput} from './place.ts';

/** What a run needs besides its pass. */
export interface PlanFacts {
  /** Connection flags that pin the target. */
  readonly pinArgs: readonly string[];
  readonly pullSecret: {readonly name?: string};
  /** What the builder exports into. */
  readonly runtime: BuilderRuntime;
  /** `--secret` values for the plugin. */
  readonly secretSpecs: readonly string[];
  /** Makes the path of a file in the build's private directory. */
  readonly privatePath: (name: string) => string;
  /** The same for a file that may be large. */
  readonly spoolPath: (name: string) => string;
  readonly surroundings: Pick<Surroundings, 'cwd' | 'env'>;
  readonly secrets: readonly BuildSecret[];
  readonly target: Pick<Target, 'user'>;
  readonly localRegistry?: LocalRegistry;
}

export interface Plan {
  readonly argv: readonly string[];
  /** Changes to the environment; undefined takes a variable away. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Its current directory; undefined for our own. */
  readonly cwd: string | undefined;
  readonly digest: DigestSource;
}

export function planBuild({request, tags, temporaryName}: BuildPass, facts: PlanFacts): Plan {
  const {pinArgs, pullSecret, runtime, secretSpecs, privatePath, spoolPath, surroundings, localRegistry} =
    facts;
  const place = choosePlace(surroundings, privatePath);
  const digest = chooseDigestSource(request, privatePath);
  const usesStdin = request.context === '-' || request.file === '-';

  return {
    argv: [
      ...pinArgs,
      ...(request.builder.given ? ['--builder', request.builder.name] : []),
      ...(pullSecret.name === undefined ? [] : ['--registry-secret', pullSecret.name]),
      ...tags.flatMap((tag) => ['--tag', nameInCluster(tag.canonical, localRegistry)]),
      ...(request.file === undefined ? [] : ['--file', request.file]),
      ...request.platforms.flatMap((platform) => ['--platform', platform]),
      ...secretSpecs.flatMap((spec) => ['--secret', spec]),
      ...request.passedFlags.flatMap((words) => placeFlag(words, surroundings.cwd)),
      ...(request.push ? ['--push'] : []),
      ...exportFlags(request, runtime, surroundings, temporaryName),
      ...progressFlags(request, digest),
      ...(digest.from === 'image-id-file' ? ['--iidfile', digest.path] : []),
      ...request.passthrough.flat(),
      request.context,
    ],
    env: {
      ...hideVariables(request, facts),
      ...place.env,
      // It is among the arguments now, and the plugin refuses --iidfile where it is in the environment.
      DOCKER_DEFAULT_PLATFORM: undefined,
      // With a Dockerfile or a context on standard input the plugin leaves a directory behind where temporary
      // files go (its source, `createTempDockerfile`); this one is removed with our own.
      ...(usesStdin && {TMPDIR: spoolPath(''), TEMP: spoolPath(''), TMP: spoolPath('')}),
    },
    cwd: place.cwd,
    digest,
  };
}

/** What the plugin, and what it starts, read of their environment for themselves. */
const OWN_VARIABLES =
  /^(?:PATH|PATHEXT|HOME|USER|LOGNAME|USERPROFILE|APPDATA|LOCALAPPDATA|SYSTEMROOT|TMPDIR|TE?MP|TERM|SSH_AUTH_SOCK|.*_PROXY|DOCKER_CONFIG|DOCKER_HOST|GODEBUG|(?:KUBECONFIG|KUBERNETES_|BUILDKIT_|BUILDX_|SSL_|XDG_|LC_).*)$/i;
const CACHE_VARIABLES = /^(?:AWS|AZURE|ACTIONS|GITHUB)_/;

/** The plugin has the secrets as files. A variable stays that it may need for something else, such as a login. */
function hideVariables({passedFlags, passthrough}: BuildRequest, {secrets, target}: PlanFacts) {
  // A login plugin may read any variable.
  if (target.user.exec !== undefined) return {};
  const words = [passedFlags, passthrough].flat(2);
  const hasCache = words.some((word) => word.startsWith('--cache-'));
  const isNeeded = (variable: string) =>
    OWN_VARIABLES.test(variable) ||
    (hasCache && CACHE_VARIABLES.test(variable)) ||
    // The build argument of that name.
    words.some((word) => word === variable || word === `--build-arg=${variable}`);
  const variables = secrets.flatMap((secret) => (secret.kind === 'environment' ? secret.variable : []));
  return Object.fromEntries(variables.filter((one) => !isNeeded(one)).map((one) => [one, undefined]));
}

/**
 * Into a containerd node the image goes unpacked and uncompressed, since nothing there profits from compression:
 * 720 MB take 2.5 s instead of 14.9 s. The plugin refuses such an export on any other runtime.
 */
function exportFlags(
  {output, destination, compression = 'uncompressed'}: BuildRequest,
  runtime: BuilderRuntime,
  {cwd}: PlanFacts['surroundings'],
  temporaryName: string | undefined,
): readonly string[] {
  if (output !== undefined) return ['--output', writeOutput(placeOutput(output, cwd))];
  if (destination.kind !== 'runtime' || runtime !== 'containerd') return [];
  const attributes = [
    ...(compression === 'default' ? [] : ['unpack=true', `compression=${compression}`]),
    ...(temporaryName === undefined ? [] : [`dangling-name-prefix=${temporaryName}`]),
  ];
  return attributes.length === 0 ? [] : ['--output', ['type=image', ...attributes].join(',')];
}

/** The digest can only be read from plain lines. */
function progressFlags({progress}: BuildRequest, digest: DigestSource): readonly string[] {
  if (digest.from === 'progress') return ['--progress', 'plain'];
  return progress === undefined ? [] : ['--progress', progress];
}
