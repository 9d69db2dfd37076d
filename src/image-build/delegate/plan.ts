/** Owns the delegated run: from the request and what was learnt of the cluster to argv, environment and files. */
import type {BuilderRuntime} from '../../builder/model/builder.ts';
import type {BuildRequest} from '../build-request.ts';

export interface PlanInput {
  readonly request: BuildRequest;
  /** Connection flags that pin the target. */
  readonly pinArgs: readonly string[];
  readonly tags: readonly {readonly canonical: string}[];
  /** Name of the pull secret; undefined for none. */
  readonly pullSecret: string | undefined;
  readonly runtime: BuilderRuntime;
  /** `--secret` values that the delegate takes. */
  readonly secretSpecs: readonly string[];
  /** Makes the path of a file or directory in this run's private directory from its name there. */
  readonly privatePath: (name: string) => string;
}

/** Where the digest is to be found after the build. */
export type DigestSource =
  | {readonly from: 'image-id-file'; readonly path: string}
  | {readonly from: 'progress'}
  /** The build makes no image (local and tar outputs). */
  | {readonly from: 'nowhere'};

/** One delegated run, as data. */
export interface Plan {
  readonly argv: readonly string[];
  /** Changes to the environment; undefined takes a variable away. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly digest: DigestSource;
}

export function planBuild(input: PlanInput): Plan {
  const {request, pinArgs, tags, pullSecret, secretSpecs, privatePath} = input;
  const digest = chooseDigestSource(request, privatePath);
  const usesStdin = request.context === '-' || request.file === '-';

  return {
    argv: [
      ...pinArgs,
      ...(request.builder.given ? ['--builder', request.builder.name] : []),
      ...(pullSecret === undefined ? [] : ['--registry-secret', pullSecret]),
      ...tags.flatMap((tag) => ['--tag', tag.canonical]),
      ...(request.file === undefined ? [] : ['--file', request.file]),
      ...request.platforms.flatMap((platform) => ['--platform', platform]),
      ...secretSpecs.flatMap((spec) => ['--secret', spec]),
      ...request.passedFlags.flat(),
      ...(request.push ? ['--push'] : []),
      ...exportFlags(input),
      ...progressFlags(request, digest),
      ...(digest.from === 'image-id-file' ? ['--iidfile', digest.path] : []),
      ...request.passthrough,
      request.context,
    ],
    env: {
      // It is among the arguments now, and in the environment it would count for --iidfile as well.
      DOCKER_DEFAULT_PLATFORM: undefined,
      // With a Dockerfile or a context on standard input kubectl build leaves a directory behind where
      // temporary files go (its source, `createTempDockerfile`); this one is removed with our own.
      ...(usesStdin && {TMPDIR: privatePath(''), TEMP: privatePath(''), TMP: privatePath('')}),
    },
    digest,
  };
}

/** kubectl build refuses --iidfile with any --platform, and with local and tar outputs (recordings). */
function chooseDigestSource(request: BuildRequest, privatePath: PlanInput['privatePath']): DigestSource {
  if (request.destination.kind === 'files') return {from: 'nowhere'};
  if (request.platforms.length > 0) return {from: 'progress'};
  return {from: 'image-id-file', path: privatePath('image-id')};
}

/**
 * Into a containerd node the image goes unpacked and uncompressed, since nothing there profits from compression:
 * 720 MB take 2.5 s instead of 14.9 s (design, section 1). kubectl build refuses such an export on any other
 * runtime.
 */
function exportFlags({request, runtime}: PlanInput): readonly string[] {
  if (request.outputs.length > 0) return request.outputs.flatMap((output) => ['--output', output]);
  const compression = request.compression ?? 'uncompressed';
  if (request.destination.kind !== 'runtime' || runtime !== 'containerd' || compression === 'default')
    return [];
  return ['--output', `type=image,unpack=true,compression=${compression}`];
}

/** The digest can only be read from plain lines. */
function progressFlags({progress}: BuildRequest, digest: DigestSource): readonly string[] {
  if (digest.from === 'progress') return ['--progress', 'plain'];
  return progress === undefined ? [] : ['--progress', progress];
}
