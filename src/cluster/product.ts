/** Owns what kind of cluster the target is: ordered rules on names, on the server and on nodes, and what follows. */
import {TiltbuildError} from '../errors.ts';
import {advise, command, flag} from '../text/advice.ts';
import type {ClusterFacts, NodeFacts} from './api/facts.ts';
import {asObject} from './api/json-values.ts';
import {readNodes} from './api/objects.ts';
import {findCloud} from './cloud-hosts.ts';
import type {Target} from './target/target.ts';

/** Each product, and whether its clusters are for local development: their builders belong to the user alone. */
const IS_LOCAL = {
  kind: true,
  k3d: true,
  minikube: true,
  'docker-desktop': true,
  'rancher-desktop': true,
  colima: true,
  orbstack: true,
  microk8s: true,
  crc: true,
  k3s: true,
  gke: false,
  eks: false,
  aks: false,
  cloud: false,
  unknown: false,
} as const;

export type Product = keyof typeof IS_LOCAL;

export function isLocalCluster(product: Product): boolean {
  return IS_LOCAL[product];
}

export interface Identified {
  readonly product: Product;
  /** A clause for a message, e.g. `the cluster is called "kind-demo"`. */
  readonly reason: string;
}

interface PatternRule {
  readonly product: Product;
  readonly pattern: RegExp;
}

interface NodeRule {
  readonly product: Product;
  /** What shows that the node is one of the product's, as a clause. */
  readonly find: (node: NodeFacts) => string | undefined;
}

/** Names of clusters, contexts and users. A rule matches the whole name: "mankind-prod" is not kind. */
const NAME_RULES: readonly PatternRule[] = [
  // kind writes kind-<name> for all three; before v0.6 the cluster was called kind.
  {product: 'kind', pattern: /^kind(-|$)/},
  // k3d writes k3d-<name>, and for the user admin@k3d-<name>.
  {product: 'k3d', pattern: /^(admin@)?k3d-/},
  // The default profile; the others have any name.
  {product: 'minikube', pattern: /^minikube$/},
  // Formerly docker-for-desktop, with the cluster docker-for-desktop-cluster.
  {product: 'docker-desktop', pattern: /^docker-(for-)?desktop(-cluster)?$/},
  {product: 'rancher-desktop', pattern: /^rancher-desktop$/},
  // Colima writes colima, or colima-<profile>.
  {product: 'colima', pattern: /^colima(-|$)/},
  {product: 'orbstack', pattern: /^orbstack$/},
  // The context is microk8s, the cluster microk8s-cluster.
  {product: 'microk8s', pattern: /^microk8s(-cluster)?$/},
  // crc writes the contexts crc-<user>; oc writes <namespace>/api-crc-testing:6443/<user> and parts of it.
  {product: 'crc', pattern: /^(crc-(admin|developer)|([^/]*\/)?api-crc-testing:6443(\/.*)?)$/},
  // gcloud writes gke_<project>_<location>_<name>; none of the three can have an underscore.
  {product: 'gke', pattern: /^gke_[^_]+_[^_]+_[^_]+$/},
  // The AWS command line writes the ARN of the cluster.
  {product: 'eks', pattern: /^arn:aws[a-z-]*:eks:[^:]+:[0-9]+:cluster\/.+$/},
  // eksctl writes <name>.<region>.eksctl.io, with <user>@ in front for contexts and users.
  {product: 'eks', pattern: /^(.*@)?[^.@]+\.[a-z0-9-]+\.eksctl\.io$/},
];

/** Host names of API servers on this machine. The products that serve on a loopback address (kind, k3d, minikube, k3s) have none. */
const SERVER_RULES: readonly PatternRule[] = [
  {product: 'docker-desktop', pattern: /^kubernetes\.docker\.internal$/},
  {product: 'orbstack', pattern: /^k8s\.orb\.local$/},
  {product: 'crc', pattern: /^api\.crc\.testing$/},
];

