/** Owns the in-memory world of the unit tests: a scripted cluster, a clock that only sleeping advances, builders. */

import {EventEmitter} from 'node:events';
import type {Duplex} from 'node:stream';
import type {NodeRuntime} from '../../../src/builder/model/node-runtimes.ts';
import type {BuilderContainer, BuilderEvent, BuilderPod} from '../../../src/builder/model/pods.ts';
import type {BuilderRequest} from '../../../src/builder/model/request.ts';
import {defaultBuilderSettings} from '../../../src/builder/model/settings.ts';
import type {Answer} from '../../../src/cluster/api/facts.ts';
import {LOCAL_REGISTRY_PATH} from '../../../src/cluster/api/paths.ts';
import type {Cluster, ProgramOutput} from '../../../src/cluster/ports.ts';
import {TiltbuildError, timedOut} from '../../../src/errors.ts';
import type {BuildRequest} from '../../../src/image-build/build-request.ts';
import type {Delegate, Files, Ports, Programs} from '../../../src/ports.ts';
import {Interruption} from '../../../src/system/interruption.ts';
import {formatAdvice} from '../../../src/text/advice.ts';
import {readApiRecording, readBuilderRecording} from '../../helpers/api-samples.ts';

/** What a path asks for: `pods` for a list of pods, `deployments` for one of them. */
const KINDS = [
  'deployments',
  'pods',
  'events',
  'resourcequotas',
  'namespaces',
  'nodes',
  'kube-system',
] as const;
export type Scripted = Answer<unknown> | Error;
export type Said = Partial<ProgramOutput>;

export interface Script {
  /** The answers in their order, the last one again and again. A kind without answers must not be asked for. */
  readonly get?: Partial<Record<(typeof KINDS)[number], readonly Scripted[]>>;
  /** Undefined for a call that must not happen. */
  readonly kubectl?: (args: readonly string[], input: string | undefined) => Said | undefined;
  /** The streams of a program in the pod of that name, or why it cannot be started. */
  readonly tunnel?: (pod: string) => Duplex | Error;
  /** Called before each answer. */
  readonly onGet?: (path: string) => void;
}

export interface ScriptedCluster extends Cluster {
  readonly gets: readonly string[];
  readonly calls: readonly {readonly args: readonly string[]; readonly input: string | undefined}[];
}

/** Throws what no test takes for an error of ours. */
function never(what: string) {
  return async (...[word = '']: readonly unknown[]): Promise<never> => {
    throw new RangeError(`${what} ${word}`);
  };
}

function neverAtOnce(what: string) {
  return (...[word = '']: readonly unknown[]): never => {
    throw new RangeError(`${what} ${word}`);
  };
}

/** An unscripted call is an error. */
export function scriptCluster({get = {}, kubectl, tunnel, onGet}: Script = {}): ScriptedCluster {
  const gets: string[] = [];
  const kinds: (string | undefined)[] = [];
  const calls: ScriptedCluster['calls'][number][] = [];
  return {
    gets,
    calls,
    pause: 300,
    lastLogin: async () => undefined,
    openTunnel: async ({pod}) => {
      const stream = tunnel?.(pod) ?? new RangeError('nothing opens a tunnel');
      if (stream instanceof Error) throw stream;
      const end = {exitCode: undefined, failure: 'it is cut', stderr: ''};
      return {stream, ended: new Promise((resolve) => stream.once('close', () => resolve(end)))};
    },
    readPullSecret: never('nothing reads a pull secret'),
    read: never('nothing but buildImage reads'),
    get: async (path) => {
      gets.push(path);
      if (gets.length > 5000) throw new RangeError('this never ends');
      onGet?.(path);
      // No cluster here announces one.
      if (path === LOCAL_REGISTRY_PATH) return {kind: 'missing'};
      const kind = kindOf(path);
      // Most users cannot get it.
      const answers = (kind && get[kind]) ?? (kind === 'kube-system' ? [forbidden('no')] : []);
      const before = kinds.filter((other) => other === kind).length;
      kinds.push(kind);
      const answer = answers[before] ?? answers.at(-1) ?? new RangeError(`nobody may ask for ${path}`);
      if (answer instanceof Error) throw answer;
      return answer;
    },
    review: never('nobody may ask'),
    kubectl: async (args, input) => {
      calls.push({args, input});
      const said = kubectl?.(args, input);
      if (said === undefined) throw new RangeError(`nobody may run kubectl ${args.join(' ')}`);
      return {exitCode: 0, stdout: '', stderr: '', ...said};
    },
    kubectlLive: never('no build shows what kubectl says:'),
  };
}

function kindOf(path: string) {
  if (path === '/api/v1/namespaces/kube-system') return 'kube-system';
  if (/^\/api\/v1\/namespaces\/[^/]+$/.test(path)) return 'namespaces';
  return KINDS.find((kind) => new RegExp(`/${kind}(?:[/?]|$)`).test(path));
}

