/** Owns one run of the plugin as data: from the pass and what was learnt of the cluster to argv and environment. */
import type {BuilderRuntime} from '../../../builder/model/builder.ts';
import type {Surroundings} from '../../../surroundings.ts';
import type {BuildPass} from '../../build-passes.ts';
import type {BuildRequest} from '../../build-request.ts';
import {writeOutput} from '../../inputs/outputs.ts';
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
  const {pinArgs, pullSecret, runtime, secretSpecs, privatePath, spoolPath, surroundings} = facts;
  const place = choosePlace(surroundings, privatePath);
  const digest = chooseDigestSource(request, privatePath);
  const usesStdin = request.context === '-' || request.file === '-';

  return {
    argv: [
      ...pinArgs,
      ...(request.builder.given ? ['--builder', request.builder.name] : []),
      ...(pullSecret.name === undefined ? [] : ['--registry-secret', pullSecret.name]),
      ...tags.flatMap((tag) => ['--tag', tag.canonical]),
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