/** Paths of kubeconfigs that a product wrote, whatever the names in them are. The platform's own, and absolute. */
const FILE_RULES: readonly PatternRule[] = [
  // kind before v0.6, as the file of each cluster.
  {product: 'kind', pattern: /[\\/]kind-config-[^\\/]*$/},
  // k3d before v4 wrote k3d/<name>/kubeconfig.yaml, in which every name is `default`; later ones write k3d/kubeconfig-<name>.yaml.
  {product: 'k3d', pattern: /[\\/](?:\.config[\\/]|\.)k3d[\\/][^\\/]+(?:[\\/][^\\/]+)?$/},
];

/** minikube's own authority, which all of its profiles have; in the directory of MINIKUBE_HOME or the user's. */
const MINIKUBE_AUTHORITY = /[\\/]\.minikube[\\/]ca\.crt$/;

/** What nodes show. Names come late: they are the only thing here that users can choose. */
const NODE_RULES: readonly NodeRule[] = [
  // Docker Desktop can create its nodes with kind; the cluster inside is then called desktop.
  {product: 'docker-desktop', find: byProvider('kind://docker/desktop/')},
  {product: 'kind', find: byProvider('kind://')},
  // k3s names its provider ID after the node, and k3d its nodes after itself.
  {product: 'k3d', find: byProvider('k3s://k3d-')},
  {product: 'minikube', find: byLabel('minikube.k8s.io/name')},
  {product: 'microk8s', find: byLabel('microk8s.io/cluster')},
  // The provider alone shows no more than the cloud: clusters of kubeadm or kOps have it too.
  {product: 'gke', find: both(byProvider('gce://'), byLabel('cloud.google.com/gke-'))},
  {product: 'eks', find: both(byProvider('aws://'), byLabel('eks.amazonaws.com/'))},
  {product: 'eks', find: both(byProvider('aws://'), byLabel('alpha.eksctl.io/'))},
  {product: 'aks', find: both(byProvider('azure://'), byLabel('kubernetes.azure.com/'))},
  {product: 'k3d', find: byName(/^k3d-.+-(server|agent)-[0-9]+$/)},
  {product: 'docker-desktop', find: byName(/^docker-desktop$/)},
  {product: 'orbstack', find: byName(/^orbstack$/)},
  // Colima and Rancher Desktop run k3s in a virtual machine of that name.
  {product: 'rancher-desktop', find: byName(/^lima-rancher-desktop$/)},
  {product: 'colima', find: byName(/^colima(-|$)/)},
  {product: 'crc', find: both(byName(/^crc(-[a-z0-9]+-master-0)?$/), byLabel('node.openshift.io/'))},
  {product: 'k3s', find: byProvider('k3s://')},
  {product: 'k3s', find: byLabel('node.kubernetes.io/instance-type', 'k3s')},
];

/**
 * The host of a cloud goes before all else: anybody may call its cluster `kind-x`, and nobody's own machine has that host.
 * The cluster's name goes before the other names in all rules: contexts are what people rename, so a context `kind-x`
 * may well lead elsewhere. minikube's own marks go before any name, because its profiles may have any name.
 */
export function identifyByNames({
  cluster,
  context,
  user,
  clusterFile = '',
}: Pick<Target, 'cluster' | 'context' | 'user' | 'clusterFile'>): Identified {
  // A cluster behind a tunnel has its own host as the name to expect in the certificate.
  for (const host of [readHost(cluster.server), cluster['tls-server-name']?.toLowerCase() ?? '']) {
    const product = findCloud(host);
    if (product !== undefined) return {product, reason: `the server is ${JSON.stringify(host)}`};
  }
  if (cluster.extensions?.some(({extension}) => asObject(extension).provider === 'minikube.sigs.k8s.io')) {
    return {product: 'minikube', reason: 'the cluster entry has an extension of minikube.sigs.k8s.io'};
  }
  const authority = cluster['certificate-authority'] ?? '';
  if (MINIKUBE_AUTHORITY.test(authority))
    return {product: 'minikube', reason: `the cluster has the authority ${JSON.stringify(authority)}`};
  return (
    match(NAME_RULES, cluster.name, 'the cluster is called') ??
    match(NAME_RULES, context, 'the context is called') ??
    match(NAME_RULES, user.name, 'the user is called') ??
    match(SERVER_RULES, readHost(cluster.server), 'the server is') ??
    match(FILE_RULES, clusterFile, 'the cluster is in') ?? {
      product: 'unknown',
      reason: 'neither its names nor its server address match a known product',
    }
  );
}

