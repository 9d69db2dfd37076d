/** Owns the Deployment and ConfigMap of a builder of ours, in the form that kubectl build adopts as its own. */
import {createHash} from 'node:crypto';
import {TiltbuildError} from '../../errors.ts';
import {
  CONFIG_ANNOTATION,
  CONFIG_KEY,
  MANAGED_BY,
  MANAGED_BY_LABEL,
  PLUGIN_ANNOTATION,
  VERSION_ANNOTATION,
} from '../model/marks.ts';
import type {BuilderSettings} from '../model/settings.ts';
import {listVolumes, type PodSpec} from './mounts.ts';
import type {ContainerdPaths, ContainerRuntime} from './runtime.ts';
import {type BuildkitdWorker, builderStateDirectory, buildkitdToml, chooseWorker} from './toml.ts';

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
  const {volumes, volumeMounts} = listVolumes(settings.name, worker, paths);
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
