/** Owns the marks on a builder's objects: those that the plugin goes by, and those that we know our own by. */

/** By its presence the plugin takes a Deployment for a builder (pkg/driver/kubernetes/driver.go, List). */
export const PLUGIN_ANNOTATION = 'buildkit.mobyproject.org/builder';
/** The label and its value by which we know what we made. */
export const MANAGED_BY_LABEL = 'app.kubernetes.io/managed-by';
export const MANAGED_BY = 'kubectl-tiltbuild';
export const VERSION_ANNOTATION = 'kubectl-tiltbuild/version';
/** On the pods, so that another configuration makes new ones: a changed ConfigMap alone restarts nothing. */
export const CONFIG_ANNOTATION = 'kubectl-tiltbuild/config';
/** Whether a builder has no rights on its node: the plugin reads the label with Go's ParseBool (driver.go, isRootless). */
export function isRootless({rootless = ''}: Readonly<Record<string, string>>): boolean {
  return /^(1|t|true)$/i.test(rootless);
}

/** The ConfigMap's key for the builder's buildkitd.toml. */
export const CONFIG_KEY = 'buildkitd.toml';

/** Where the rootless image keeps its state; a volume of its own there, since a node may mount images nosuid. */
export const ROOTLESS_STATE_DIRECTORY = '/home/user/.local/share/buildkit';
