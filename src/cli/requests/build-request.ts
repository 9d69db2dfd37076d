/** Owns the step from what was typed and the environment to one frozen request. */
import {parseReplicas} from '../../builder/model/settings.ts';
import {readDuration} from '../../cluster/api/durations.ts';
import {TiltbuildError} from '../../errors.ts';
import {parseImageName, readTagForm} from '../../image/content-tag.ts';
import {parseTags} from '../../image/qualification.ts';
import {canonicalName} from '../../image/reference.ts';
import type {BuilderOptions, BuildRequest, ContentName} from '../../image-build/build-request.ts';
import {readDestination} from '../../image-build/inputs/outputs.ts';
import type {Surroundings} from '../../surroundings.ts';
import {readExpectedRef} from '../../tilt/expected-ref.ts';
import {nameInRegistry, readExpectedRegistry} from '../../tilt/registry-name.ts';
import type {BuildFlags} from '../argv/flag-values.ts';
import {PASSED_BUILD_FLAGS} from '../argv/flags.ts';
import {readBuilderTimeout} from './builder-request.ts';
import {readClusterChoices} from './cluster-choices.ts';
import {readConnection, writeFlags} from './connection-request.ts';

/** What was typed of a build. */
export interface BuildInput {
  readonly flags: BuildFlags;
  readonly context: string;
}

/** Throws `usage` and `invalid-reference` for all that can be told without looking at files or the cluster. */
export function readBuildRequest(
  {flags, context}: BuildInput,
  passthrough: readonly string[],
  surroundings: Surroundings,
): BuildRequest {
  const {env} = surroundings;
  const tags = flags.tag ?? [];
  const outputs = flags.output ?? [];
  const destination = readDestination(outputs, flags.push);
  checkCombinations(flags, destination.kind === 'files');
  checkPassthrough(passthrough);

  const {builder, pullSecret} = readClusterChoices(flags, env);

  return Object.freeze({
    context,
    tags: parseTags(tags),
    contentName: readContentName(flags, env),
    platforms: flags.platform ?? (env.DOCKER_DEFAULT_PLATFORM ? [env.DOCKER_DEFAULT_PLATFORM] : []),
    secrets: flags.secret ?? [],
    outputs,
    push: flags.push,
    destination,
    passedFlags: writeFlags(PASSED_BUILD_FLAGS, flags),
    passthrough,
    builder,
    builderOptions: readBuilderOptions(flags),
    // As with kubectl's own, zero means no limit.
    timeout: (flags.timeout && readDuration('--timeout', flags.timeout)) || undefined,
    pullSecret,
    qualify: flags.qualify,
    print: flags.print ?? 'digest',
    quiet: flags.quiet,
    connection: readConnection(flags, surroundings.cwd),
    file: flags.file,
    fileVariable: flags['file-env'],
    ignore: flags.ignore ?? [],
    only: flags.only ?? [],
    compression: flags.compression,
    progress: flags.progress,
    iidFile: flags.iidfile,
    metadataFile: flags['metadata-file'],
    expectedRef: readExpectedRef(env),
  });
}

/** Throws `usage` unless there is exactly one. */
export function demandOneContext(positionals: readonly string[]): string {
  const [context, ...others] = positionals;
  if (context === undefined || context === '') {
    throw new TiltbuildError('usage', 'The build context is missing.', {
      remedy: ['Name a directory to build, often the current one: kubectl tiltbuild -t NAME:TAG .'],
    });
  }
  if (others.length > 0) {
    throw new TiltbuildError(
      'usage',
      `There is one build context, and ${positionals.length} arguments are not flags: ${positionals.join(' ')}`,
      {remedy: ['Put quotes around a name with spaces, and flags for kubectl build alone behind --.']},
    );
  }
  return context;
}

/** With --push the name is the one that Tilt expects in its registry; what stays in the node keeps its own. */
function readContentName(flags: BuildFlags, env: Surroundings['env']): ContentName | undefined {
  const {image} = flags;
  if (image === undefined) return undefined;
  const tagForm = readTagForm(flags['tag-prefix'], flags['tag-length']);
  const reference = parseImageName(image);
  const registry = flags.push ? readExpectedRegistry(env) : undefined;
  const common = {tagForm, file: flags['ref-file']};
  if (registry === undefined) return {name: image, reference, ...common};
  const pushed = nameInRegistry(reference, registry);
  return {name: canonicalName(pushed), reference: pushed, ...common};
}

function readBuilderOptions(flags: BuildFlags): BuilderOptions {
  const {network, allow = []} = flags;
  return {
    policy: flags['builder-policy'] ?? 'ensure',
    timeout: readBuilderTimeout('--builder-timeout', flags['builder-timeout']),
    image: flags['builder-image'],
    replicas: parseReplicas(flags['builder-replicas'] ?? '1'),
    // kubectl build asks for the entitlement with `none` as well (its source, toSolveOpt).
    allowNetworkHost:
      network === 'host' ||
      network === 'none' ||
      allow.some((list) => list.split(',').includes('network.host')),
  };
}

function checkCombinations(flags: BuildFlags, makesNoImage: boolean): void {
  if (flags.compression !== undefined && (flags.push || flags.output?.length)) {
    throw new TiltbuildError(
      'usage',
      '--compression is for images that stay in the node, and goes with neither --push nor --output.',
      {
        remedy: ['For a registry write it into the output: --output type=registry,compression=zstd'],
      },
    );
  }
  const isNamed = flags.tag?.length || flags.image !== undefined;
  if (flags.print === 'ref' && !isNamed) {
    throw new TiltbuildError(
      'usage',
      '--print ref prints the tags in full, and neither --tag nor --image was given.',
    );
  }
  if (flags.push && !isNamed) {
    throw new TiltbuildError('usage', '--push needs a --tag or an --image, which names the registry.');
  }
  for (const name of ['ref-file', 'tag-prefix', 'tag-length'] as const) {
    if (flags[name] !== undefined && flags.image === undefined)
      throw new TiltbuildError('usage', `--${name} is for the tag of an --image, and none was given.`);
  }
  if (flags.image !== undefined && flags.output?.length) {
    throw new TiltbuildError('usage', '--image and --output do not go together.', {
      remedy: [
        '--image puts the image into the node, or with --push into a registry, under a tag from its digest.',
      ],
    });
  }
  if (flags.file !== undefined && flags['file-env'] !== undefined) {
    throw new TiltbuildError('usage', '--file and --file-env both name a Dockerfile; give one of them.');
  }
  if (flags.iidfile !== undefined && makesNoImage) {
    throw new TiltbuildError(
      'usage',
      'Local and tar outputs are no image, so there is no digest for --iidfile.',
    );
  }
}

/** Flags that kubectl tiltbuild has to see itself, or else its checks and its result would be wrong. */
const OURS =
  /^(?:--(?:tag|file|iidfile|platform|output|push|quiet|progress|builder|registry-secret|kubeconfig|context|cluster|user|server|namespace|token)(?:=.*)?|-[toqnsf].*)$/s;

function checkPassthrough(passthrough: readonly string[]): void {
  const ours = passthrough.find((word) => OURS.test(word));
  if (ours === undefined) return;
  throw new TiltbuildError(
    'usage',
    `${ours.split('=')[0]} has to stand before --, where kubectl tiltbuild sees it.`,
  );
}
