/** Owns the Deployment and ConfigMap of a builder of ours, in the form that kubectl build adopts as its own. */
import {createHash} from 'node:crypto';
import {TiltbuildError} from '../errors.ts';
import {
  type ContainerdPaths,
  type ContainerRuntime,
  parentDirectory,
  resolveRunAlias,
  STANDARD_SOCKET,
} from './builder-runtime.ts';
import type {BuilderSettings} from './builder-settings.ts';
import {
  type BuildkitdWorker,
  builderStateDirectory,
  buildkitdToml,
  chooseWorker,
  ROOTLESS_STATE_DIRECTORY,
} from './builder-toml.ts';

/** By its presence the plugin takes a Deployment for a builder (pkg/driver/kubernetes/driver.go, List). */
export const PLUGIN_ANNOTATION = 'buildkit.mobyproject.org/builder';
/** The label and its value by which we know what we made. */
export const MANAGED_BY_LABEL = 'app.kubernetes.io/managed-by';
export const MANAGED_BY = 'kubectl-tiltbuild';
export const VERSION_ANNOTATION = 'kubectl-tiltbuild/version';
/** On the pods, so that another configuration makes new ones: a changed ConfigMap alone restarts nothing. */
export const CONFIG_ANNOTATION = 'kubectl-tiltbuild/config';
export const CONFIG_KEY = 'buildkitd.toml';

export interface ManifestFacts {
  readonly settings: BuilderSettings;
  /** May be absent for a rootless builder only, which runs anywhere. */
  readonly runtime?: ContainerRuntime;
  readonly paths: ContainerdPaths;
  /** How many nodes can hold a builder. */
  readonly nodeCount: number;
  readonly toolVersion: string;
}

export interface BuilderManifest {
  readonly configMap: KubernetesObject;
  readonly deployment: KubernetesObject & {
    readonly spec: {
      readonly replicas: number;
      readonly template: {readonly spec: PodSpec; readonly [field: string]: unknown};
      readonly [field: string]: unknown;
    };
  };
}

export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
}

/** The part of a pod's specification that mounts are read from. */
export interface PodSpec {
  readonly initContainers?: readonly {readonly volumeMounts?: readonly VolumeMount[]}[];
  readonly containers?: readonly {readonly volumeMounts?: readonly VolumeMount[]}[];
}

export interface VolumeMount {
  readonly name: string;
  readonly mountPath: string;
  readonly mountPropagation?: string;
  readonly readOnly?: boolean;
}

/** Objects to send as they are. The version of the tool is in their annotations only, so that none restarts a pod. */
export function builderManifest(facts: ManifestFacts): BuilderManifest {
  const {settings, runtime, paths, toolVersion} = facts;
  const {name, namespace, rootless} = settings;
  checkName(name);
  const worker = chooseWorker(runtime, rootless, builderStateDirectory(namespace, name), paths.socket);
  const toml = buildkitdToml(worker, settings.allowNetworkHost);
  const labels = {
    app: name,
    // What the plugin itself writes for rootless builders where nothing else is asked for.
    runtime: runtime ?? 'docker',
    worker: worker.kind === 'containerd' ? 'containerd' : 'runc',
    rootless: String(rootless),
    [MANAGED_BY_LABEL]: MANAGED_BY,
  };
  const metadata = {
    name,
    namespace,
    labels,
    annotations: {[PLUGIN_ANNOTATION]: `${MANAGED_BY} ${toolVersion}`, [VERSION_ANNOTATION]: toolVersion},
  };
  return {
    configMap: {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata,
      // As text it would be easier to read, but a key cannot be in both places, and where the plugin made a
      // ConfigMap before, it is in this one.
      binaryData: {[CONFIG_KEY]: Buffer.from(toml).toString('base64')},
    },
    deployment: {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata,
      spec: {
        replicas: countReplicas(facts),
        // With a rolling update the new pod would wait for the old one's node and lock, and the old one for it.
        strategy: {type: 'Recreate'},
        selector: {matchLabels: {app: name}},
        template: {
          metadata: {labels, annotations: {[CONFIG_ANNOTATION]: hashConfig(toml)}},
          spec: podSpec(settings, worker, paths),
        },
      },
    },
  };
}

