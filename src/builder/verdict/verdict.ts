/** Owns what a builder is worth: what was observed of it becomes a verdict. */
import {findNestedMounts} from '../manifest/mounts.ts';
import {isRootless} from '../model/marks.ts';
import {isInside, normalizePath} from '../model/node-paths.ts';
import type {NodeRuntime} from '../model/node-runtimes.ts';
import type {BuilderDeployment, BuilderMount} from '../model/objects.ts';

/** What is wrong with how a builder is made. Each reason is a clause that goes on after "the builder". */
export type BuilderFault =
  /** It harms its node at every start, as the plugin's own does. */
  | {readonly kind: 'plugin-made'; readonly reason: string}
  | {readonly kind: 'wrong-runtime'; readonly reason: string}
  /** No RUN step works on it. */
  | {readonly kind: 'cannot-run'; readonly reason: string};

export type Verdict =
  | {readonly kind: 'missing'; readonly reason: string}
  | {readonly kind: 'working'; readonly reason: string}
  | {readonly kind: 'starting'; readonly reason: string}
  | BuilderFault;

export interface Observed {
  readonly deployment?: BuilderDeployment;
  /** Its buildkitd.toml, where it has one. */
  readonly toml?: string;
  /** Whether it may have one that is not known; then nothing is said of what it decides. */
  readonly tomlUnknown?: boolean;
  /** Only where they are known: without them the runtime is not judged. */
  readonly nodes?: readonly NodeRuntime[];
}

/** The worst first. */
const FAULTS: readonly BuilderFault['kind'][] = ['plugin-made', 'wrong-runtime', 'cannot-run'];

/** A fault goes before not being ready: what has to be replaced is not waited for. */
export function judgeBuilder(observed: Observed): Verdict {
  const {deployment} = observed;
  if (deployment === undefined) return {kind: 'missing', reason: 'does not exist'};
  const [fault, ...others] = findFaults({...observed, deployment});
  if (fault) {
    return {...fault, reason: [fault.reason, ...others.map(({reason}) => reason)].join(', and ')};
  }
  const unready = readUnready(deployment);
  return unready === undefined
    ? {kind: 'working', reason: `is ready and runs ${deployment.image}`}
    : {kind: 'starting', reason: unready};
}

/** All that is wrong with it, the worst first. */
export function findFaults({
  deployment,
  toml,
  tomlUnknown = false,
  nodes,
}: Observed & {readonly deployment: BuilderDeployment}): readonly BuilderFault[] {
  const inner = findNestedMount(deployment.mounts)?.path;
  const reasons: Readonly<Record<BuilderFault['kind'], string | undefined>> = {
    'plugin-made':
      inner &&
      `harms its node at every start (it mounts ${inner} inside a directory that it shares with the node, and the node's mounts double)`,
    'wrong-runtime': findWrongRuntime(deployment, nodes),
    'cannot-run': findBrokenRun(deployment, toml, tomlUnknown),
  };
  return FAULTS.flatMap((kind) => {
    const reason = reasons[kind];
    return reason === undefined ? [] : [{kind, reason}];
  });
}

/** `kubectl build` takes a builder with one ready pod for ready (creation.go, createBuilder). */
function readUnready(deployment: BuilderDeployment): string | undefined {
  if (deployment.deletionTimestamp !== undefined) return 'is being deleted';
  if (deployment.replicas === 0) return 'is scaled to 0';
  // The counts are those of an older generation, or the ready pods are, and the strategy may be to end them first.
  if (deployment.observedGeneration < deployment.generation || deployment.updatedReplicas === 0) {
    return 'is being rolled out';
  }
  return deployment.readyReplicas === 0 ? 'is not ready yet' : undefined;
}

/**
 * A mount inside a directory of the node that is mounted with bidirectional propagation appears on the node as well,
 * and doubles with every start: 1, 3, 7, 15, 31 were counted, and no container started any more after fifteen.
 * The plugin's containerd builder does so with containerd's socket (recordings/api/builder-by-plugin.json).
 */
function findNestedMount(mounts: readonly BuilderMount[]): BuilderMount | undefined {
  return findNestedMounts(mounts).find(
    // One in the same place as another is not inside it.
    ({inner, outer}) => outer.hostPath !== undefined && isInside(inner.path, outer.path),
  )?.inner;
}

