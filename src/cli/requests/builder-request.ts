/** Owns the step from the flags of a builder command and the environment to one frozen request. */
import type {BuilderAction, BuilderCommandRequest} from '../../builder/commands/command-request.ts';
import {chooseBuilder} from '../../builder/model/builder.ts';
import type {GivenSettings} from '../../builder/model/kept-settings.ts';
import {
  demandConsistency,
  parseAnnotation,
  parseLabel,
  parseParallelism,
  parseResources,
  parseSnapshotter,
} from '../../builder/model/pod-settings.ts';
import {parseRegistries} from '../../builder/model/registry-flags.ts';
import {
  BUILDER_TIMEOUT,
  parseNodeSelector,
  parseReplicas,
  parseToleration,
} from '../../builder/model/settings.ts';
import {readAge, readDuration} from '../../cluster/api/durations.ts';
import {demandObjectName} from '../../cluster/api/object-name.ts';
import {TiltbuildError} from '../../errors.ts';
import {parseReference} from '../../image/reference.ts';
import type {Surroundings} from '../../surroundings.ts';
import {splitKeyValue} from '../../text/key-value.ts';
import {type Given, valuesOf} from '../argv/read-flags.ts';
import {create, images, logs, ls, prune, pruneImages, removeImages, rm} from '../commands/builder.ts';
import type {CommandName} from '../commands/commands.ts';
import {connectionFlags} from '../commands/common-flags.ts';
import type {ValuesOf} from '../commands/definition.ts';
import {readConnection} from './connection-request.ts';

/** How long a builder may take to start, in milliseconds, by the value of `flag`. Throws `usage`. */
export function readBuilderTimeout(flag: string, text: string | undefined): number {
  return text === undefined ? BUILDER_TIMEOUT : readDuration(flag, text);
}

/** BuildKit's image, as it was given. Throws `invalid-reference`. */
export function readBuilderImage(text: string | undefined): string | undefined {
  if (text !== undefined) parseReference(text);
  return text;
}

export function readBuilderRequest(
  command: Extract<CommandName, `builder ${string}`>,
  given: Given,
  args: readonly string[],
  {env, cwd}: Surroundings,
): BuilderCommandRequest {
  const asked = command === 'builder images rm' ? valuesOf(removeImages.flags, given).builder : args[0];
  const {name} = chooseBuilder(asked, env.BUILDX_BUILDER);
  demandObjectName(name, asked ? (asked === args[0] ? 'NAME' : '--builder') : 'BUILDX_BUILDER');
  return Object.freeze({
    action: readAction(command, given, name, args),
    connection: readConnection(valuesOf(connectionFlags, given), cwd),
  });
}

function readAction(
  command: Extract<CommandName, `builder ${string}`>,
  given: Given,
  name: string,
  args: readonly string[],
): BuilderAction {
  switch (command) {
    case 'builder ls':
      return {kind: 'ls', form: valuesOf(ls.flags, given).output ?? 'table'};
    case 'builder create':
      return readCreate(valuesOf(create.flags, given), name);
    case 'builder rm':
      return readRemove(valuesOf(rm.flags, given), name);
    case 'builder logs':
      return {kind: 'logs', name, follow: valuesOf(logs.flags, given).follow};
    case 'builder du':
      return {kind: 'du', name};
    case 'builder images':
    case 'builder images ls':
      return {kind: 'images', name, form: valuesOf(images.flags, given).output ?? 'table'};
    case 'builder images rm':
      return {kind: 'images rm', name, images: args, force: valuesOf(removeImages.flags, given).force};
    case 'builder images prune':
      return readPruneImages(valuesOf(pruneImages.flags, given), name);
    case 'builder prune':
      return {kind: 'prune', name, all: valuesOf(prune.flags, given).all};
    default:
      return command satisfies never;
  }
}

function readRemove({yes, force, purge}: ValuesOf<typeof rm.flags>, name: string): BuilderAction {
  return {kind: 'rm', name, yes, force, purge, timeout: BUILDER_TIMEOUT};
}

function readPruneImages(flags: ValuesOf<typeof pruneImages.flags>, name: string): BuilderAction {
  const olderThan = flags['older-than'];
  return {
    kind: 'images prune',
    name,
    keep: readKeptImages('--keep', flags.keep),
    ...(olderThan !== undefined && {olderThan: readAge('--older-than', olderThan)}),
    allProjects: flags['all-projects'],
    dryRun: flags['dry-run'],
  };
}

