/** Owns the verdict on a builder: what it has, what is wrong with it, and whether it is ready. */
import {readFlag, readOtelSocket} from '../model/buildkitd-settings.ts';
import {isInside, normalizePath} from '../model/node-paths.ts';
import type {NodeRuntime} from '../model/node-runtimes.ts';
import type {BuilderDeployment, BuilderMount} from '../model/objects.ts';
import type {ObservedBuilder} from '../model/observed-builder.ts';

export type FaultKind =
  /** It harms its node at every start, as the plugin's own does. */
  | 'plugin-made'
  | 'wrong-runtime'
  /** No RUN step works on it. */
  | 'cannot-run';

/** `reason` is a clause that continues "the builder". */
export interface BuilderFault {
  readonly kind: FaultKind;
  readonly reason: string;
}

export interface Verdict {
  readonly kind: 'missing' | 'working' | 'starting' | FaultKind;
  readonly reason: string;
}

/** A fault counts before not being ready: nobody should wait for a builder that has to be replaced. */
export function judgeBuilder(observed: ObservedBuilder): Verdict {
  const {deployment} = observed;
  if (deployment === undefined) return {kind: 'missing', reason: 'does not exist'};
  const [fault, ...others] = findFaults(observed, deployment);
  if (fault) {
    return {...fault, reason: [fault.reason, ...others.map(({reason}) => reason)].join(', and ')};
  }
  const unready = whyUnready(deployment);
  return unready === undefined
    ? {kind: 'working', reason: `is ready and runs ${deployment.image}`}
    : {kind: 'starting', reason: unready};
}

/** All that is wrong with it, the worst first. */
export function findFaults(
  {toml, tomlUnknown = false, nodes}: ObservedBuilder,
  deployment: BuilderDeployment,
): readonly BuilderFault[] {
  const inner = findNestedMount(deployment.mounts)?.path;
  const faults: readonly (readonly [FaultKind, string | undefined])[] = [
    [
      'plugin-made',
      inner &&
        `harms its node at every start (it mounts ${inner} inside a directory that it shares with the node, and the node's mounts double)`,
    ],
    ['wrong-runtime', findWrongRuntime(deployment, nodes)],
    ['cannot-run', findBrokenRun(deployment, toml, tomlUnknown)],
  ];
  return faults.flatMap(([kind, reason]) => (reason === undefined ? [] : [{kind, reason}]));
}

/** `kubectl build` takes a builder with one ready pod for ready (creation.go, createBuilder). */
export function whyUnready(deployment: BuilderDeployment): string | undefined {
  if (deployment.deleting) return 'is being deleted';
  if (deployment.replicas === 0) return 'is scaled to 0';
  // The counts, or the ready pods, are those of an older generation, which the strategy may be to stop first.
  if (deployment.observedGeneration < deployment.generation || deployment.updatedReplicas === 0) {
    return 'is being rolled out';
  }
  return deployment.readyReplicas === 0 ? 'is not ready yet' : undefined;
}

/**
 * A mount inside a directory of the node that is mounted with bidirectional propagation appears on the node as well,
 * and doubles with every start: 1, 3, 7, 15, 31 were counted, and after fifteen starts no container could start. The
 * plugin's containerd builder mounts containerd's socket like this
 * (test/fixtures/recordings/api/builder-by-plugin.json).
 */
export function findNestedMount(mounts: readonly BuilderMount[]): BuilderMount | undefined {
  return mounts.find(({path}) =>
    mounts.some((outer) => outer.bidirectional && outer.hostPath !== undefined && isInside(path, outer.path)),
  );
}

function findWrongRuntime(
  {runtime, rootless}: BuilderDeployment,
  nodes: readonly NodeRuntime[] | undefined,
): string | undefined {
  // A rootless builder exports into no runtime.
  if (nodes === undefined || rootless) return undefined;
  const runtimes = new Set(
    nodes
      .filter((node) => node.labels['kubernetes.io/os'] !== 'windows')
      .map(({containerRuntimeVersion}) => containerRuntimeVersion.replace(/:.*/, '')),
  );
  const [other] = runtimes;
  if (runtimes.size !== 1) return undefined;
  const pair = [runtime, other].sort().join();
  return pair === 'containerd,docker' ? `is for ${runtime}, and the nodes run ${other}` : undefined;
}

/**
 * With the containerd worker the node's containerd creates a step's container and mounts BuildKit's OpenTelemetry
 * socket into it, by a path that BuildKit 0.13 moved to /run/buildkit, which by default exists only inside the pod
 * (test/fixtures/recordings/run-fails-on-default-builder.yaml). A flag overrides the toml (buildkitd's applyMainFlags).
 */
function findBrokenRun(
  deployment: BuilderDeployment,
  toml: string | undefined,
  tomlUnknown: boolean,
): string | undefined {
  if (!hasContainerdWorker(deployment)) return undefined;
  const version = readBuildkitVersion(deployment.image);
  if (version !== undefined && version.major === 0 && version.minor < 13) return undefined;
  const socket = readOtelSocket(deployment.args, toml ?? '');
  if (socket === undefined && tomlUnknown) return undefined;
  if (socket !== undefined && isSharedWithNode(socket, deployment.mounts)) return undefined;
  return 'cannot run RUN steps (its OpenTelemetry socket is not in a directory that it shares with the node)';
}

function hasContainerdWorker({args, worker, rootless}: BuilderDeployment): boolean {
  if (rootless) return false;
  const given = readFlag(args, 'containerd-worker');
  return given === undefined ? worker === 'containerd' : given !== 'false';
}

/** BuildKit's version by the tag, if the image is BuildKit's own or a mirror of it, and the tag has a version. */
export function readBuildkitVersion(image: string): {major: number; minor: number} | undefined {
  const found = /(?:^|\/)buildkit:v?(\d+)\.(\d+)(?:[.-][\w.-]*)?(?:@.*)?$/.exec(image);
  return found ? {major: Number(found[1]), minor: Number(found[2])} : undefined;
}

/** Whether the node has the file under the same path: its runtime gets the path that the file has in the pod. */
function isSharedWithNode(file: string, mounts: readonly BuilderMount[]): boolean {
  const [nearest] = mounts
    .filter(({path}) => isInside(file, path))
    .sort((a, b) => normalizePath(b.path).length - normalizePath(a.path).length);
  return nearest?.hostPath !== undefined && normalizePath(nearest.hostPath) === normalizePath(nearest.path);
}