/** By the nodes where the names did not show it. A 403 on the nodes is no error: the product then stays unknown. */
export function identify({nodes}: ClusterFacts, byNames: Identified): Identified {
  if (byNames.product !== 'unknown') return byNames;
  return nodes?.kind === 'found' ? identifyByNodes(readNodes(nodes.value)) : byNames;
}

function identifyByNodes(nodes: readonly NodeFacts[]): Identified {
  for (const {product, find} of NODE_RULES) {
    for (const node of nodes) {
      const reason = find(node);
      if (reason !== undefined) return {product, reason: `node "${node.name}" has ${reason}`};
    }
  }
  return {product: 'unknown', reason: 'none of its nodes matches a known product'};
}

/** Throws `refused-k3d` where images would have to go into the runtime of k3d's nodes. */
export function refuseK3d({product, reason}: Identified, {allowed}: {readonly allowed: boolean}): void {
  if (product !== 'k3d' || allowed) return;
  throw new TiltbuildError(
    'refused-k3d',
    `Building into the nodes of k3d is not supported, and this is a k3d cluster: ${reason}. ` +
      'Nodes that k3d created before version 5.6.1 do not share their mounts, so BuildKit cannot store images in their container runtime.',
    {
      remedy: [
        advise`Use a kind cluster (${command('kind', 'create', 'cluster')}), or choose another cluster with ${flag('context')}.`,
        advise`To stay with k3d, build with docker and load the image with ${command('k3d', 'image', 'import')}.`,
        advise`Or push images: ${command('kubectl', 'tiltbuild', 'builder', 'create', '--rootless')}, and then build with ${flag('push')}.`,
        advise`To try it with newer nodes all the same: ${flag('allow-k3d')}`,
      ],
    },
  );
}

function match(rules: readonly PatternRule[], text: string, what: string): Identified | undefined {
  const rule = rules.find(({pattern}) => pattern.test(text));
  return rule && {product: rule.product, reason: `${what} ${JSON.stringify(text)}`};
}

/** kubectl accepts a server without a scheme, too. Empty where the server is no address. */
function readHost(server: string): string {
  const address = server.includes('://') ? server : `https://${server}`;
  return URL.canParse(address) ? new URL(address).hostname : '';
}

function byProvider(prefix: string): NodeRule['find'] {
  return ({providerId}) => (providerId.startsWith(prefix) ? `the provider ID "${providerId}"` : undefined);
}

/** A key that ends in a slash or dash stands for all keys with that prefix. */
function byLabel(key: string, value?: string): NodeRule['find'] {
  return ({labels}) => {
    const found = Object.keys(labels).find((name) =>
      /[/-]$/.test(key) ? name.startsWith(key) : name === key,
    );
    if (found === undefined || (value !== undefined && labels[found] !== value)) return undefined;
    return `the label ${found}=${labels[found]}`;
  };
}

function byName(pattern: RegExp): NodeRule['find'] {
  return ({name}) => (pattern.test(name) ? 'the name that the product gives to its nodes' : undefined);
}

function both(first: NodeRule['find'], second: NodeRule['find']): NodeRule['find'] {
  return (node) => {
    const reasons = [first(node), second(node)];
    return reasons.includes(undefined) ? undefined : reasons.join(' and ');
  };
}
