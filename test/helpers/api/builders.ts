/** Owns builders that are there and ready before a test begins: ours, the plugin's, somebody else's. */
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {parseAllDocuments} from 'yaml';
import {type ApiObject, builderDeployment, readBuilderRecording} from '../api-samples.ts';
import {playScene} from './rollout.ts';
import {type ApiState, findObject, storeObject} from './state.ts';

export interface BuilderOptions {
  readonly kind: 'ours' | 'plugin' | 'foreign';
  readonly name?: string;
  readonly namespace?: string;
  /** Only ours may be rootless. */
  readonly runtime?: 'containerd' | 'docker' | 'rootless';
  /** The buildkitd.toml of one of ours that is not as we send it now. */
  readonly toml?: string;
  /** One pod on each of the nodes that there are, up to that number. */
  readonly replicas?: number;
}

type Settled = Required<Omit<BuilderOptions, 'toml' | 'replicas'>>;

/** With its ConfigMap and pod, and ready where that is the outcome. */
export function addBuilder(state: ApiState, options: BuilderOptions): {readonly deployment: ApiObject} {
  const {kind, name = 'buildkit', namespace = 'default', runtime = 'containerd', toml} = options;
  const {replicas = 1} = options;
  const settled = {kind, name, namespace, runtime};
  const [configMap, deployment] = kind === 'ours' ? makeOurs(settled, toml) : makeOthers(settled);
  const manager = {ours: 'kubectl-tiltbuild', plugin: 'kubectl-build', foreign: 'helm'}[kind];
  storeObject(state, 'configmaps', configMap, manager);
  const spec = {...deployment.spec, replicas};
  const stored = storeObject(state, 'deployments', {...deployment, spec}, manager);
  playScene(state, stored, replicas);
  return {deployment: findObject(state, 'deployments', settled) as ApiObject};
}

/** As `kubectl tiltbuild` sends them. */
function makeOurs({name, namespace, runtime}: Settled, toml?: string): readonly [ApiObject, ApiObject] {
  const file = runtime === 'containerd' ? 'kind-containerd' : runtime;
  const fixture = join(import.meta.dirname, '..', '..', 'fixtures', 'builder', `${file}.yaml`);
  const rename = (text: string) => text.replaceAll('default_buildkit', `${namespace}_${name}`);
  const text = rename(readFileSync(fixture, 'utf8'))
    .replaceAll(/(?<=\b(?:name|app): )buildkit$/gm, name)
    .replaceAll(/(?<=\bnamespace: )default$/gm, namespace);
  const [configMap, deployment] = parseAllDocuments(text).map((document) => document.toJS());
  const {annotations} = deployment.spec.template.metadata;
  const own = toml ?? annotations['kubectl-tiltbuild/buildkitd.toml'];
  annotations['kubectl-tiltbuild/buildkitd.toml'] = own;
  return [{...configMap, binaryData: {'buildkitd.toml': Buffer.from(own).toString('base64')}}, deployment];
}

/** As `kubectl build` makes them; one that is foreign has not its mark. */
function makeOthers({name, namespace, runtime, kind}: Settled): readonly [ApiObject, ApiObject] {
  const deployment = builderDeployment({name, namespace, runtime});
  const {body: configMap} = readBuilderRecording('builder-by-plugin-configmap') as {body: ApiObject};
  const {'buildkit.mobyproject.org/builder': _, ...annotations} = deployment.metadata.annotations ?? {};
  const labels = {...deployment.metadata.labels, 'app.kubernetes.io/managed-by': 'Helm'};
  const place = {name, namespace, ...(kind === 'foreign' && {labels, annotations})};
  return [
    {
      ...configMap,
      metadata: {...configMap.metadata, labels: {...configMap.metadata.labels, app: name}, ...place},
    },
    {...deployment, metadata: {...deployment.metadata, ...place}},
  ];
}
