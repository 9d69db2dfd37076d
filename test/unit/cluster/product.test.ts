/** Covers what cluster names, addresses and nodes tell of the product. */
import {expect} from 'chai';
import type {NodeFacts} from '../../../src/cluster/api/facts.ts';
import type {Product, ProductSignals} from '../../../src/cluster/product.ts';
import {identifyProductByNames, identifyProductByNodes} from '../../../src/cluster/product.ts';

const nothing: ProductSignals = {cluster: 'c', context: 'ctx', user: 'u', server: 'https://127.0.0.1:6443'};

function named(signals: Partial<ProductSignals>): Product {
  return identifyProductByNames({...nothing, ...signals}).product;
}

function node(facts: Partial<NodeFacts>): NodeFacts {
  return {name: 'node-1', providerId: '', labels: {}, ...facts};
}

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

describe('identifyProductByNames', () => {
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
    'mankind-prod',
    'kindergarten',
    'humankind',
    'Kind-demo',
    'k3d',
    'my-k3d-test',
    'minikubernetes',
    'minikube-prod',
    'docker-desktop-prod',
    'my-docker-desktop',
    'colimator',
    'orbstack-prod',
    'microk8s-prod',
    'gke_only',
    'my-gke_a_b_c',
    'arn:aws:ecs:eu-west-1:123456789012:cluster/demo',
    'eksctl.io',
    '',
  ]) {
    it(`does not guess from "${cluster}"`, () => {
      expect(named({cluster, context: cluster, user: cluster})).to.equal('unknown');
    });
  }

  it('takes any name with the prefix of kind, for kind gives it', () => {
    expect(named({cluster: 'kind-of-blue'})).to.equal('kind');
  });

  it('trusts the cluster before the context, the context before the user, the user before the server', () => {
    const server = 'https://x.hcp.westeurope.azmk8s.io';
    expect(named({cluster: 'k3d-a', context: 'kind-a', user: 'colima', server})).to.equal('k3d');
    expect(named({context: 'kind-a', user: 'admin@k3d-a', server})).to.equal('kind');
    expect(named({user: 'admin@k3d-a', server})).to.equal('k3d');
    expect(named({cluster: 'orbstack', context: 'k3d-a'})).to.equal('orbstack');
    expect(named({cluster: ARN, context: 'kind-a'})).to.equal('eks');
  });

  it('knows k3d with a renamed context, and by the user where the cluster is renamed too', () => {
    expect(named({cluster: 'k3d-a', context: 'dev', user: 'admin@k3d-a'})).to.equal('k3d');
    expect(named({cluster: 'dev', context: 'dev', user: 'admin@k3d-a'})).to.equal('k3d');
  });

  it('knows a minikube profile by the mark of minikube, whatever it is called', () => {
    const extensionProviders = ['minikube.sigs.k8s.io'];
    for (const cluster of ['shop', 'kind-a']) {
      expect(named({cluster, context: cluster, user: cluster, extensionProviders})).to.equal('minikube');
    }
    expect(named({cluster: 'shop', extensionProviders: ['example.com']})).to.equal('unknown');
  });

  it('gives the reason', () => {
    const reason = (signals: Partial<ProductSignals>) =>
      identifyProductByNames({...nothing, ...signals}).reason;
    expect(reason({cluster: 'kind-demo'})).to.equal('the cluster is called "kind-demo"');
    expect(reason({context: 'orbstack'})).to.equal('the context is called "orbstack"');
    expect(reason({user: 'admin@k3d-a'})).to.equal('the user is called "admin@k3d-a"');
    expect(reason({server: 'https://api.crc.testing:6443'})).to.equal('the server is "api.crc.testing"');
    expect(reason({})).to.match(/^neither/);
  });
});

