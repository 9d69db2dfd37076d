/** Covers which runtime a builder is made for, and where on the nodes it looks for containerd. */
import {expect} from 'chai';
import {
  type ContainerdPaths,
  chooseRuntime,
  containerdPaths,
  type RuntimeNode,
  readDistribution,
  selectBuilderNodes,
} from '../../../../src/builder/manifest/runtime.ts';
import {type ContainerdOverrides, parseToleration} from '../../../../src/builder/model/settings.ts';
import type {Product} from '../../../../src/cluster/product.ts';
import {TiltbuildError} from '../../../../src/errors.ts';
import {readApiRecording} from '../../../helpers/api-samples.ts';

function node(name: string, containerRuntimeVersion: string, more: Partial<RuntimeNode> = {}): RuntimeNode {
  return {name, containerRuntimeVersion, ...more};
}

function fault(run: () => unknown): TiltbuildError {
  try {
    run();
  } catch (error) {
    if (error instanceof TiltbuildError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

const taint = {key: 'dedicated', effect: 'NoSchedule'};

const ctd = 'containerd://2.1.9';
const docker = 'docker://28.0.1';
const crio = 'cri-o://1.30.0';

describe('chooseRuntime', () => {
  for (const [version, expected] of [
    [ctd, 'containerd'],
    ['containerd://1.7.27-k3s1', 'containerd'],
    [docker, 'docker'],
  ] as const) {
    it(`takes ${version} for ${expected}`, () => {
      expect(chooseRuntime([node('a', version)])).to.equal(expected);
      expect(chooseRuntime([node('a', version), node('b', version)])).to.equal(expected);
    });
  }

  it('goes by what a real node says', () => {
    const [item] = (
      readApiRecording('nodes-kind').body as {
        items: {metadata: {name: string}; status: {nodeInfo: {containerRuntimeVersion: string}}}[];
      }
    ).items;
    const version = item?.status.nodeInfo.containerRuntimeVersion ?? '';
    expect(chooseRuntime([node('a', version)])).to.equal('containerd');
  });

  it('leaves out Windows nodes, and nodes that take no builder', () => {
    const windows = node('win', docker, {labels: {'kubernetes.io/os': 'windows'}});
    const cordoned = node('old', docker, {unschedulable: true});
    expect(chooseRuntime([node('a', ctd), windows, cordoned])).to.equal('containerd');
  });

  it('goes by cordoned nodes where there are no others', () => {
    expect(chooseRuntime([node('a', ctd, {unschedulable: true})])).to.equal('containerd');
  });

  it('is narrowed by a node selector', () => {
    const nodes = [
      node('a', ctd, {labels: {pool: 'new'}}),
      node('b', docker, {labels: {pool: 'old'}}),
      node('c', docker),
    ];
    expect(chooseRuntime(nodes, {nodeSelector: {pool: 'new'}, tolerations: []})).to.equal('containerd');
    expect(chooseRuntime(nodes, {nodeSelector: {pool: 'old'}, tolerations: []})).to.equal('docker');
  });

  it('refuses CRI-O, and says what would work', () => {
    const error = fault(() => chooseRuntime([node('a', crio), node('b', crio)]));
    expect(error.message).to.contain('The nodes run cri-o;');
    expect(error.detail).to.deep.equal(['cri-o: a, b']);
    expect(error.remedy.join()).to.contain('rootless');
  });

  it('refuses a mix, says which nodes run what, and how to narrow it', () => {
    const many = Array.from({length: 7}, (_, index) => node(`d${index}`, docker));
    const error = fault(() =>
      chooseRuntime([node('c', ctd, {labels: {'kubernetes.io/hostname': 'c-host'}}), ...many]),
    );
    expect(error.detail).to.deep.equal(['containerd: c', 'docker: d0, d1, d2, d3, d4 and 2 more']);
    expect(error.remedy.join()).to.contain('for containerd, for example, kubernetes.io/hostname=c-host');
  });

  it('names a usable runtime in a mix with one that is not', () => {
    const error = fault(() => chooseRuntime([node('o', crio), node('d', docker)]));
    expect(error.remedy.join()).to.contain('for docker, for example, kubernetes.io/hostname=d');
  });

  it('never guesses: a node that says nothing is a runtime of its own', () => {
    expect(fault(() => chooseRuntime([node('a', '')])).message).to.contain('no runtime that is known');
    expect(fault(() => chooseRuntime([node('a', ''), node('b', ctd)])).message).to.contain('different');
    expect(fault(() => chooseRuntime([node('a', 'containerd')])).detail).to.deep.equal(['"containerd": a']);
  });

  it('says when there is no node at all', () => {
    expect(fault(() => chooseRuntime([])).message).to.contain('no Linux node');
    const error = fault(() =>
      chooseRuntime([node('a', ctd)], {nodeSelector: {pool: 'x', disk: 'ssd'}, tolerations: []}),
    );
    expect(error.message).to.contain('the labels pool=x, disk=ssd');
    expect(error.detail).to.deep.equal(['a']);
  });
});

describe('selectBuilderNodes', () => {
  it('counts the nodes that can hold a builder', () => {
    const nodes = [node('a', ctd), node('b', ctd, {unschedulable: true}), node('c', ctd, {taints: [taint]})];
    const names = (...tolerations: string[]) =>
      selectBuilderNodes(nodes, {nodeSelector: {}, tolerations: tolerations.map(parseToleration)}).map(
        ({name}) => name,
      );
    expect(names()).to.deep.equal(['a']);
    expect(names('dedicated:NoSchedule')).to.deep.equal(['a', 'c']);
  });
});

describe('readDistribution', () => {
  for (const [version, expected] of [
    ['v1.36.2+k3s1', 'k3s'],
    ['v1.36.2+rke2r1', 'rke2'],
    ['v1.36.2+k0s', 'k0s'],
    ['v1.36.2+k0s.0', 'k0s'],
    ['v1.36.2', undefined],
    ['v1.36.2-eks-1234567', undefined],
    ['v1.36.2-gke.100', undefined],
    ['', undefined],
  ] as const) {
    it(`reads ${expected ?? 'nothing'} from ${JSON.stringify(version)}`, () => {
      expect(readDistribution(version)).to.equal(expected);
    });
  }
});

describe('containerdPaths', () => {
  const standard = ['/run/containerd/containerd.sock', '/var/lib/containerd', '/run/containerd'] as const;
  const k3s = [
    '/run/k3s/containerd/containerd.sock',
    '/var/lib/rancher/k3s/agent/containerd',
    '/run/k3s/containerd',
  ] as const;
  const rke2 = [k3s[0], '/var/lib/rancher/rke2/agent/containerd', k3s[2]] as const;
  const k0s = ['/run/k0s/containerd.sock', '/var/lib/k0s/containerd', '/run/k0s/containerd'] as const;
  const snap = '/var/snap/microk8s/common';
  const microk8s = [
    `${snap}/run/containerd.sock`,
    `${snap}/var/lib/containerd`,
    `${snap}/run/containerd`,
  ] as const;
  for (const [product, kubelet, [socket, root, state]] of [
    ['kind', 'v1.36.2', standard],
    ['minikube', 'v1.36.2', standard],
    ['docker-desktop', 'v1.36.2', standard],
    ['orbstack', 'v1.36.2', standard],
    ['eks', 'v1.36.2-eks-1234567', standard],
    ['gke', 'v1.36.2-gke.100', standard],
    ['aks', 'v1.36.2', standard],
    ['unknown', 'v1.36.2', standard],
    ['unknown', 'v1.36.2+k3s1', k3s],
    ['unknown', 'v1.36.2+rke2r1', rke2],
    ['unknown', 'v1.36.2+k0s', k0s],
    ['eks', 'v1.36.2+rke2r1', rke2],
    ['k3s', 'v1.36.2+k3s1', k3s],
    ['k3s', '', k3s],
    ['k3s', 'v1.36.2+rke2r1', rke2],
    ['k3d', 'v1.36.2+k3s1', k3s],
    ['rancher-desktop', 'v1.36.2+k3s1', k3s],
    ['colima', 'v1.36.2+k3s1', standard],
    ['microk8s', 'v1.36.2', microk8s],
  ] as readonly (readonly [Product, string, readonly [string, string, string]])[]) {
    it(`knows ${product} with kubelet ${JSON.stringify(kubelet)}`, () => {
      const expected: ContainerdPaths = {socket, root, state};
      expect(containerdPaths(product, {distribution: readDistribution(kubelet)})).to.deep.equal(expected);
    });
  }

  it('lets each path be overridden by itself', () => {
    const overrides = {socket: '/run/my/containerd.sock'};
    expect(containerdPaths('kind', {overrides})).to.deep.equal({...containerdPaths('kind'), ...overrides});
    expect(containerdPaths('k3s', {overrides: {root: '/data/containerd'}}).root).to.equal('/data/containerd');
    expect(containerdPaths('k3s', {overrides: {state: '/data/state'}}).state).to.equal('/data/state');
  });

  it('goes by /run where /var/run is given', () => {
    const paths = containerdPaths('kind', {
      overrides: {socket: '/var/run/containerd/containerd.sock', state: '/var/run/containerd'},
    });
    expect(paths).to.deep.equal(containerdPaths('kind'));
    expect(containerdPaths('kind', {overrides: {root: '/var/running/c'}}).root).to.equal('/var/running/c');
  });

  for (const overrides of [
    {socket: ''},
    {socket: 'containerd.sock'},
    {socket: '/containerd.sock'},
    {socket: '/run/containerd.sock'},
    {socket: '/var/run/containerd.sock'},
    {socket: '/tmp/containerd.sock'},
    {socket: '/run/x/../containerd.sock'},
    {socket: 'unix:///run/containerd/containerd.sock'},
    {root: '/'},
    {root: ''},
    {root: 'var/lib/containerd'},
    {root: '/var/lib'},
    {root: '/var/lib/containerd/'},
    {root: '/var//lib'},
    {root: '/data/./containerd'},
    {root: '/data\n/containerd'},
    {root: '/var/lib/buildkit'},
    {state: '/run'},
    {state: '/var/run'},
    {state: '/run/buildkit'},
  ] as readonly ContainerdOverrides[]) {
    it(`refuses ${JSON.stringify(overrides)}`, () => {
      expect(fault(() => containerdPaths('kind', {overrides})).code).to.equal('usage');
    });
  }
});
