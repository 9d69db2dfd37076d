/** Owns the Kubernetes objects that the stand-in API server holds, made from what a real one answered. */
import {readFileSync} from 'node:fs';
import {join} from 'node:path';

const recordings = join(import.meta.dirname, '..', 'fixtures', 'recordings');

/** What is in every secret of the stand-in, so that a test can say that it shows up nowhere. */
export const SECRET_MARKER = 'secret-content-that-nobody-may-see';
/** The same as it travels. */
export const SECRET_MARKER_BASE64 = Buffer.from(SECRET_MARKER).toString('base64');

export interface ApiObject {
  readonly kind?: string;
  readonly apiVersion?: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly creationTimestamp?: string;
    readonly resourceVersion?: string;
    readonly uid?: string;
    readonly generation?: number;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly [field: string]: unknown;
  };
  readonly [field: string]: unknown;
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
  body: unknown;
} {
  return JSON.parse(readFileSync(join(recordings, 'api', `${name}.json`), 'utf8'));
}

/** What was recorded of builders beyond single answers to a GET: their pods, and how they were stuck. */
export function readBuilderRecording(name: string): unknown {
  return JSON.parse(readFileSync(join(recordings, 'api-builder', `${name}.json`), 'utf8'));
}

export function secretObject({namespace, name, type, labels}: SecretSample): ApiObject {
  const key = type === 'kubernetes.io/dockerconfigjson' ? '.dockerconfigjson' : 'content';
  return {
    kind: 'Secret',
    apiVersion: 'v1',
    metadata: {
      name,
      namespace,
      uid: '20f161d9-6a1f-4d16-b301-bcfa49edffeb',
      resourceVersion: '4184',
      creationTimestamp: '2026-11-24T01:55:07Z',
      ...(labels && {labels}),
    },
    data: {[key]: SECRET_MARKER_BASE64},
    type,
  };
}

/** The Deployment that `kubectl build` makes, with the labels that it goes by. */
export function builderDeployment({
  name = 'buildkit',
  namespace = 'default',
  runtime = 'containerd',
}: {
  readonly name?: string;
  readonly namespace?: string;
  readonly runtime?: 'containerd' | 'docker';
} = {}): ApiObject {
  const builder = readApiRecording('builder-by-plugin').body as ApiObject & {
    spec: {template: {metadata: object}; selector: object};
  };
  const worker = runtime === 'containerd' ? 'containerd' : '';
  const labels = {app: name, rootless: 'false', runtime, worker};
  return {
    ...builder,
    metadata: {...builder.metadata, name, namespace, labels},
    spec: {
      ...builder.spec,
      selector: {matchLabels: {app: name}},
      template: {...builder.spec.template, metadata: {labels}},
    },
  };
}

/** A node: the one of kind that was recorded, unless told otherwise. */
export function node({
  name = 'kind-control-plane',
  providerID = `kind://docker/kind/${name}`,
  labels = {},
  containerRuntimeVersion,
  kubeletVersion,
}: {
  readonly name?: string;
  readonly providerID?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly containerRuntimeVersion?: string;
  readonly kubeletVersion?: string;
} = {}): ApiObject {
  const list = readApiRecording('nodes-kind').body as {items: [ApiObject & {status: {nodeInfo: object}}]};
  const recorded = list.items[0];
  return {
    kind: 'Node',
    apiVersion: 'v1',
    ...recorded,
    metadata: {
      ...recorded.metadata,
      name,
      labels: {...recorded.metadata.labels, 'kubernetes.io/hostname': name, ...labels},
    },
    spec: {providerID},
    status: {
      ...recorded.status,
      nodeInfo: {
        ...recorded.status.nodeInfo,
        ...(containerRuntimeVersion !== undefined && {containerRuntimeVersion}),
        ...(kubeletVersion !== undefined && {kubeletVersion}),
      },
    },
  };
}

export function namespaceObject(name: string): ApiObject {
  return {
    kind: 'Namespace',
    apiVersion: 'v1',
    metadata: {
      name,
      creationTimestamp: '2026-11-24T00:20:19Z',
      labels: {'kubernetes.io/metadata.name': name},
    },
    spec: {finalizers: ['kubernetes']},
    status: {phase: 'Active'},
  };
}