/** Every mount inside another one that is Bidirectional, which would double on the node at each start of the pod. */
export function nestedMounts(podSpec: PodSpec): readonly string[] {
  return [...(podSpec.initContainers ?? []), ...(podSpec.containers ?? [])].flatMap(({volumeMounts = []}) =>
    volumeMounts.flatMap((inner) =>
      volumeMounts
        .filter((outer) => outer !== inner && outer.mountPropagation === 'Bidirectional')
        .filter((outer) => isWithin(inner.mountPath, outer.mountPath))
        .map((outer) => `${inner.mountPath} inside ${outer.mountPath}`),
    ),
  );
}

function isWithin(inner: string, outer: string): boolean {
  return `${normalizeMountPath(inner)}/`.startsWith(`${normalizeMountPath(outer)}/`);
}

function normalizeMountPath(path: string): string {
  return resolveRunAlias(path).replace(/\/+$/, '');
}

/** The name becomes the label `app`, which is shorter than a name may be. */
function checkName(name: string): void {
  if (name.length <= 63) return;
  throw new TiltbuildError('usage', `The builder's name "${name}" has more than 63 characters.`, {
    remedy: ['Give it a shorter one with --builder.'],
  });
}

function countReplicas({settings: {replicas, rootless}, nodeCount}: ManifestFacts): number {
  const nodes = Math.max(1, nodeCount);
  if (replicas === 'nodes') return nodes;
  if (rootless || replicas <= nodes) return replicas;
  throw new TiltbuildError(
    'usage',
    `${replicas} replicas of the builder need as many nodes, and only ${nodes} can hold one.`,
    {remedy: ['Ask for fewer replicas, or for "nodes".']},
  );
}

function hashConfig(toml: string): string {
  return createHash('sha256').update(toml).digest('hex').slice(0, 16);
}

/** Only what differs from the API server's defaults, or matters too much to leave to them. */
function podSpec(settings: BuilderSettings, worker: BuildkitdWorker, paths: ContainerdPaths) {
  const {volumes, volumeMounts} = listVolumes(settings, worker, paths);
  const {requests, tolerations} = settings;
  const env = Object.entries(settings.env).sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    // An idle buildkitd goes at once; one that builds is given time to finish.
    terminationGracePeriodSeconds: 30,
    nodeSelector: {...settings.nodeSelector, 'kubernetes.io/os': 'linux'},
    ...(tolerations.length > 0 ? {tolerations} : {}),
    affinity: {podAntiAffinity: spreadOverNodes(settings)},
    containers: [
      // The plugin runs its commands in the first container, whatever it is called.
      {
        name: 'buildkitd',
        image: settings.image,
        imagePullPolicy: 'IfNotPresent',
        ...(worker.kind === 'rootless' ? {args: ['--oci-worker-no-process-sandbox']} : {}),
        ...(env.length > 0 ? {env: env.map(([name, value]) => ({name, value}))} : {}),
        ...(requests === undefined ? {} : {resources: {requests}}),
        securityContext: worker.kind === 'rootless' ? ROOTLESS_SECURITY : {privileged: true},
        startupProbe: probe(1, 300),
        readinessProbe: probe(15, 4),
        // What BuildKit said at last is then in the pod's status, where the wait for it finds it.
        terminationMessagePolicy: 'FallbackToLogsOnError',
        volumeMounts,
      },
    ],
    volumes,
  };
}

/** Since Kubernetes 1.27 (seccomp) and 1.30 (AppArmor) in these fields; the plugin's annotations mean nothing now. */
const ROOTLESS_SECURITY = {
  runAsUser: 1000,
  runAsGroup: 1000,
  seccompProfile: {type: 'Unconfined'},
  appArmorProfile: {type: 'Unconfined'},
};

/**
 * At the start every second, so that nobody waits for the next look; later seldom. buildctl may be slow to start
 * beside a large build, and for a pod that is not ready the plugin sets out to make another builder.
 */
function probe(periodSeconds: number, failureThreshold: number) {
  const exec = {command: ['buildctl', 'debug', 'workers']};
  return {exec, periodSeconds, timeoutSeconds: 10, failureThreshold};
}