export interface World {
  readonly delegate?: Delegate['run'];
  readonly files?: Partial<Files>;
}

export interface TestPorts extends Ports {
  readonly said: readonly string[];
  readonly sleeps: readonly number[];
  /** A signal, now. */
  readonly interrupt: () => void;
  /** The time limit of a build, from now on. */
  readonly limit: (milliseconds: number) => void;
}

export function makePorts({delegate, files = {}}: World = {}): TestPorts {
  const said: string[] = [];
  const sleeps: number[] = [];
  let clock = 1000;
  const signals = new EventEmitter();
  const interruption = new Interruption(signals, never('nobody may leave') as never);
  const run: Delegate['run'] = delegate ?? (async () => ({exitCode: 0, signal: undefined}));
  return {
    said,
    sleeps,
    interrupt: () => void signals.emit('SIGINT'),
    limit: (milliseconds) => interruption.limit(milliseconds, timedOut),
    files: files as Files,
    input: {save: never('nothing reads standard input')},
    clusters: {connect: never('the cluster is connected already') as never},
    delegate: {
      find: async () => ({path: '/bin/kubectl-build'}),
      run: (given) =>
        interruption.withGrace((stop) => run({...given, stop: AbortSignal.any([stop, given.stop ?? stop])})),
    },
    notes: {note: (text) => said.push(formatAdvice(text)), detail: () => undefined},
    withGrace: (work) => interruption.withGrace(work),
    programs: NO_PROGRAMS,
    builtin: NO_BUILTIN,
    confirm: never('no build asks'),
    wallClock: () => Date.UTC(2026, 10, 24) + clock,
    now: () => clock,
    sleep: async (milliseconds) => {
      sleeps.push(milliseconds);
      if (sleeps.length > 5000) throw new RangeError('this never ends');
      // Other things get their turn, as in a real sleep.
      await new Promise((resolve) => setImmediate(resolve));
      clock += milliseconds;
    },
  };
}

/** PATH is not searched, and nothing runs. */
const NO_PROGRAMS: Programs = {
  path: [],
  find: never('nobody may look for'),
  findAll: never('nobody may look for'),
  run: never('nobody may run'),
};

/** A directory has one Dockerfile, and nothing is built here. */
const NO_BUILTIN: Ports['builtin'] = {
  contexts: {
    list: () => [Buffer.from('Dockerfile')],
    lstat: (path) => ({
      kind: path.endsWith('Dockerfile') ? 'file' : 'directory',
      ...{mode: 0o644, size: 12, modified: 0n, changed: 0n},
    }),
    readLink: neverAtOnce('nothing may read the link'),
    read: () => [Buffer.from('FROM scratch')],
  },
  machine: never('nothing asks for the machine'),
  random: neverAtOnce('nothing is random'),
  openTree: neverAtOnce('nothing may write'),
  openArchive: neverAtOnce('nothing may write'),
  openBlobs: neverAtOnce('nothing may read blobs'),
  connectAgent: never('no agent is here'),
  show: never('nothing is shown'),
  terminalSize: neverAtOnce('nothing asks for the terminal'),
  every: neverAtOnce('nothing is repeated'),
};

export function found<T>(value: T) {
  return {kind: 'found', value} as const;
}

export const MISSING = {kind: 'missing'} as const;

export function forbidden(message: string) {
  return {kind: 'forbidden', message} as const;
}

export function list(...items: readonly unknown[]) {
  return found({kind: 'List', items});
}

type Json = Readonly<Record<string, unknown>>;
type DeploymentBody = Readonly<Record<'metadata' | 'spec' | 'status', Json>>;
type DeploymentChanges = Partial<DeploymentBody> & {readonly name?: string; readonly labels?: Json};

/** The recorded one that kubectl build created: it runs, and harms its node. */
export function pluginDeployment({
  name = 'buildkit',
  labels,
  metadata,
  spec,
  status,
}: DeploymentChanges = {}): DeploymentBody {
  const body = readApiRecording('builder-by-plugin').body;
  const ownLabels = {...body.metadata.labels, app: name, ...labels};
  return {
    ...body,
    metadata: {...body.metadata, name, labels: ownLabels, ...metadata},
    spec: {...body.spec, ...spec},
    status: {...body.status, ...status},
  };
}

/** One of ours that is ready; rootless, because these tests are not about what makes a builder work. */
export function workingDeployment({
  labels,
  metadata,
  spec,
  status,
  ...name
}: DeploymentChanges = {}): DeploymentBody {
  const ours = {worker: 'runc', rootless: 'true', 'app.kubernetes.io/managed-by': 'kubectl-tiltbuild'};
  const container = {name: 'buildkitd', image: 'docker.io/moby/buildkit:v0.32.2-rootless'};
  return pluginDeployment({
    ...name,
    labels: {...ours, ...labels},
    metadata: {uid: 'u', resourceVersion: '10', generation: 1, ...metadata},
    spec: {template: {spec: {containers: [container]}}, ...spec},
    status: {observedGeneration: 1, ...status},
  });
}