describe('identifyProductByNodes', () => {
  const cases: readonly (readonly [Product, Partial<NodeFacts>])[] = [
    ['kind', {providerId: 'kind://docker/demo/demo-control-plane'}],
    ['kind', {providerId: 'kind://podman/demo/demo-control-plane'}],
    ['docker-desktop', {providerId: 'kind://docker/desktop/desktop-control-plane'}],
    ['docker-desktop', {name: 'docker-desktop'}],
    ['k3d', {providerId: 'k3s://k3d-a-server-0', labels: {'node.kubernetes.io/instance-type': 'k3s'}}],
    ['k3d', {name: 'k3d-a-agent-1'}],
    ['k3s', {providerId: 'k3s://box', labels: {'node.kubernetes.io/instance-type': 'k3s'}}],
    ['k3s', {labels: {'node.kubernetes.io/instance-type': 'k3s'}}],
    ['minikube', {name: 'shop', labels: {'minikube.k8s.io/name': 'shop'}}],
    ['microk8s', {labels: {'microk8s.io/cluster': 'true'}}],
    ['orbstack', {name: 'orbstack', providerId: 'k3s://orbstack'}],
    ['colima', {name: 'colima', providerId: 'k3s://colima'}],
    ['colima', {name: 'colima-work', providerId: 'k3s://colima-work'}],
    ['rancher-desktop', {name: 'lima-rancher-desktop', providerId: 'k3s://lima-rancher-desktop'}],
    ['crc', {name: 'crc', labels: {'node.openshift.io/os_id': 'rhcos'}}],
    ['crc', {name: 'crc-8tnb7-master-0', labels: {'node.openshift.io/os_id': 'rhcos'}}],
    ['gke', {providerId: 'gce://p/us-central1-b/n', labels: {'cloud.google.com/gke-nodepool': 'a'}}],
    ['eks', {providerId: 'aws:///eu-west-1a/i-0', labels: {'eks.amazonaws.com/nodegroup': 'a'}}],
    ['eks', {providerId: 'aws:///eu-west-1a/i-0', labels: {'alpha.eksctl.io/cluster-name': 'a'}}],
    ['aks', {providerId: 'azure:///subscriptions/s', labels: {'kubernetes.azure.com/cluster': 'MC_a_b_c'}}],
    ['unknown', {providerId: 'gce://p/us-central1-b/n'}],
    ['unknown', {providerId: 'aws:///eu-west-1a/i-0', labels: {'kops.k8s.io/instancegroup': 'a'}}],
    ['unknown', {providerId: 'azure:///subscriptions/s'}],
    ['unknown', {name: 'kind-control-plane'}],
    ['unknown', {name: 'crc'}],
    ['unknown', {name: 'docker-desktop-2', labels: {'node.kubernetes.io/instance-type': 'm5.large'}}],
  ];
  for (const [product, facts] of cases) {
    it(`takes ${JSON.stringify(facts)} for ${product}`, () => {
      expect(identifyProductByNodes([node(facts)]).product).to.equal(product);
    });
  }

  it('finds k3d out where every name was changed', () => {
    const signals = {cluster: 'shop', context: 'shop', user: 'me', server: 'https://0.0.0.0:6550'};
    expect(identifyProductByNames(signals).product).to.equal('unknown');
    const nodes = [node({name: 'k3d-shop-server-0', providerId: 'k3s://k3d-shop-server-0'})];
    expect(identifyProductByNodes(nodes).product).to.equal('k3d');
  });

  it('applies a rule to all nodes before the next rule', () => {
    const nodes = [node({providerId: 'k3s://box'}), node({providerId: 'k3s://k3d-a-server-0'})];
    expect(identifyProductByNodes(nodes).product).to.equal('k3d');
  });

  it('gives the reason', () => {
    const reason = (facts: Partial<NodeFacts>) => identifyProductByNodes([node(facts)]).reason;
    expect(reason({providerId: 'k3s://box'})).to.equal('node "node-1" has the provider ID "k3s://box"');
    expect(reason({labels: {'microk8s.io/cluster': 'true'}})).to.equal(
      'node "node-1" has the label microk8s.io/cluster=true',
    );
    expect(reason({name: 'orbstack'})).to.equal(
      'node "orbstack" has the name that the product gives to its nodes',
    );
    expect(identifyProductByNodes([]).product).to.equal('unknown');
  });
});