function findWrongRuntime(
  {labels}: BuilderDeployment,
  nodes: readonly NodeRuntime[] | undefined,
): string | undefined {
  // A rootless builder exports into no runtime.
  if (nodes === undefined || isRootless(labels)) return undefined;
  const runtimes = new Set(
    nodes
      .filter((node) => node.labels['kubernetes.io/os'] !== 'windows')
      .map(({containerRuntimeVersion}) => containerRuntimeVersion.replace(/:.*/, '')),
  );
  const [other] = runtimes;
  if (runtimes.size !== 1 || other === labels.runtime) return undefined;
  const pair = [labels.runtime, other].sort().join();
  return pair === 'containerd,docker'
    ? `is made for ${labels.runtime}, while the nodes run on ${other}`
    : undefined;
}

/**
 * With the containerd worker the node's containerd makes a step's container and mounts BuildKit's OpenTelemetry
 * socket into it, by a path that BuildKit 0.13 moved to /run/buildkit: inside the pod only, unless told otherwise
 * (recordings/run-fails-on-default-builder.yaml). A flag goes before the toml (buildkitd's applyMainFlags).
 */
function findBrokenRun(
  deployment: BuilderDeployment,
  toml: string | undefined,
  tomlUnknown: boolean,
): string | undefined {
  if (!hasContainerdWorker(deployment)) return undefined;
  const version = readBuildkitVersion(deployment.image);
  if (version !== undefined && version.major === 0 && version.minor < 13) return undefined;
  const flag = readFlag(deployment.args, 'otel-socket-path');
  if (flag === undefined && tomlUnknown) return undefined;
  const socket = flag ?? readOtelSocket(toml ?? '');
  if (socket !== undefined && isSharedWithNode(socket, deployment.mounts)) return undefined;
  return 'cannot run RUN steps (its OpenTelemetry socket is in no directory that it shares with the node)';
}

function hasContainerdWorker({args, labels}: BuilderDeployment): boolean {
  if (isRootless(labels)) return false;
  const given = readFlag(args, 'containerd-worker');
  return given === undefined ? labels.worker === 'containerd' : given !== 'false';
}

/** BuildKit's version by the image's tag, as far as it is BuildKit's own image or a mirror of it, and names one. */
export function readBuildkitVersion(image: string): {major: number; minor: number} | undefined {
  const found = /(?:^|\/)buildkit:v?(\d+)\.(\d+)(?:[.-][\w.-]*)?(?:@.*)?$/.exec(image);
  return found ? {major: Number(found[1]), minor: Number(found[2])} : undefined;
}

/** The flag's last value, in both of its forms, also within a shell's command line. */
function readFlag(args: readonly string[], name: string): string | undefined {
  const pattern = new RegExp(`(?:^|\\s)--?${name}(?:=|\\s+(?!-))["']?([^\\s"']+)`, 'g');
  return [...args.join(' ').matchAll(pattern)].at(-1)?.[1];
}

/** `socketPath` of the table `otel`: under its header, or as a dotted key or inline table before the first header. */
function readOtelSocket(toml: string): string | undefined {
  let table = '';
  for (const line of toml.split('\n')) {
    const header = /^\s*\[\s*([^\]]+?)\s*\]/.exec(line);
    if (header) table = header[1] ?? '';
    const key = {otel: 'socketPath', '': 'otel\\s*(?:\\.|=\\s*\\{.*\\b)\\s*socketPath'}[table];
    const found = key && new RegExp(`^\\s*${key}\\s*=\\s*(?:"([^"]*)"|'([^']*)')`).exec(line);
    if (found) return found[1] ?? found[2];
  }
  return undefined;
}

/** Whether the node sees the file under the same path: its runtime is given the path as it is in the pod. */
function isSharedWithNode(file: string, mounts: readonly BuilderMount[]): boolean {
  const [nearest] = mounts
    .filter(({path}) => isInside(file, path))
    .sort((a, b) => normalizePath(b.path).length - normalizePath(a.path).length);
  return nearest?.hostPath !== undefined && normalizePath(nearest.hostPath) === normalizePath(nearest.path);
}
