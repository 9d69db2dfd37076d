/** Owns what the user should know before a build: of its tags, its platforms and its context. */
import {readNodesOf} from '../builder/model/observed-builder.ts';
import type {ClusterFacts} from '../cluster/api/facts.ts';
import type {Product} from '../cluster/product.ts';
import type {Survey} from '../context/survey.ts';
import type {QualifiedTag} from '../image/qualification.ts';
import type {Surroundings} from '../surroundings.ts';
import {type Advice, advise, flag, type Piece} from '../text/advice.ts';
import type {BuildRequest} from './build-request.ts';
import {isPushed} from './inputs/outputs.ts';

/** In bytes. It takes a second to read, and several to send. */
const LARGE = 200_000_000;

export async function noteBuild(
  request: BuildRequest,
  {env}: Pick<Surroundings, 'env'>,
  {
    product,
    tags,
    facts,
    survey,
  }: {
    readonly product: Product;
    readonly tags: readonly QualifiedTag[];
    readonly facts: ClusterFacts;
    /** Of a context that is a local directory. */
    readonly survey: Survey | undefined;
  },
): Promise<readonly Advice[]> {
  if (request.check) return [];
  const notes = [
    ...noteProduct(request, product),
    ...noteName(request, tags),
    ...noteLatest(request, tags),
    ...notePlatforms(request, env, facts),
    ...noteUnmatched(survey?.unmatched ?? []),
  ];
  if (survey === undefined || survey.bytes < LARGE) return notes;
  const {describeLargeContext} = await import('./inputs/large-context.ts');
  return [...notes, describeLargeContext(survey)];
}

function noteProduct({allowK3d}: BuildRequest, product: Product): readonly Advice[] {
  return allowK3d && product === 'k3d'
    ? [advise`k3d is not supported; ${flag('allow-k3d')} tries it all the same.`]
    : [];
}

/** BuildKit makes no image in containerd of a build without a name. */
function noteName(
  {destination, contentName}: BuildRequest,
  tags: readonly QualifiedTag[],
): readonly Advice[] {
  return destination.kind === 'runtime' && contentName === undefined && tags.length === 0
    ? [
        advise`the image has no name, so no pod can use it. To give it one: ${flag('tag', 'localhost/NAME:TAG')}`,
      ]
    : [];
}

/** The API server writes Always into a pod that names no policy, and a kubelet then asks a registry. */
function noteLatest({destination}: BuildRequest, tags: readonly QualifiedTag[]): readonly Advice[] {
  const latest = tags.map(({canonical}) => canonical).filter((name) => name.endsWith(':latest'));
  if (destination.kind !== 'runtime' || latest.length === 0) return [];
  return [
    `pods pull ${latest.join(' and ')} from a registry by default, because imagePullPolicy is Always for the tag "latest". ` +
      'Use another tag, or set imagePullPolicy: IfNotPresent in the pods.',
  ];
}

/** Nothing where a node is unknown. An image that is pushed for a platform that was asked for may be for another cluster. */
function notePlatforms(
  {platforms, destination, output, push}: BuildRequest,
  env: Surroundings['env'],
  facts: ClusterFacts,
): readonly Advice[] {
  const byDefault = platforms.length === 1 && platforms[0] === env.DOCKER_DEFAULT_PLATFORM;
  if (destination.kind !== 'runtime' && !(byDefault && isPushed(output, push))) return [];
  const asked = platforms.flatMap((list) => list.split(',')).map(readPlatform);
  const nodes = (facts.moreNodes ? undefined : readNodesOf(facts)) ?? [];
  const ofNodes = nodes.map(
    ({labels, architecture}) => `${labels['kubernetes.io/os'] ?? 'linux'}/${architecture}`,
  );
  const there = new Set(ofNodes.flatMap((platform) => [platform, ...(ALSO_RUNS[platform] ?? [])]));
  if (ofNodes.length === 0 || asked.length === 0) return [];
  if (asked.some((platform) => platform === undefined || there.has(platform))) return [];
  const all = [...new Set(ofNodes)];
  const what = byDefault
    ? `DOCKER_DEFAULT_PLATFORM is ${platforms[0]}`
    : `--platform is ${platforms.join(',')}`;
  const consequence = `${what}, but the nodes are ${all.join(' and ')}. Pods with this image do not start: containerd does not find it there ("ErrImagePull"), and Docker cannot run it without an emulator ("exec format error").`;
  return [advise`${consequence} To build for the nodes: ${flag('platform', all[0])}`];
}

/** No error: in a Tiltfile, a path may name what will be there later. */
function noteUnmatched(paths: readonly string[]): readonly Advice[] {
  if (paths.length === 0) return [];
  const flags = paths.flatMap((path): Piece[] => [' ', flag('only', path)]);
  return [['the build context has nothing for', ...flags, ': it does not exist, or ignore rules exclude it']];
}

const ALSO_RUNS: Readonly<Record<string, readonly string[]>> = {
  'linux/amd64': ['linux/386'],
  'linux/arm64': ['linux/arm'],
};
const ARCHITECTURES: Readonly<Record<string, string>> = {
  x86_64: 'amd64',
  'x86-64': 'amd64',
  aarch64: 'arm64',
  armhf: 'arm',
  armel: 'arm',
  i386: '386',
};

/** OS/ARCH as nodes have it; undefined where the platform leaves one of them to the builder. */
function readPlatform(text: string): string | undefined {
  const [first = '', second] = text.trim().toLowerCase().split('/');
  if (first === 'local' || (first === 'linux' && second === undefined)) return undefined;
  const [os, architecture] = second === undefined ? ['linux', first] : [first, second];
  return `${os}/${ARCHITECTURES[architecture] ?? architecture}`;
}
