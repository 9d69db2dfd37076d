/** Owns the Deployment and ConfigMap of a builder of ours, in the form that kubectl build adopts as its own. */
import {TiltbuildError} from '../../errors.ts';
import {advise, flag} from '../../text/advice.ts';
import {writeCertificates, writeConfig} from '../model/builder-config.ts';
import type {LocalRegistry} from '../model/local-registry.ts';
import {
  CONFIG_ANNOTATION,
  CONFIG_KEY,
  CONTAINER,
  MANAGED_BY,
  MANAGED_BY_LABEL,
  PLUGIN_ANNOTATION,
  POD_ANNOTATIONS,
  POD_LABELS,
  selectorLabels,
  VERSION_ANNOTATION,
  writeLabels,
} from '../model/marks.ts';
import type {NodeRegistries} from '../model/node-registries.ts';
import {demandConsistency} from '../model/pod-settings.ts';
import type {BuilderSettings} from '../model/settings.ts';
import {writeKeptSettings} from '../model/write-settings.ts';
import type {ContainerdPaths} from './containerd-paths.ts';
import {countReplicas, isCrowded} from './count-replicas.ts';
import {addLocalRegistry, addRegistries, completeToml} from './merge-toml.ts';
import {configDirectory, listVolumes} from './mounts.ts';
import type {ContainerRuntime} from './nodes.ts';
import {type BuildkitdWorker, builderStateDirectory, buildkitdToml, chooseWorker} from './toml.ts';

export interface ManifestFacts {
  readonly settings: BuilderSettings;
  /** Undefined for a rootless builder, which runs anywhere. */
  readonly runtime: ContainerRuntime | undefined;
  readonly paths: ContainerdPaths;
  /** On the node; without it, that of a cluster whose ID is not known. */
  readonly stateDirectory?: string;
  /** How many nodes can hold a builder, and how many of those run pods of its namespace. */
  readonly nodeCount: number;
  readonly busyNodes?: number;
  readonly toolVersion: string;
  /** The one that the cluster announces. */
  readonly localRegistry?: LocalRegistry;
  /** What the node's containerd knows of registries, as far as it has been read. */
  readonly nodeRegistries?: NodeRegistries;
}

interface BuilderMetadata {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export type BuilderManifest = ReturnType<typeof builderManifest>;

/** Objects to send as they are. The program's version is in their own annotations only, so a new one restarts no pod. */
export function builderManifest(facts: ManifestFacts) {
  const {settings, runtime, paths, toolVersion, localRegistry, nodeRegistries, nodeCount, busyNodes} = facts;
  const {name, namespace, rootless} = settings;
  checkName(name);
  const {stateDirectory = builderStateDirectory(namespace, name)} = facts;
  const worker = chooseWorker(runtime, stateDirectory, paths.socket);
  demandConsistency({...settings, rootless: worker.kind !== 'containerd'});
  const given = completeToml(buildkitdToml(worker, settings), settings.config, configDirectory(worker));
  const local = localRegistry === undefined ? given : addLocalRegistry(given, localRegistry);
  const toml = nodeRegistries === undefined ? local : addRegistries(local, nodeRegistries.tables);
  const podAnnotations = {
    ...POD_ANNOTATIONS,
    ...settings.podAnnotations,
    [CONFIG_ANNOTATION]: toml,
    ...writeCertificates(settings.config),
  };
  const ownLabels = {
    ...writeLabels(name, {
      // The plugin writes docker for rootless builders by default.
      runtime: runtime ?? 'docker',
      worker: worker.kind === 'containerd' ? 'containerd' : 'runc',
      rootless,
    }),
    [MANAGED_BY_LABEL]: MANAGED_BY,
  };
  const labels = {...settings.labels, ...ownLabels};
  const annotations = {
    ...settings.annotations,
    [PLUGIN_ANNOTATION]: `${MANAGED_BY} ${toolVersion}`,
    [VERSION_ANNOTATION]: toolVersion,
  };
  const ownAnnotations = {
    ...annotations,
    ...writeConfig(settings.config),
    ...writeKeptSettings(settings),
  };
  checkSize(ownAnnotations);
  checkSize(podAnnotations);
  const replicas = countReplicas(settings, {nodeCount, busy: busyNodes});
  const metadata = {name, namespace, labels, annotations};
  return {
    // The plugin creates one if there is none, or retries forever without the permission (its source, createConfigMap).
    configMap: configMapOf(toml, metadata),
    deployment: {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: {...metadata, annotations: ownAnnotations},
      spec: {
        replicas,
        strategy: chooseStrategy(replicas),
        selector: {matchLabels: selectorLabels(name)},
        template: {
          metadata: {labels: {...POD_LABELS, ...labels}, annotations: podAnnotations},
          spec: podSpec(settings, worker, paths, isCrowded(nodeCount)),
        },
      },
    },
  };
}

/** Shows a builder's configuration, which the builder itself has in an annotation. */
export function configMapOf(toml: string, metadata: BuilderMetadata) {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata,
    // Plain text would be easier to read, but a key cannot be in both places, and the plugin's ConfigMap has it here.
    binaryData: {[CONFIG_KEY]: Buffer.from(toml).toString('base64')},
  };
}