/** Two builders of one name on a node would fight over their state; the rootless ones keep theirs to themselves. */
function spreadOverNodes({name, rootless}: BuilderSettings) {
  const term = {labelSelector: {matchLabels: {app: name}}, topologyKey: 'kubernetes.io/hostname'};
  return rootless
    ? {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 100, podAffinityTerm: term}]}
    : {requiredDuringSchedulingIgnoredDuringExecution: [term]};
}

interface Mounted {
  readonly volume: Readonly<Record<string, unknown>> & {readonly name: string};
  readonly mount: Omit<VolumeMount, 'name'>;
}

function listVolumes({name}: BuilderSettings, worker: BuildkitdWorker, paths: ContainerdPaths) {
  const mounted = [configVolume(name, worker), ...workerVolumes(worker, paths)];
  return {
    volumes: mounted.map(({volume}) => volume),
    volumeMounts: mounted.map(({volume, mount}) => ({name: volume.name, ...mount})),
  };
}

function configVolume(name: string, worker: BuildkitdWorker): Mounted {
  const mountPath = worker.kind === 'rootless' ? '/home/user/.config/buildkit' : '/etc/buildkit';
  return {volume: {name: 'buildkitd-config', configMap: {name}}, mount: {mountPath}};
}

function workerVolumes(worker: BuildkitdWorker, paths: ContainerdPaths): readonly Mounted[] {
  switch (worker.kind) {
    case 'containerd':
      return containerdVolumes(worker.stateDirectory, paths);
    case 'runc':
      return [
        hostPath('var-lib-buildkit', worker.stateDirectory, 'DirectoryOrCreate'),
        // Through this socket the plugin loads images; it is in the directory that the plugin looks in.
        hostPath('docker-sock', '/var/run/docker.sock', 'Socket', '/run/docker.sock'),
      ];
    case 'rootless':
      return [
        {volume: {name: 'buildkitd-state', emptyDir: {}}, mount: {mountPath: ROOTLESS_STATE_DIRECTORY}},
      ];
    default:
      return worker satisfies never;
  }
}

/** containerd's client makes the pipes of a container's output there, whatever socket it talks to. */
const PIPE_DIRECTORY = '/run/containerd/fifo';

/**
 * BuildKit and the node's containerd hand each other paths, so these are the same inside and outside, and what the
 * one mounts has to show for the other: snapshots in containerd's root, and in /tmp the file system of a step, its
 * secrets and its SSH socket. (/var/log is as the plugin has it.) The socket comes with its directory, never by
 * itself; a directory inside another of these comes with that one.
 */
function containerdVolumes(stateDirectory: string, paths: ContainerdPaths): readonly Mounted[] {
  const directories = [
    ['var-lib-buildkit', stateDirectory, 'DirectoryOrCreate'],
    ['containerd-run', parentDirectory(paths.socket), 'Directory'],
    ['containerd-state', paths.state, 'Directory'],
    ['containerd-root', paths.root, 'Directory'],
    ['var-log', '/var/log', 'Directory'],
    ['tmp', '/tmp', 'Directory'],
  ] as const;
  const outermost = directories.filter(
    ([, path], index) =>
      !directories.some(
        ([, other], otherIndex) =>
          isWithin(path, other) && (path !== other ? otherIndex !== index : otherIndex < index),
      ),
  );
  const covered = (path: string) => outermost.some(([, directory]) => isWithin(path, directory));
  return [
    ...outermost.map(([name, path, type]) => hostPath(name, path, type, path, 'Bidirectional')),
    ...(covered(PIPE_DIRECTORY) ? [] : [hostPath('containerd-fifo', PIPE_DIRECTORY, 'DirectoryOrCreate')]),
    // Where the plugin loads images into the other nodes of a builder, it knows only the standard place.
    ...(covered(STANDARD_SOCKET) ? [] : [hostPath('loader-sock', paths.socket, 'Socket', STANDARD_SOCKET)]),
  ];
}

function hostPath(
  name: string,
  path: string,
  type: 'Directory' | 'DirectoryOrCreate' | 'Socket',
  mountPath = path,
  mountPropagation?: 'Bidirectional',
): Mounted {
  return {
    volume: {name, hostPath: {path, type}},
    mount: {mountPath, ...(mountPropagation === undefined ? {} : {mountPropagation})},
  };
}
