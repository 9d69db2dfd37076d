/** Owns reading a builder's Deployment and ConfigMap out of the API server's JSON. */
import {type Condition, readConditions} from '../../cluster/api/conditions.ts';
import {
  asList,
  asNumber,
  asObject,
  asText,
  asTextFields,
  asTime,
  type Json,
  optional,
} from '../../cluster/api/json-values.ts';
import {type BuilderConfig, readConfig} from './builder-config.ts';
import {
  type BuilderTraits,
  CONFIG_ANNOTATION,
  CONFIG_KEY,
  CONTAINER,
  MANAGED_BY,
  MANAGED_BY_LABEL,
  PLUGIN_ANNOTATION,
  REGISTRIES_VOLUME,
  readLabels,
  SETTINGS_ANNOTATION,
} from './marks.ts';

/** A volume mount of the builder's container. */
export interface BuilderMount {
  readonly path: string;
  /** Where it is on the node; undefined for what is not the node's (a ConfigMap, an emptyDir). */
  readonly hostPath?: string;
  /** Whether what is mounted inside it on one side appears on the other. */
  readonly bidirectional?: boolean;
}

export interface BuilderDeployment extends BuilderTraits {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation: number;
  readonly observedGeneration: number;
  /** Epoch milliseconds, by the server's clock, as all times here. */
  readonly createdAt?: number;
  /** When somebody last changed it; its creation where the server does not tell. */
  readonly changedAt?: number;
  readonly deleting: boolean;
  /** How many are wanted. */
  readonly replicas: number;
  readonly readyReplicas: number;
  readonly updatedReplicas: number;
  readonly conditions: readonly Condition[];
  readonly image: string;
  readonly serviceAccount: string;
  /** What was set when it was created, as its annotation has it. */
  readonly settings?: string;
  /** The command, where one is given, and the arguments. */
  readonly args: readonly string[];
  readonly mounts: readonly BuilderMount[];
  /** The buildkitd.toml that its pods mount from their annotation; undefined if they mount its ConfigMap. */
  readonly toml?: string;
  readonly config: BuilderConfig;
  /** Where its pods have what the node's containerd knows of registries, if they mount it. */
  readonly nodeRegistries?: string;
  readonly managedByUs: boolean;
  /** It carries the plugin's annotation and not our label. Ours has the annotation too: the plugin adopts it by that. */
  readonly madeByPlugin: boolean;
}

export function readBuilderDeployment(body: unknown): BuilderDeployment {
  const {metadata, spec, status} = asObject(body);
  const meta = asObject(metadata);
  const {replicas, template} = asObject(spec);
  const {readyReplicas, updatedReplicas, observedGeneration, conditions} = asObject(status);
  const pod = asObject(asObject(template).spec);
  const container = pickBuildkitd(asList(pod.containers).map(asObject));
  const labels = asTextFields(meta.labels);
  const podAnnotations = asTextFields(asObject(asObject(template).metadata).annotations);
  const managedByUs = labels[MANAGED_BY_LABEL] === MANAGED_BY;
  return {
    ...readLabels(labels),
    name: asText(meta.name),
    namespace: asText(meta.namespace),
    uid: asText(meta.uid),
    resourceVersion: asText(meta.resourceVersion),
    generation: asNumber(meta.generation),
    observedGeneration: asNumber(observedGeneration),
    createdAt: asTime(meta.creationTimestamp),
    changedAt: findLastChange(meta),
    deleting: asTime(meta.deletionTimestamp) !== undefined,
    // The API server fills it in; a manifest that was never sent may leave it out.
    replicas: typeof replicas === 'number' ? replicas : 1,
    readyReplicas: asNumber(readyReplicas),
    updatedReplicas: asNumber(updatedReplicas),
    conditions: readConditions(conditions),
    image: asText(container.image),
    serviceAccount: asText(pod.serviceAccountName) || 'default',
    settings: asTextFields(meta.annotations)[SETTINGS_ANNOTATION],
    args: [...asList(container.command), ...asList(container.args)].map(asText),
    toml: podAnnotations[CONFIG_ANNOTATION],
    config: readConfig(asTextFields(meta.annotations), podAnnotations),
    ...optional('nodeRegistries', findRegistries(container)),
    mounts: readMounts(container, asList(pod.volumes).map(asObject)),
    managedByUs,
    madeByPlugin: PLUGIN_ANNOTATION in asTextFields(meta.annotations) && !managedByUs,
  };
}

/** Its status and its scale, which leave the pods as they are, are fields of subresources. */
function findLastChange({creationTimestamp, managedFields}: Json): number | undefined {
  const times = asList(managedFields)
    .map(asObject)
    .flatMap(({subresource, time}) => (asText(subresource) === '' ? (asTime(time) ?? []) : []));
  return times.length === 0 ? asTime(creationTimestamp) : Math.max(...times);
}

/** The buildkitd.toml in the builder's ConfigMap. The plugin writes it as binary data. */
export function readBuilderToml(body: unknown): string | undefined {
  const {data, binaryData} = asObject(body);
  const {[CONFIG_KEY]: text} = asTextFields(data);
  if (text !== undefined) return text;
  const {[CONFIG_KEY]: encoded} = asTextFields(binaryData);
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString();
}

/** The plugin runs its commands in the first container, whatever its name (driver.go, buildNodeClient). A sidecar may come before it. */
function pickBuildkitd(containers: readonly Json[]): Json {
  return containers.find(({name}) => name === CONTAINER) ?? containers[0] ?? {};
}

function findRegistries({volumeMounts}: Json): string | undefined {
  const mount = asList(volumeMounts)
    .map(asObject)
    .find(({name}) => name === REGISTRIES_VOLUME);
  return mount && `${asText(mount.mountPath)}/certs.d`;
}

function readMounts(container: Json, volumes: readonly Json[]): readonly BuilderMount[] {
  const hostPaths = new Map(
    volumes.map(({name, hostPath}) => [asText(name), asText(asObject(hostPath).path)] as const),
  );
  return asList(container.volumeMounts).map((mount) => {
    const {name, mountPath, subPath, mountPropagation} = asObject(mount);
    const path = hostPaths.get(asText(name));
    return {
      path: asText(mountPath),
      hostPath:
        (path && asText(subPath) ? `${path.replace(/\/+$/, '')}/${asText(subPath)}` : path) || undefined,
      bidirectional: mountPropagation === 'Bidirectional',
    };
  });
}