const KEPT_IMAGES = 10;

/** How many images stay in a node, by the value of `flag`. Throws `usage`. */
export function readKeptImages(flag: string, text: string | undefined): number {
  if (text === undefined) return KEPT_IMAGES;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new TiltbuildError('usage', `${flag} "${text}" is not a number of images.`, {
    remedy: ['Use a whole number from 0 up.'],
  });
}

function readCreate(flags: ValuesOf<typeof create.flags>, name: string): BuilderAction {
  const given = readSettings(flags);
  demandConsistency(given);
  if (flags.reset && !flags.replace) {
    throw new TiltbuildError('usage', '--reset is for --replace, which otherwise keeps the settings.');
  }
  return {
    kind: 'create',
    name,
    given,
    registries: parseRegistries({
      http: flags['registry-http'],
      insecure: flags['registry-insecure'],
      ca: flags['registry-ca'],
      mirror: flags['registry-mirror'],
    }),
    configFile: flags.config,
    resetRegistries: flags['registry-reset'],
    timeout: readBuilderTimeout('--timeout', flags.timeout),
    replace: flags.replace,
    reset: flags.reset,
    force: flags.force,
    allowK3d: flags['allow-k3d'],
    dryRun: flags['dry-run'],
    printRbac: flags['print-rbac'],
  };
}

/** Only what was given. */
function readSettings(flags: ValuesOf<typeof create.flags>): GivenSettings {
  const requests = parseResources('request', flags['request-cpu'], flags['request-memory']);
  const limits = parseResources('limit', flags['limit-cpu'], flags['limit-memory']);
  const settings: {-readonly [Key in keyof GivenSettings]: GivenSettings[Key]} = {
    image: readBuilderImage(flags.image),
    replicas: readWith(flags.replicas, parseReplicas),
    rootless: flags.rootless || undefined,
    allowNetworkHost: flags.allow === 'network.host' || undefined,
    requests,
    limits,
    maxParallelism: readWith(flags['max-parallelism'], parseParallelism),
    containerdSnapshotter: readWith(flags['containerd-snapshotter'], parseSnapshotter),
    serviceAccount: readName('--service-account', flags['service-account']),
    priorityClass: readName('--priority-class', flags['priority-class']),
    imagePullSecrets: readList(flags['image-pull-secret'], (text) => readName('--image-pull-secret', text)),
    annotations: readMap(flags.annotation, (text) => parseAnnotation('--annotation', text)),
    labels: readMap(flags.label, parseLabel),
    podAnnotations: readMap(flags['pod-annotation'], (text) => parseAnnotation('--pod-annotation', text)),
    nodeSelector: readWith(flags['node-selector'], parseNodeSelector),
    tolerations: readList(flags.toleration, parseToleration),
    env: readMap(flags.env, readVariable),
    registryMirrorsFromNode: flags['registry-mirrors-from-node'] || undefined,
    containerd: dropUnset({
      socket: flags['containerd-socket'],
      root: flags['containerd-root'],
      state: flags['containerd-state'],
    }),
  };
  return dropUnset(settings);
}

function readWith<T>(text: string | undefined, parse: (text: string) => T): T | undefined {
  return text === undefined ? undefined : parse(text);
}

function readName<T extends string | undefined>(flag: string, text: T): T {
  if (text !== undefined) demandObjectName(text, flag);
  return text;
}

function readList<T>(texts: readonly string[], parse: (text: string) => T): readonly T[] | undefined {
  return texts.length === 0 ? undefined : texts.map(parse);
}

function readMap(
  texts: readonly string[],
  parse: (text: string) => readonly [string, string],
): Readonly<Record<string, string>> | undefined {
  return texts.length === 0 ? undefined : Object.fromEntries(texts.map(parse));
}

function dropUnset<T extends object>(fields: T): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}

function readVariable(text: string): readonly [string, string] {
  const {key, value} = splitKeyValue(text);
  if (key !== '' && value !== undefined) return [key, value];
  throw new TiltbuildError('usage', '--env needs NAME=VALUE.');
}