/** The name becomes the label `app`, and a label's value can be shorter than an object's name. */
function checkName(name: string): void {
  if (name.length <= 63) return;
  throw new TiltbuildError('usage', `The builder's name "${name}" is longer than 63 characters.`, {
    remedy: [advise`Use a shorter name with ${flag('builder', 'NAME')}.`],
  });
}

/**
 * The API server takes 256 KiB of annotations (Kubernetes' TotalAnnotationSizeLimitB). Network plugins and others add
 * theirs to a pod, and cannot if ours take all of it.
 */
const ANNOTATION_LIMIT = 240 * 1024;

function checkSize(annotations: Readonly<Record<string, string>>): void {
  const size = Object.entries(annotations)
    .flat()
    .reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  if (size <= ANNOTATION_LIMIT) return;
  throw new TiltbuildError(
    'usage',
    `The builder's certificates and configuration take ${Math.ceil(size / 1024)} KiB, and a Deployment can hold ${ANNOTATION_LIMIT / 1024} KiB.`,
    {remedy: ['Use files with only the certificates that the registries need.']},
  );
}

/** What differs from the API server's defaults, or matters too much to leave to them. */
function podSpec(
  settings: BuilderSettings,
  worker: BuildkitdWorker,
  paths: ContainerdPaths,
  isBesideOthers: boolean,
) {
  const {volumes, volumeMounts} = listVolumes(worker, paths, {
    certificates: Object.keys(settings.config?.certificates ?? {}),
    nodeRegistries: settings.registryMirrorsFromNode,
  });
  const {requests, limits, tolerations, serviceAccount, priorityClass, imagePullSecrets} = settings;
  const env = Object.entries(settings.env).sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    ...(serviceAccount !== undefined && {serviceAccountName: serviceAccount}),
    ...(priorityClass !== undefined && {priorityClassName: priorityClass}),
    ...(imagePullSecrets.length > 0 && {imagePullSecrets: imagePullSecrets.map((name) => ({name}))}),
    // An idle buildkitd stops at once; one that builds gets time to finish.
    terminationGracePeriodSeconds: 30,
    nodeSelector: {...settings.nodeSelector, 'kubernetes.io/os': 'linux'},
    ...(tolerations.length > 0 ? {tolerations} : {}),
    affinity: {
      podAntiAffinity: spreadOverNodes(settings),
      ...(isBesideOthers && settings.replicas === 'nodes' && {podAffinity: BESIDE_OTHERS}),
    },
    containers: [
      // The plugin runs its commands in the first container, whatever its name.
      {
        name: CONTAINER,
        image: settings.image,
        imagePullPolicy: 'IfNotPresent',
        ...(worker.kind === 'rootless' ? {args: ['--oci-worker-no-process-sandbox']} : {}),
        ...(env.length > 0 ? {env: env.map(([name, value]) => ({name, value}))} : {}),
        ...((requests ?? limits) && {resources: {...(requests && {requests}), ...(limits && {limits})}}),
        securityContext: worker.kind === 'rootless' ? ROOTLESS_SECURITY : {privileged: true},
        startupProbe: probe(1, 300),
        readinessProbe: probe(15, 4),
        // Puts BuildKit's last words into the pod's status, which is what waiting for it reads.
        terminationMessagePolicy: 'FallbackToLogsOnError',
        volumeMounts,
      },
    ],
    volumes,
  };
}

/** Kubernetes has these fields since 1.27 (seccomp) and 1.30 (AppArmor); it ignores the plugin's annotations now. */
const ROOTLESS_SECURITY = {
  runAsUser: 1000,
  runAsGroup: 1000,
  seccompProfile: {type: 'Unconfined'},
  appArmorProfile: {type: 'Unconfined'},
};

/**
 * Every second at the start, where somebody waits, and rarely later. buildctl may be slow to start beside a large
 * build, and if a pod is not ready the plugin starts to create another builder.
 */
function probe(periodSeconds: number, failureThreshold: number) {
  const exec = {command: ['buildctl', 'debug', 'workers']};
  return {exec, periodSeconds, timeoutSeconds: 10, failureThreshold};
}

/** Where not every node gets a pod, those with pods of this namespace do, which need the images. */
const BESIDE_OTHERS = {
  preferredDuringSchedulingIgnoredDuringExecution: [
    {weight: 100, podAffinityTerm: {labelSelector: {}, topologyKey: 'kubernetes.io/hostname'}},
  ],
};

/**
 * By default a rolling update starts the new pod first, which waits for the old one's node and lock, and the old one for
 * it. Recreate starts none before the last old pod is gone, and a pod on a node that is down goes after minutes or
 * never; so with several pods each node's new pod only waits for the old one there.
 */
export function chooseStrategy(replicas: number) {
  return replicas > 1
    ? {type: 'RollingUpdate', rollingUpdate: {maxSurge: 0, maxUnavailable: '100%'}}
    : {type: 'Recreate'};
}

/** Two pods of one builder on a node would fight over their state; rootless pods have their own. */
function spreadOverNodes({name, rootless}: BuilderSettings) {
  const term = {labelSelector: {matchLabels: selectorLabels(name)}, topologyKey: 'kubernetes.io/hostname'};
  return rootless
    ? {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 100, podAffinityTerm: term}]}
    : {requiredDuringSchedulingIgnoredDuringExecution: [term]};
}
