/** Owns the step from the flags of a build and the environment to one frozen request. */
import {parseReplicas} from '../../builder/model/settings.ts';
import {readDuration} from '../../cluster/api/durations.ts';
import {TiltbuildError} from '../../errors.ts';
import {parseImageName, readTagForm} from '../../image/content-tag.ts';
import {parseTags} from '../../image/qualification.ts';
import {canonicalName} from '../../image/reference.ts';
import type {BaseImage, BuilderOptions, BuildRequest, ContentName} from '../../image-build/build-request.ts';
import {checkFlagValues} from '../../image-build/inputs/flag-values.ts';
import {destinationOf, formOf, type Output, readOutput} from '../../image-build/inputs/outputs.ts';
import type {Surroundings} from '../../surroundings.ts';
import {type Advice, advise, flag} from '../../text/advice.ts';
import {splitKeyValue} from '../../text/key-value.ts';
import {hideSecret} from '../../text/mask-secrets.ts';
import {readBuildArguments} from '../../tilt/build-arguments.ts';
import {nameInRegistry, readExpectedRef, readExpectedRegistry} from '../../tilt/expected-image.ts';
import {groupWords, readFlags} from '../argv/read-flags.ts';
import {build, inputFlags} from '../commands/build.ts';
import {connectionFlags} from '../commands/common-flags.ts';
import type {Flags, ValuesOf} from '../commands/definition.ts';
import {readBuilderImage, readBuilderTimeout, readKeptImages} from './builder-request.ts';
import {readClusterChoices} from './cluster-choices.ts';
import {readConnection, writeAsGiven} from './connection-request.ts';

type BuildFlags = ValuesOf<typeof build.flags>;

/** Throws `usage` and `invalid-reference` for what is wrong without a look at files or the cluster. */
export function readBuildRequest(
  given: BuildFlags,
  context: string,
  passthrough: readonly string[],
  surroundings: Surroundings,
): BuildRequest {
  const {env} = surroundings;
  const defaultPlatform = env.DOCKER_DEFAULT_PLATFORM;
  const flags = given.check ? withoutResults(given) : given;
  const output = readOutput(flags.output);
  const destination = destinationOf(output, flags.push);
  checkCombinations(flags, output, destination.kind === 'files');
  checkPassthrough(passthrough);

  const {engine, builder, pullSecret} = readClusterChoices(flags, env);

  const platforms = flags.platform.length > 0 || !defaultPlatform ? flags.platform : [defaultPlatform];
  const passedFlags = readBuildArguments(writeAsGiven(inputFlags, flags), env);
  checkFlagValues(passedFlags, platforms);

  return Object.freeze({
    context,
    tags: parseTags(flags.tag),
    contentName: readContentName(flags, env),
    platforms,
    secrets: flags.secret,
    output,
    push: flags.push,
    destination,
    passedFlags,
    passthrough: groupWords(passthrough, build.flags),
    engine,
    builder,
    builderOptions: readBuilderOptions(flags),
    // As in kubectl, zero means no limit.
    timeout: (flags.timeout && readDuration('--timeout', flags.timeout)) || undefined,
    pullSecret,
    qualify: flags.qualify,
    allowK3d: flags['allow-k3d'],
    print: flags.print ?? 'digest',
    quiet: flags.quiet,
    connection: readConnection(flags, surroundings.cwd),
    file: flags.file,
    fileVariable: flags['file-env'],
    baseImages: flags['base-image'].map(readBaseImage),
    findBaseImages: flags['find-base-image'],
    ignore: flags.ignore,
    only: flags.only,
    check: flags.check,
    compression: flags.compression,
    progress: flags.progress,
    spread: flags.spread ?? 'auto',
    keepImages: readKeptImages('--keep-images', flags['keep-images']),
    iidFile: flags.iidfile,
    metadataFile: flags['metadata-file'],
    expectedRef: readExpectedRef(env),
  });
}

