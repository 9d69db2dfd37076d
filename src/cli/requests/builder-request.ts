/** Owns the step from what was typed of a builder command to one frozen request. */
import type {Interfaces} from '@oclif/core';
import type {BuilderAction, BuilderCommandRequest} from '../../builder/commands/command-request.ts';
import {chooseBuilder} from '../../builder/model/builder.ts';
import {
  BUILDER_TIMEOUT,
  defaultBuilderSettings,
  parseNodeSelector,
  parseReplicas,
  parseToleration,
} from '../../builder/model/settings.ts';
import {readDuration} from '../../cluster/api/durations.ts';
import {demandObjectName} from '../../cluster/api/object-name.ts';
import {TiltbuildError} from '../../errors.ts';
import type {Surroundings} from '../../surroundings.ts';
import {splitKeyValue} from '../../text/key-value.ts';
import type {
  BuilderCreate,
  BuilderInput,
  BuilderList,
  BuilderLogs,
  BuilderPrune,
  BuilderRemove,
} from '../help/commands/builder.ts';
import {type ConnectionFlags, readConnection} from './connection-request.ts';

type FlagsOf<T extends {flags: object}> = Interfaces.InferredFlags<T['flags']>;

/** The value of `flag`, which says how long a builder may take to start, in milliseconds. Throws `usage`. */
export function readBuilderTimeout(flag: string, text: string | undefined): number {
  return text === undefined ? BUILDER_TIMEOUT : readDuration(flag, text);
}

/** `kind` is the command's name. */
export function readBuilderRequest(
  kind: BuilderAction['kind'],
  {flags, name: given}: BuilderInput,
  {env, cwd}: Surroundings,
): BuilderCommandRequest {
  const {name} = chooseBuilder(given, env.BUILDX_BUILDER);
  demandObjectName(name, given ? 'NAME' : 'BUILDX_BUILDER');
  return Object.freeze({
    action: readAction(kind, flags, name),
    connection: readConnection(flags as ConnectionFlags, cwd),
  });
}

function readAction(kind: BuilderAction['kind'], flags: BuilderInput['flags'], name: string): BuilderAction {
  switch (kind) {
    case 'ls':
      return {kind, form: (flags as FlagsOf<typeof BuilderList>).output ?? 'table'};
    case 'create':
      return readCreate(flags as FlagsOf<typeof BuilderCreate>, name);
    case 'rm':
      return {kind, name, yes: (flags as FlagsOf<typeof BuilderRemove>).yes};
    case 'logs':
      return {kind, name, follow: (flags as FlagsOf<typeof BuilderLogs>).follow};
    case 'du':
      return {kind, name};
    case 'prune':
      return {kind, name, all: (flags as FlagsOf<typeof BuilderPrune>).all};
    default:
      return kind satisfies never;
  }
}

function readCreate(flags: FlagsOf<typeof BuilderCreate>, name: string): BuilderAction {
  const {namespace: _, ...defaults} = defaultBuilderSettings(name, '', flags.rootless);
  const requests = {cpu: flags['request-cpu'], memory: flags['request-memory']};
  return {
    kind: 'create',
    settings: {
      ...defaults,
      image: flags.image ?? defaults.image,
      replicas: parseReplicas(flags.replicas ?? '1'),
      allowNetworkHost: flags.allow === 'network.host',
      requests: requests.cpu || requests.memory ? requests : undefined,
      nodeSelector: flags['node-selector'] === undefined ? {} : parseNodeSelector(flags['node-selector']),
      tolerations: (flags.toleration ?? []).map(parseToleration),
      env: Object.fromEntries((flags.env ?? []).map(readVariable)),
      containerd: {
        socket: flags['containerd-socket'],
        root: flags['containerd-root'],
        state: flags['containerd-state'],
      },
    },
    timeout: readBuilderTimeout('--timeout', flags.timeout),
    replace: flags.replace,
    force: flags.force,
    dryRun: flags['dry-run'],
  };
}

function readVariable(text: string): readonly [string, string] {
  const {key, value} = splitKeyValue(text);
  if (key !== '' && value !== undefined) return [key, value];
  throw new TiltbuildError('usage', 'An --env value is not of the form NAME=VALUE.');
}
