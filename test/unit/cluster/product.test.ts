/** Covers what cluster names, addresses and nodes say about the product. */
import {expect} from 'chai';
import {CLOUD_HOSTS} from '../../../src/cluster/cloud-hosts.ts';
import {
  type Identified,
  identify,
  identifyByNames,
  isLocalCluster,
  type Product,
} from '../../../src/cluster/product.ts';

type Name = 'cluster' | 'context' | 'user' | 'server' | 'serverName' | 'provider' | 'authority' | 'file';
type Names = Partial<Record<Name, string>>;

function byNames({provider, serverName, authority, file, ...names}: Names) {
  const {cluster, context, user, server} = {...NAMELESS, ...names};
  const extensions = [{name: 'x', extension: provider === undefined ? null : {provider}}];
  return identifyByNames({
    cluster: {
      name: cluster,
      server,
      'tls-server-name': serverName,
      'certificate-authority': authority,
      extensions,
    },
    context,
    user: {name: user},
    clusterFile: file,
  });
}

const NAMELESS = {cluster: 'c', context: 'ctx', user: 'u', server: 'https://127.0.0.1:6443'};
const named = (names: Names): Product => byNames(names).product;

interface Node {
  readonly name?: string;
  readonly providerID?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

function byNodes(...nodes: readonly Node[]): Identified {
  const value = nodes.map(({name = 'node-1', providerID, labels}) => ({
    metadata: {name, labels},
    spec: {providerID},
  }));
  return identify({nodes: {kind: 'found', value}}, byNames({}));
}

/** As Civo has them. */
const K3S_NODES = {
  kind: 'found',
  value: [{metadata: {name: 'k3s-a'}, spec: {providerID: 'k3s://a'}}],
} as const;

const ARN = 'arn:aws:eks:eu-west-1:123456789012:cluster/demo';

/** What the tools themselves write: cluster, context, user. */
const AS_WRITTEN: readonly (readonly [Product, string, string, string])[] = [
  ['kind', 'kind-kind', 'kind-kind', 'kind-kind'],
  ['kind', 'kind-demo', 'kind-demo', 'kind-demo'],
  ['kind', 'kind', 'kubernetes-admin@kind', 'kubernetes-admin'],
  ['k3d', 'k3d-k3s-default', 'k3d-k3s-default', 'admin@k3d-k3s-default'],
  ['minikube', 'minikube', 'minikube', 'minikube'],
  ['docker-desktop', 'docker-desktop', 'docker-desktop', 'docker-desktop'],
  ['docker-desktop', 'docker-for-desktop-cluster', 'docker-for-desktop', 'docker-for-desktop'],
  ['rancher-desktop', 'rancher-desktop', 'rancher-desktop', 'rancher-desktop'],
  ['colima', 'colima', 'colima', 'colima'],
  ['colima', 'colima-work', 'colima-work', 'colima-work'],
  ['orbstack', 'orbstack', 'orbstack', 'orbstack'],
  ['microk8s', 'microk8s-cluster', 'microk8s', 'admin'],
  ['crc', 'api-crc-testing:6443', 'crc-admin', 'kubeadmin'],
  ['crc', 'api-crc-testing:6443', 'default/api-crc-testing:6443/kubeadmin', 'kubeadmin/api-crc-testing:6443'],
  ['gke', 'gke_proj-1_us-central1-b_demo', 'gke_proj-1_us-central1-b_demo', 'gke_proj-1_us-central1-b_demo'],
  ['eks', ARN, ARN, ARN],
  ['eks', 'demo.eu-west-1.eksctl.io', 'me@demo.eu-west-1.eksctl.io', 'me@demo.eu-west-1.eksctl.io'],
  ['unknown', 'default', 'default', 'default'],
];

describe('identifyByNames', () => {
  for (const [product, cluster, context, user] of AS_WRITTEN) {
    it(`knows ${product} by ${cluster}, ${context}, ${user}`, () => {
      expect(named({cluster, context, user})).to.equal(product);
      expect(named({cluster}), 'by the cluster alone').to.equal(product);
    });
  }

  const servers: readonly (readonly [Product, string])[] = [
    ['docker-desktop', 'https://kubernetes.docker.internal:6443'],
    ['orbstack', 'https://k8s.orb.local:26443'],
    ['crc', 'https://api.crc.testing:6443'],
    ['eks', 'https://0123456789ABCDEF.gr7.us-east-1.eks.amazonaws.com'],
    ['eks', 'https://0123456789ABCDEF.sk1.cn-north-1.eks.amazonaws.com.cn'],
    ['eks', 'https://0123456789ABCDEF.eks-cluster.us-east-1.api.aws'],
    ['aks', 'https://demo-dns-1a2b3c4d.hcp.westeurope.azmk8s.io:443'],
    ['aks', 'https://demo-1a2b.0a.privatelink.westeurope.azmk8s.io:443'],
    ['gke', 'https://gke-0a1b2c-123.us-central1-c.gke.goog'],
    ['gke', 'gke-0a1b2c-123.us-central1-c.gke.goog:443'],
    ['unknown', 'https://127.0.0.1:26443'],
    ['unknown', 'https://azmk8s.io.example.com'],
    ['unknown', 'https://example.com/x.azmk8s.io'],
    ['unknown', 'https://notkubernetes.docker.internal'],
    ['unknown', 'https://[::1]:6443'],
    ['unknown', 'http://['],
    ['unknown', ''],
  ];
  for (const [product, server] of servers) {
    it(`takes the server "${server}" for ${product}`, () => expect(named({server})).to.equal(product));
  }

  for (const cluster of [
    ...['mankind-prod', 'kindergarten', 'humankind', 'Kind-demo', 'k3d', 'my-k3d-test', 'minikubernetes'],
    ...['minikube-prod', 'docker-desktop-prod', 'my-docker-desktop', 'colimator', 'orbstack-prod'],
    ...['microk8s-prod', 'gke_only', 'my-gke_a_b_c', 'eksctl.io', ''],
    'arn:aws:ecs:eu-west-1:123456789012:cluster/demo',
  ]) {
    it(`does not guess from "${cluster}"`, () => {
      expect(named({cluster, context: cluster, user: cluster})).to.equal('unknown');
    });
  }

  for (const [product, host] of [
    ...CLOUD_HOSTS.flatMap(({product, ends}) =>
      ends.map((end) => [product, `a-1.b.${end.replace('*', 'eu-west-1')}`] as const),
    ),
    ['eks', '0123.gr7.us-east-1.EKS.amazonaws.com.'],
    ['cloud', 'api-demo-0123.us-east-1.elb.amazonaws.com'],
    ['cloud', '0a1b2c.k8s.ondigitalocean.com'],
  ] as const) {
    it(`takes the host ${host} for ${product} of a cloud, whatever the names are`, () => {
      for (const name of ['kind-a', 'k3d-a', 'colima', 'minikube', ARN]) {
        const names = {cluster: name, context: name, user: name};
        const found = byNames({...names, server: `https://${host}:443/a`, provider: 'minikube.sigs.k8s.io'});
        expect(found.product).to.equal(product);
        expect(isLocalCluster(identify({nodes: K3S_NODES}, found).product)).to.equal(false);
        expect(named({...names, serverName: host})).to.equal(product);
      }
    });
  }

  it('trusts the cluster before the context, the context before the user, the user before the server', () => {
    const server = 'https://api.crc.testing:6443';
    expect(named({cluster: 'k3d-a', context: 'kind-a', user: 'colima', server})).to.equal('k3d');
    expect(named({context: 'kind-a', user: 'admin@k3d-a', server})).to.equal('kind');
    expect(named({user: 'admin@k3d-a', server})).to.equal('k3d');
    expect(named({cluster: 'orbstack', context: 'k3d-a'})).to.equal('orbstack');
    expect(named({cluster: ARN, context: 'kind-a'})).to.equal('eks');
  });

  it('knows a minikube profile by the extension of minikube, whatever it is called', () => {
    const provider = 'minikube.sigs.k8s.io';
    expect(named({cluster: 'kind-a', context: 'kind-a', user: 'kind-a', provider})).to.equal('minikube');
    expect(named({cluster: 'shop', provider: 'example.com'})).to.equal('unknown');
  });

  for (const [product, names] of [
    ['minikube', {cluster: 'shop', authority: '/home/me/.minikube/ca.crt'}],
    ['minikube', {cluster: 'kind-a', authority: String.raw`C:\Users\me\.minikube\ca.crt`}],
    ['kind', {authority: '/home/me/minikube/ca.crt', cluster: 'kind-a'}],
    ['kind', {file: '/home/me/.kube/kind-config-shop'}],
    ['kind', {file: String.raw`C:\Users\me\.kube\kind-config-shop`}],
    ['k3d', {file: '/home/me/.config/k3d/shop/kubeconfig.yaml'}],
    ['k3d', {file: '/home/me/.config/k3d/kubeconfig-shop.yaml'}],
    ['k3d', {file: '/home/me/.k3d/kubeconfig-shop.yaml'}],
    ['orbstack', {file: '/home/me/.kube/kind-config-shop', cluster: 'orbstack'}],
    ['eks', {file: '/home/me/.kube/kind-config-shop', server: 'https://a.gr7.us-east-1.eks.amazonaws.com'}],
    ['unknown', {file: '/home/me/kind-config-shop/config', authority: '/home/me/.minikube/profiles/ca.crt'}],
    ['unknown', {file: '/home/me/k3d/config'}],
  ] as const) {
    it(`takes the files ${JSON.stringify(names)} for ${product}`, () =>
      expect(named(names)).to.equal(product));
  }

  for (const [names, reason] of [
    [{cluster: 'kind-demo'}, 'the cluster is called "kind-demo"'],
    [{context: 'orbstack'}, 'the context is called "orbstack"'],
    [{user: 'admin@k3d-a'}, 'the user is called "admin@k3d-a"'],
    [{file: '/kind-config-a'}, 'the cluster is in "/kind-config-a"'],
    [{authority: '/.minikube/ca.crt'}, 'the cluster has the authority "/.minikube/ca.crt"'],
    [{server: 'https://api.crc.testing:6443'}, 'the server is "api.crc.testing"'],
    [{}, 'neither its names nor its server address match a known product'],
  ] as const) {
    it(`gives the reason: ${reason}`, () => expect(byNames(names).reason).to.equal(reason));
  }
});

describe('identify', () => {
  const cases: readonly (readonly [Product, Node])[] = [
    ['kind', {providerID: 'kind://docker/demo/demo-control-plane'}],
    ['kind', {providerID: 'kind://podman/demo/demo-control-plane'}],
    ['docker-desktop', {providerID: 'kind://docker/desktop/desktop-control-plane'}],
    ['docker-desktop', {name: 'docker-desktop'}],
    ['k3d', {providerID: 'k3s://k3d-a-server-0', labels: {'node.kubernetes.io/instance-type': 'k3s'}}],
    ['k3d', {name: 'k3d-a-agent-1'}],
    ['k3s', {providerID: 'k3s://box', labels: {'node.kubernetes.io/instance-type': 'k3s'}}],
    ['k3s', {labels: {'node.kubernetes.io/instance-type': 'k3s'}}],
    ['minikube', {name: 'shop', labels: {'minikube.k8s.io/name': 'shop'}}],
    ['microk8s', {labels: {'microk8s.io/cluster': 'true'}}],
    ['orbstack', {name: 'orbstack', providerID: 'k3s://orbstack'}],
    ['colima', {name: 'colima', providerID: 'k3s://colima'}],
    ['colima', {name: 'colima-work', providerID: 'k3s://colima-work'}],
    ['rancher-desktop', {name: 'lima-rancher-desktop', providerID: 'k3s://lima-rancher-desktop'}],
    ['crc', {name: 'crc', labels: {'node.openshift.io/os_id': 'rhcos'}}],
    ['crc', {name: 'crc-8tnb7-master-0', labels: {'node.openshift.io/os_id': 'rhcos'}}],
    ['gke', {providerID: 'gce://p/us-central1-b/n', labels: {'cloud.google.com/gke-nodepool': 'a'}}],
    ['eks', {providerID: 'aws:///eu-west-1a/i-0', labels: {'eks.amazonaws.com/nodegroup': 'a'}}],
    ['eks', {providerID: 'aws:///eu-west-1a/i-0', labels: {'alpha.eksctl.io/cluster-name': 'a'}}],
    ['aks', {providerID: 'azure:///subscriptions/s', labels: {'kubernetes.azure.com/cluster': 'MC_a_b_c'}}],
    ['unknown', {providerID: 'gce://p/us-central1-b/n'}],
    ['unknown', {providerID: 'aws:///eu-west-1a/i-0', labels: {'kops.k8s.io/instancegroup': 'a'}}],
    ['unknown', {providerID: 'azure:///subscriptions/s'}],
    ['unknown', {name: 'kind-control-plane'}],
    ['unknown', {name: 'crc'}],
    ['unknown', {name: 'docker-desktop-2', labels: {'node.kubernetes.io/instance-type': 'm5.large'}}],
  ];
  for (const [product, facts] of cases) {
    it(`takes ${JSON.stringify(facts)} for ${product}`, () => {
      expect(byNodes(facts).product).to.equal(product);
    });
  }

  it('goes by the nodes only where the names show nothing', () => {
    const nodes = [{metadata: {name: 'a'}, spec: {providerID: 'k3s://k3d-a-server-0'}}];
    const kind = byNames({cluster: 'kind-demo'});
    expect(identify({nodes: {kind: 'found', value: nodes}}, kind)).to.equal(kind);
  });

  it('leaves the product unknown where the nodes were not read', () => {
    const answers = [{kind: 'forbidden', message: 'no'}, {kind: 'missing'}, undefined] as const;
    for (const nodes of answers) expect(identify({nodes}, byNames({})).product).to.equal('unknown');
  });

  it('applies a rule to all nodes before the next rule', () => {
    expect(byNodes({providerID: 'k3s://box'}, {providerID: 'k3s://k3d-a-server-0'}).product).to.equal('k3d');
  });

  for (const [node, reason] of [
    [{providerID: 'k3s://box'}, 'node "node-1" has the provider ID "k3s://box"'],
    [{labels: {'microk8s.io/cluster': 'true'}}, 'node "node-1" has the label microk8s.io/cluster=true'],
    [{name: 'orbstack'}, 'node "orbstack" has the name that the product gives to its nodes'],
    [{}, 'none of its nodes matches a known product'],
  ] as const) {
    it(`gives the reason: ${reason}`, () => expect(byNodes(node).reason).to.equal(reason));
  }
});
