/** Owns the names that mark a builder's objects: labels, annotations, and the container that BuildKit runs in. */

/** The plugin takes a Deployment with this annotation for a builder (pkg/driver/kubernetes/driver.go, List). */
export const PLUGIN_ANNOTATION = 'buildkit.mobyproject.org/builder';

/** What this program created carries this label with this value. */
export const MANAGED_BY_LABEL = 'app.kubernetes.io/managed-by';
export const MANAGED_BY = 'kubectl-tiltbuild';
export const VERSION_ANNOTATION = 'kubectl-tiltbuild/version';
/** The ConfigMap's key for buildkitd.toml, and the name of the file. */
export const CONFIG_KEY = 'buildkitd.toml';
/** On the pods, which mount it: their buildkitd.toml, so a Deployment never has the configuration of another one. */
export const CONFIG_ANNOTATION = `kubectl-tiltbuild/${CONFIG_KEY}`;
export const CONTAINER = 'buildkitd';
/** The volume with what the node's containerd knows of registries. */
export const REGISTRIES_VOLUME = 'containerd-registries';
/** On the pods: the `resourceVersion` of the builder that was recreated, so they restart even if nothing else changes. */
export const REPLACES_ANNOTATION = 'kubectl-tiltbuild/replaces';

/** On the Deployment: what was set when it was created, as JSON, for `--replace`. */
export const SETTINGS_ANNOTATION = 'kubectl-tiltbuild/settings';

const OWN_MARKS = ['app', 'runtime', 'worker', 'rootless', MANAGED_BY_LABEL, PLUGIN_ANNOTATION];

/** Whether a label or annotation of this key is written by this program, and by nobody else. */
export function isOwnMark(key: string): boolean {
  return OWN_MARKS.includes(key) || key.startsWith('kubectl-tiltbuild/');
}

/** No service mesh by default: its proxy would stand between BuildKit and the registries. */
export const POD_LABELS = {'sidecar.istio.io/inject': 'false'};
/** The same for Linkerd; and autoscalers must not remove a node in the middle of a build. */
export const POD_ANNOTATIONS = {
  'linkerd.io/inject': 'disabled',
  'karpenter.sh/do-not-disrupt': 'true',
  'cluster-autoscaler.kubernetes.io/safe-to-evict': 'false',
};

/** The labels that the plugin reads, besides the one for the name. */
export interface BuilderTraits {
  /** Empty without the label. */
  readonly runtime: string;
  readonly worker: string;
  /** Whether it has no privileges on its node. */
  readonly rootless: boolean;
}

export function writeLabels(name: string, {runtime, worker, rootless}: BuilderTraits) {
  return {...selectorLabels(name), runtime, worker, rootless: String(rootless)};
}

/** The plugin reads `rootless` with Go's ParseBool (driver.go, isRootless). */
export function readLabels({
  runtime = '',
  worker = '',
  rootless = '',
}: Readonly<Record<string, string>>): BuilderTraits {
  return {runtime, worker, rootless: /^(1|t|true)$/i.test(rootless)};
}

/** The labels by which a Deployment, and everybody else, finds the builder's pods. */
export function selectorLabels(name: string) {
  return {app: name};
}

/** The same for `kubectl --selector` and the API server. */
export function podSelector(name: string): string {
  return `app=${name}`;
}
