/** Covers where a builder looks for containerd on its nodes. */
import {expect} from 'chai';
import {containerdPaths, readDistribution} from '../../../../src/builder/manifest/containerd-paths.ts';
import type {ContainerdOverrides} from '../../../../src/builder/model/settings.ts';
import type {Product} from '../../../../src/cluster/product.ts';
import {refusalOf} from '../../../helpers/caught.ts';

const standard = ['/run/containerd/containerd.sock', '/var/lib/containerd', '/run/containerd'];
const k3s = [
  '/run/k3s/containerd/containerd.sock',
  '/var/lib/rancher/k3s/agent/containerd',
  '/run/k3s/containerd',
];
const rke2 = [k3s[0], '/var/lib/rancher/rke2/agent/containerd', k3s[2]];
const k0s = ['/run/k0s/containerd.sock', '/var/lib/k0s/containerd', '/run/k0s/containerd'];
const snap = '/var/snap/microk8s/common';
const microk8s = [`${snap}/run/containerd.sock`, `${snap}/var/lib/containerd`, `${snap}/run/containerd`];

describe('containerdPaths', () => {
  for (const [product, kubelet, [socket, root, state]] of [
    ['kind', 'v1.36.2', standard],
    ['eks', 'v1.36.2-eks-1234567', standard],
    ['gke', 'v1.36.2-gke.100', standard],
    ['unknown', '', standard],
    ['unknown', 'v1.36.2+k3s1', k3s],
    ['unknown', 'v1.36.2+rke2r1', rke2],
    ['unknown', 'v1.36.2+k0s', k0s],
    ['unknown', 'v1.36.2+k0s.0', k0s],
    ['eks', 'v1.36.2+rke2r1', rke2],
    ['k3s', '', k3s],
    ['k3s', 'v1.36.2+rke2r1', rke2],
    ['k3d', 'v1.36.2+k3s1', k3s],
    ['rancher-desktop', 'v1.36.2+k3s1', k3s],
    ['colima', 'v1.36.2+k3s1', standard],
    ['microk8s', 'v1.36.2', microk8s],
  ] as readonly (readonly [Product, string, readonly string[]])[]) {
    it(`knows ${product} with kubelet ${JSON.stringify(kubelet)}`, () => {
      expect(containerdPaths(product, readDistribution(kubelet))).to.deep.equal({socket, root, state});
    });
  }

  for (const [given, expected] of [
    [{socket: '/run/my/containerd.sock'}, {socket: '/run/my/containerd.sock'}],
    [{root: '/data/containerd'}, {root: '/data/containerd'}],
    [{state: '/data/state'}, {state: '/data/state'}],
    [
      {socket: '/var/run/c/containerd.sock', state: '/var/run/c'},
      {socket: '/run/c/containerd.sock', state: '/run/c'},
    ],
    [{root: '/var/running/c'}, {root: '/var/running/c'}],
  ] as const) {
    it(`takes ${JSON.stringify(given)} from the user, and the rest from the product`, () => {
      expect(containerdPaths('k3s', undefined, given)).to.deep.equal({
        ...containerdPaths('k3s'),
        ...expected,
      });
    });
  }

  for (const overrides of [
    ...['', 'containerd.sock', '/containerd.sock', '/run/containerd.sock', '/var/run/containerd.sock'],
    ...['/tmp/containerd.sock', '/run/x/../containerd.sock', 'unix:///run/containerd/containerd.sock'],
  ]
    .map((socket): ContainerdOverrides => ({socket}))
    .concat(
      [
        '/',
        '',
        'var/lib/containerd',
        '/var/lib',
        '/var/lib/containerd/',
        '/var//lib',
        '/var/lib/buildkit',
      ].map((root) => ({root})),
      ['/data/./containerd', '/data\n/containerd'].map((root) => ({root})),
      ['/run', '/var/run', '/run/buildkit'].map((state) => ({state})),
    )) {
    it(`rejects ${JSON.stringify(overrides)}`, () => {
      expect(refusalOf(() => containerdPaths('kind', undefined, overrides))).to.include({
        code: 'usage',
      });
    });
  }
});
