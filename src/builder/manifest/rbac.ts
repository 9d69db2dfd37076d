/** Owns the roles and bindings that users need: to build, and to create and remove builders. */
import {LOCAL_REGISTRY_NAME} from '../../cluster/api/paths.ts';

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
}

const API = 'rbac.authorization.k8s.io';
/** Whoever applies the manifest puts their own users, groups or service accounts in its place. */
export const RBAC_GROUP = 'tiltbuild-users';

const rule = (group: string, resources: readonly string[], verbs: readonly string[]): Rule => ({
  apiGroups: [group],
  resources,
  verbs,
});

/** Everything in the namespace that a build does, and the commands that only look. */
const BUILD: readonly Rule[] = [
  rule('apps', ['deployments'], ['get', 'list']),
  rule('', ['pods'], ['get', 'list']),
  rule('', ['pods/exec'], ['get', 'create']),
  rule('', ['pods/log'], ['get']),
  rule('', ['configmaps', 'events', 'resourcequotas'], ['list']),
  // The pull secret. To list them shows `doctor` the ones that could be meant.
  rule('', ['secrets'], ['get', 'list']),
];

const BUILDERS: readonly Rule[] = [
  rule('apps', ['deployments'], ['create', 'update', 'delete']),
  rule('', ['configmaps'], ['get', 'create', 'patch', 'delete']),
];

/**
 * What belongs to no namespace, or to all. Not in it: get for nodes/proxy, by which `doctor` sees how full the disks
 * are, because that reaches everything that the kubelets offer.
 */
const CLUSTER: readonly Rule[] = [
  rule('', ['nodes'], ['get', 'list']),
  rule('', ['namespaces'], ['get']),
  // Which images are in use on a node.
  rule('', ['pods'], ['list']),
  {...rule('', ['configmaps'], ['get']), resourceNames: [LOCAL_REGISTRY_NAME]},
];

/** Objects to apply as they are, for one namespace. */
export function rbacManifest(namespace: string): readonly object[] {
  return [
    ...grant('Role', 'tiltbuild-build', BUILD, namespace),
    ...grant('Role', 'tiltbuild-builders', BUILDERS, namespace),
    ...grant('ClusterRole', 'tiltbuild-cluster', CLUSTER),
  ];
}

function grant(
  kind: 'Role' | 'ClusterRole',
  name: string,
  rules: readonly Rule[],
  namespace?: string,
): readonly object[] {
  const metadata = {name, ...(namespace !== undefined && {namespace})};
  const head = {apiVersion: `${API}/v1`, metadata};
  return [
    {...head, kind, rules},
    {
      ...head,
      kind: `${kind}Binding`,
      roleRef: {apiGroup: API, kind, name},
      subjects: [{apiGroup: API, kind: 'Group', name: RBAC_GROUP}],
    },
  ];
}