/** One of ours that is starting. */
export function startingDeployment(changes: DeploymentChanges = {}): DeploymentBody {
  return workingDeployment({...changes, status: {readyReplicas: 0, ...changes.status}});
}

/** A pod with one container: `state` and `lastState` as the kubelet tells them. */
const POD = {
  ...{name: 'buildkit-1-a', owner: 'buildkit-1', deleting: false},
  ...{state: {running: {}} as Json, lastState: {} as Json, restartCount: 0},
};
type PodChanges = Partial<typeof POD & {readonly phase: string; readonly ready: boolean}>;

/** As the API server gives it. */
export function pod({phase = 'Running', ready = phase === 'Running', ...changes}: PodChanges = {}): Json {
  const {name, owner, deleting, ...container} = {...POD, ...changes};
  const status = ready ? 'True' : 'False';
  const conditions = ['Ready', 'ContainersReady'].map((type) => ({type, status}));
  const containerStatuses = [{name: 'buildkitd', image: 'i', ready, ...container}];
  return {
    metadata: {
      ...{name, uid: `uid-${name}`, creationTimestamp: '2026-11-24T02:00:00Z'},
      ownerReferences: [{kind: 'ReplicaSet', name: owner, controller: true}],
      ...(deleting && {deletionTimestamp: '2026-11-24T03:00:00Z'}),
    },
    spec: {nodeName: 'node-1'},
    status: {phase, conditions, containerStatuses},
  };
}

/** A recorded builder that does not start. */
export function stuck(name: string): {
  readonly deployment: Json;
  readonly pods: readonly unknown[];
  readonly events: readonly unknown[];
  readonly logs?: string;
} {
  return readBuilderRecording(`stuck-${name}`);
}

/** A pod as `readPods` gives it. */
export function readPod(changes: Partial<BuilderPod> = {}): BuilderPod {
  return {
    ...{name: 'b-1-x', uid: 'u1', owner: 'b-1', node: 'n', createdAt: 2000},
    ...{phase: 'Running', ready: true, nodeSilent: false, deleting: false},
    containers: [readContainer()],
    ...changes,
  };
}

export function readContainer(changes: Partial<BuilderContainer> = {}): BuilderContainer {
  const waiting = {running: false, restartCount: 0, waitingReason: '', waitingMessage: ''};
  return {name: 'buildkitd', image: 'i', ...waiting, ...changes};
}

/** An event about that pod. */
export function readEvent(
  reason: string,
  message: string,
  changes: Partial<BuilderEvent> = {},
): BuilderEvent {
  const object = {kind: 'Pod', name: 'b-1-x', uid: 'u1'};
  return {type: 'Warning', reason, message, object, lastSeen: 3000, ...changes};
}

export function nodeRuntime(changes: Partial<NodeRuntime> = {}): NodeRuntime {
  return {
    ...{name: 'n', labels: {}, architecture: 'amd64', ready: true, unschedulable: false, taints: []},
    ...{containerRuntimeVersion: 'containerd://2.1.9', kubeletVersion: 'v1.36.2'},
    ...changes,
  };
}

const TIMEOUT = 120_000;

export function builderRequest(changes: Partial<BuilderRequest> = {}): BuilderRequest {
  const settings = defaultBuilderSettings('buildkit', 'default');
  return {settings, policy: 'ensure', timeout: TIMEOUT, fixedNodes: false, ...changes};
}

/** The error of ours that it ends with; throws any other. */
export async function failureOf(run: Promise<unknown>): Promise<TiltbuildError> {
  try {
    const value = await run;
    throw new RangeError(`no error, but ${JSON.stringify(value)}`);
  } catch (error) {
    if (error instanceof TiltbuildError) return error;
    throw error;
  }
}

export function buildRequest(changes: Partial<BuildRequest> = {}): BuildRequest {
  return {
    ...{context: '.', tags: [], platforms: [], secrets: [], push: false, ignore: [], only: []},
    ...{passedFlags: [], passthrough: [], qualify: false, print: 'digest', quiet: false, engine: 'auto'},
    ...{check: false, keepImages: 10, baseImages: [], findBaseImages: [], allowK3d: false},
    spread: 'auto',
    destination: {kind: 'runtime', stdout: false},
    builder: {name: 'buildkit', given: false},
    builderOptions: {policy: 'ensure', timeout: TIMEOUT, allowNetworkHost: false},
    pullSecret: {kind: 'default', name: 'docker-registry'},
    connection: {overrides: {}, passed: []},
    ...changes,
  };
}
