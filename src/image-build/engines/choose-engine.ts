/** Owns which engine builds: a table of what the plugin `kubectl build` cannot do, and what follows from it. */
import {TiltbuildError} from '../../errors.ts';
import type {FoundPlugin} from '../../ports.ts';
import {advise, flag} from '../../text/advice.ts';
import type {BuildRequest, EngineName} from '../build-request.ts';
import {formOf} from '../inputs/outputs.ts';
import {isSet, lastOf, valuesOf} from './builtin/frontend.ts';
import {missingPlugin} from './engine.ts';

export interface EngineChoice {
  readonly name: EngineName;
  /** Why, as a clause. */
  readonly reason: string;
}

/** What the choice depends on. */
export interface EngineQuestion {
  readonly request: Pick<
    BuildRequest,
    'engine' | 'check' | 'context' | 'destination' | 'output' | 'progress' | 'passedFlags' | 'passthrough'
  >;
  readonly plugin: FoundPlugin | undefined;
  /** Pods that the builder is to have. */
  readonly replicas: number;
  /** Whether the namespace has other builders. */
  readonly hasOthers: boolean;
  /** Of a local context as an archive, about, in bytes. */
  readonly archiveSize: number;
  /** Whether the Dockerfile is, as it is, among the files of a local context that are sent. */
  readonly dockerfileIsSent: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}

interface Limit {
  /** A clause of which `kubectl build` is the subject. */
  readonly reason: string;
  /** Whether it works all the same, and so can be asked for. */
  readonly works?: true;
  readonly applies: (question: EngineQuestion) => boolean;
}

/** The plugin gets the context as an archive, which is sent whole at each build. In bytes. */
const LARGEST_ARCHIVE = 64_000_000;

/** What kubectl build 0.1.6 cannot do, or does badly. docs/engines.md has the same rows. */
export const LIMITS: readonly Limit[] = [
  {reason: 'does not know --check', applies: ({request}) => request.check},
  {
    reason: 'does not know --build-context',
    applies: ({request}) => isSet(request, '--build-context'),
  },
  {reason: 'ignores --shm-size', applies: ({request}) => isSet(request, '--shm-size')},
  {reason: 'ignores --ulimit', applies: ({request}) => isSet(request, '--ulimit')},
  {reason: 'does not know --progress rawjson', applies: ({request}) => request.progress === 'rawjson'},
  {
    // recordings/network-none.yaml
    reason: 'requests the entitlement network.host for --network none',
    applies: ({request}) => lastOf(request, '--network') === 'none',
  },
  {
    reason: 'only knows caches of the types inline, local and registry',
    applies: ({request}) =>
      [...valuesOf(request, '--cache-from'), ...valuesOf(request, '--cache-to')].some((spec) =>
        /(^|,)type=(?!inline|local|registry)/.test(spec),
      ),
  },
  {
    // Its source, toSolveOpt.
    reason: 'only writes an image of type docker for a builder on Docker',
    works: true,
    applies: ({request: {output}}) => output?.type === 'docker',
  },
  {
    reason: 'does not know tar=false of --output',
    applies: ({request: {output}}) => output?.type === 'oci' && formOf(output) === 'tree',
  },
  {
    reason: 'only finds a Dockerfile among the files sent as the build context',
    works: true,
    applies: ({request, dockerfileIsSent}) => isDirectory(request) && !dockerfileIsSent,
  },
  {
    // As a tarball with all layers, also to nodes that have them; one of three such builds failed on two nodes.
    reason: 'copies an image for the nodes of several pods through your machine',
    applies: needsCopies,
  },
  {
    // It counts the builders of the namespace, and not their nodes.
    reason: 'copies an image through your machine if the namespace has other builders',
    works: true,
    applies: ({request: {check, destination}, hasOthers}) =>
      !check && destination.kind === 'runtime' && hasOthers,
  },
  {
    reason: 'sends the whole build context at every build, and that is larger than 64 MB as an archive',
    works: true,
    applies: ({request, archiveSize}) => isDirectory(request) && archiveSize > LARGEST_ARCHIVE,
  },
  {
    reason: 'cannot use a SOCKS proxy',
    applies: ({env}) =>
      ['HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy'].some((name) =>
        /^socks/i.test(env[name] ?? ''),
      ),
  },
];

/** Throws `usage` if the engine that was asked for cannot do what was asked for, and `tool-missing`. */
export function chooseEngine(question: EngineQuestion): EngineChoice {
  const {request, plugin} = question;
  const limits = LIMITS.filter(({applies}) => applies(question));
  const [limit] = limits;
  const obstacle = limits.find(({works}) => !works);
  const needsPlugin = request.passthrough.length > 0;
  switch (request.engine) {
    case 'builtin':
      if (needsPlugin) throw refuse(`Flags after -- are for kubectl build, and ${ASKED} builtin.`);
      return {name: 'builtin', reason: `${ASKED} builtin`};
    case 'kubectl-build':
      demandPlugin(plugin);
      if (obstacle !== undefined)
        throw refuse(`kubectl build ${obstacle.reason}, and ${ASKED} kubectl-build.`);
      return {name: 'kubectl-build', reason: `${ASKED} kubectl-build`};
    case 'auto':
      if (needsPlugin) {
        const {path} = demandPlugin(plugin);
        if (obstacle === undefined) return {name: 'kubectl-build', reason: `found at ${path}`};
        throw new TiltbuildError('usage', `Flags after -- are for kubectl build, which ${obstacle.reason}.`);
      }
      if (plugin === undefined) return {name: 'builtin', reason: 'kubectl build is not installed'};
      if (plugin.flaw !== undefined) return {name: 'builtin', reason: `${plugin.path} ${plugin.flaw}`};
      if (limit !== undefined) return {name: 'builtin', reason: `kubectl build ${limit.reason}`};
      return {name: 'kubectl-build', reason: `found at ${plugin.path}`};
    default:
      return request.engine satisfies never;
  }
}

/** Whether the image has to get into the runtimes of several nodes. */
function needsCopies({request: {check, destination}, replicas}: EngineQuestion): boolean {
  return !check && destination.kind === 'runtime' && replicas > 1;
}

const ASKED = 'the engine is set to';

/** Throws `tool-missing`. */
function demandPlugin(plugin: FoundPlugin | undefined): FoundPlugin {
  if (plugin === undefined) throw missingPlugin();
  if (plugin.flaw === undefined) return plugin;
  throw new TiltbuildError('tool-missing', `kubectl build cannot be used: ${plugin.path} ${plugin.flaw}.`, {
    remedy: [REPLACE_PLUGIN],
  });
}

export const REPLACE_PLUGIN = 'Remove it, or put the BuildKit plugin before it on PATH.';

function isDirectory({context}: EngineQuestion['request']): boolean {
  return context !== '-' && !/^(?:https?:\/\/|git:\/\/|ssh:\/\/|github\.com\/|git@)/.test(context);
}

function refuse(message: string): TiltbuildError {
  return new TiltbuildError('usage', message, {
    remedy: [advise`Leave the choice to kubectl tiltbuild: ${flag('engine', 'auto')}`],
  });
}