/** As with docker, --check may be added to the command of a build, whose results it does not make. */
function withoutResults(flags: BuildFlags): BuildFlags {
  const none = {image: undefined, iidfile: undefined, 'metadata-file': undefined, 'ref-file': undefined};
  return {
    ...flags,
    ...none,
    'tag-prefix': undefined,
    'tag-length': undefined,
    compression: undefined,
    tag: [],
    output: [],
    push: false,
    print: flags.print === 'ref' ? undefined : flags.print,
  };
}

/** With --push, the name that Tilt expects in its registry; an image that stays in the node keeps its own. */
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

/** Throws `usage`; the references are parsed where they are used. */
function readBaseImage(text: string): BaseImage {
  const {key: name, value: variable} = splitKeyValue(text);
  if (name && variable) return {name, variable};
  throw new TiltbuildError('usage', `--base-image "${hideSecret(text)}" is not NAME=VARIABLE.`, {
    remedy: ['VARIABLE is the environment variable that holds the reference of the image.'],
  });
}

function readBuilderOptions(flags: BuildFlags): BuilderOptions {
  const {network, allow, 'builder-replicas': replicas} = flags;
  return {
    policy: flags['builder-policy'] ?? 'ensure',
    timeout: readBuilderTimeout('--builder-timeout', flags['builder-timeout']),
    image: readBuilderImage(flags['builder-image']),
    replicas: replicas === undefined ? undefined : parseReplicas(replicas),
    // kubectl build requests the entitlement for `none` as well (its source, toSolveOpt).
    allowNetworkHost:
      network === 'host' ||
      network === 'none' ||
      allow.some((list) => list.split(',').includes('network.host')),
  };
}

function checkCombinations(flags: BuildFlags, output: Output | undefined, makesNoImage: boolean): void {
  const refuse = (message: string, ...remedy: readonly Advice[]): never => {
    throw new TiltbuildError('usage', message, {remedy});
  };
  const isNamed = flags.tag.length > 0 || flags.image !== undefined;
  if (flags.compression !== undefined && (flags.push || output !== undefined)) {
    refuse(
      '--compression applies to images that stay in the node, and cannot be used with --push or --output.',
      advise`For a registry, make it part of the output: ${flag('output', 'type=registry,compression=zstd')}`,
    );
  }
  if (flags.push && output !== undefined && formOf(output) !== undefined)
    refuse(`--push and --output type=${output.type} cannot be used together.`);
  if (flags.print === 'ref' && !isNamed) refuse('--print ref needs --tag or --image.');
  if (flags.push && !isNamed) refuse('--push needs --tag or --image, which name the registry.');
  for (const name of ['ref-file', 'tag-prefix', 'tag-length', 'keep-images'] as const)
    if (flags[name] !== undefined && flags.image === undefined) refuse(`--${name} needs --image.`);
  if (flags.image !== undefined && output !== undefined) {
    refuse(
      '--image and --output cannot be used together.',
      advise`Use ${flag('image')} alone to keep the image in the node, or with ${flag('push')} for a registry.`,
    );
  }
  if (flags.file !== undefined && flags['file-env'] !== undefined)
    refuse('--file and --file-env cannot be used together.');
  if (flags.iidfile !== undefined && makesNoImage)
    refuse('--iidfile needs an image: local and tar outputs have no digest.');
}

/** Flags that change what kubectl tiltbuild checks, passes on and reports. */
function isOurs(name: string): boolean {
  const flags: Flags = build.flags;
  return Object.hasOwn(connectionFlags, name) || flags[name]?.passed === 'rewritten';
}

function checkPassthrough(passthrough: readonly string[]): void {
  // Read with all flags, since the value of another one may look like one of these.
  const {given, pending} = readFlags(passthrough, build.flags);
  const ours = [...given.keys(), ...(pending === undefined ? [] : [pending])].find(isOurs);
  if (ours !== undefined)
    throw new TiltbuildError(
      'usage',
      `--${ours} must come before --, because kubectl tiltbuild uses it too.`,
    );
}
