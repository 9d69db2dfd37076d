/** Owns the Kubernetes objects that the stand-in API server holds, made from what a real one answered. */
import {readFileSync} from 'node:fs';
import {join} from 'node:path';

const recordings = join(import.meta.dirname, '..', 'fixtures', 'recordings');

/** What is in every secret of the stand-in, so that a test can say that it shows up nowhere. */
export const SECRET_MARKER = 'secret-content-that-nobody-may-see';
/** The same as it travels. */
export const SECRET_MARKER_BASE64 = Buffer.from(SECRET_MARKER).toString('base64');

// biome-ignore lint/suspicious/noExplicitAny: JSON, whose shape the recordings show.
export type Json = any;

export interface ApiObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly [field: string]: Json;
  };
  readonly [field: string]: Json;
}

export interface SecretSample {
  readonly namespace: string;
  readonly name: string;
  readonly type: string;
  readonly labels?: Readonly<Record<string, string>>;
}

/** What the API server answered, by the name of the recording. */
export function readApiRecording(name: string): {
  request: {path: string; accept?: string};
  status: number;
  body: Json;
} {
  return JSON.parse(readFileSync(join(recordings, 'api', `${name}.json`), 'utf8'));
}

/** What was recorded of builders beyond single answers to a GET: their pods, and how they were stuck. */
export function readBuilderRecording(name: string): Json {
  return JSON.parse(readFileSync(join(recordings, 'api-builder', `${name}.json`), 'utf8'));
}

export function secretObject({type, ...identity}: SecretSample): ApiObject {
  const key = type === 'kubernetes.io/dockerconfigjson' ? '.dockerconfigjson' : 'content';
  const metadata = {...readApiRecording('secret-partial').body.metadata, ...identity};
  return {kind: 'Secret', apiVersion: 'v1', metadata, data: {[key]: SECRET_MARKER_BASE64}, type};
}

/** The Deployment that `kubectl build` makes, with the labels that it goes by. */
export function builderDeployment(options: Partial<Record<'name' | 'namespace' | 'runtime', string>> = {}) {
  const {name = 'buildkit', namespace = 'default', runtime = 'containerd'} = options;
  const text = JSON.stringify(readApiRecording('builder-by-plugin').body)
    .replaceAll('"buildkit"', JSON.stringify(name))
    .replaceAll('"namespace":"default"', `"namespace":"${namespace}"`);
  const given = text
    .replaceAll('"runtime":"containerd","worker":"containerd"', `"runtime":"${runtime}","worker":""`)
    .replace('oci-worker=false","--containerd-worker=true', 'oci-worker=true","--containerd-worker=false');
  return JSON.parse(runtime === 'containerd' ? text : given) as ApiObject;
}

/** A node: the one of kind that was recorded, unless told otherwise. */
export function node({
  name = 'kind-control-plane',
  providerID = `kind://docker/kind/${name}`,
  labels = {},
  ...info
}: {
  readonly name?: string;
  readonly providerID?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly containerRuntimeVersion?: string;
  readonly kubeletVersion?: string;
  readonly architecture?: string;
} = {}): ApiObject {
  const [recorded] = readApiRecording('nodes-kind').body.items;
  const {metadata, status} = recorded;
  const allLabels = {...metadata.labels, 'kubernetes.io/hostname': name, ...labels};
  return {
    kind: 'Node',
    apiVersion: 'v1',
    metadata: {...metadata, name, labels: allLabels},
    spec: {providerID},
    status: {...status, nodeInfo: {...status.nodeInfo, ...info}},
  };
}
