/** Owns reading the builder's Deployment and ConfigMap out of the API server's JSON. */
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
import {CONFIG_KEY, MANAGED_BY, MANAGED_BY_LABEL, PLUGIN_ANNOTATION} from './marks.ts';

/** A volume mount of the builder's container. */
export interface BuilderMount {
  readonly path: string;
  /** Where on the node it comes from; none where it is not the node's (a ConfigMap, an emptyDir). */
  readonly hostPath?: string;
  /** `Bidirectional`, `HostToContainer`; none means private. */
  readonly propagation?: string;
}

export interface BuilderDeployment {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation: number;
  readonly observedGeneration: number;
  /** Epoch milliseconds, by the server's clock, as all times here. */
  readonly createdAt?: number;
  readonly deletionTimestamp?: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** How many are wanted. */
  readonly replicas: number;
  readonly readyReplicas: number;
  readonly updatedReplicas: number;
  readonly conditions: readonly Condition[];
  readonly image: string;
  /** The command where one is given, and the arguments. */
  readonly args: readonly string[];
  readonly mounts: readonly BuilderMount[];
  readonly managedByUs: boolean;
  /** It carries the plugin's annotation, and not our label. (Ours has the annotation too: it is what the plugin adopts by.) */
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
  const annotations = asTextFields(meta.annotations);
  const managedByUs = labels[MANAGED_BY_LABEL] === MANAGED_BY;
  return {
    name: asText(meta.name),
    namespace: asText(meta.namespace),
    uid: asText(meta.uid),
    resourceVersion: asText(meta.resourceVersion),
    generation: asNumber(meta.generation),
    observedGeneration: asNumber(observedGeneration),
    ...optional('createdAt', asTime(meta.creationTimestamp)),
    ...optional('deletionTimestamp', asTime(meta.deletionTimestamp)),
    labels,
    annotations,
    // The API server fills it in; a manifest that was never sent may leave it out.
    replicas: typeof replicas === 'number' ? replicas : 1,
    readyReplicas: asNumber(readyReplicas),
    updatedReplicas: asNumber(updatedReplicas),
    conditions: readConditions(conditions),
    image: asText(container.image),
    args: [...asList(container.command), ...asList(container.args)].map(asText),
    mounts: readMounts(container, asList(pod.volumes).map(asObject)),
    managedByUs,
    madeByPlugin: PLUGIN_ANNOTATION in annotations && !managedByUs,
  };
}

/** The buildkitd.toml in the builder's ConfigMap. The plugin writes it as binary data. */
export function readBuilderToml(body: unknown): string | undefined {
  const {data, binaryData} = asObject(body);
  const {[CONFIG_KEY]: text} = asTextFields(data);
  if (text !== undefined) return text;
  const {[CONFIG_KEY]: encoded} = asTextFields(binaryData);
  return encoded === undefined ? undefined : decodeBase64(encoded);
}

/** The plugin execs into the first container (driver.go, buildNodeClient), whatever its name; a sidecar may have gone before it. */
function pickBuildkitd(containers: readonly Json[]): Json {
  return containers.find(({name}) => name === 'buildkitd') ?? containers[0] ?? {};
}

function readMounts(container: Json, volumes: readonly Json[]): readonly BuilderMount[] {
  const hostPaths = new Map(
    volumes.map(({name, hostPath}) => [asText(name), asText(asObject(hostPath).path)] as const),
  );
  return asList(container.volumeMounts).map((mount) => {
    const {name, mountPath, subPath, mountPropagation} = asObject(mount);
    const path = hostPaths.get(asText(name));
    const hostPath = path && asText(subPath) ? `${path.replace(/\/+$/, '')}/${asText(subPath)}` : path;
    const propagation = asText(mountPropagation);
    return {
      path: asText(mountPath),
      ...optional('hostPath', hostPath || undefined),
      ...optional('propagation', propagation && propagation !== 'None' ? propagation : undefined),
    };
  });
}

function decodeBase64(text: string): string | undefined {
  try {
    return new TextDecoder().decode(Uint8Array.from(atob(text), (character) => character.charCodeAt(0)));
  } catch {
    // No base64: nothing that the API server would have stored.
    return undefined;
  }
}
