/** Covers where a builder looks for containerd on its nodes. */
import {expect} from 'chai';
import {containerdPaths, readDistribution} from '../../../../src/builder/manifest/containerd-paths.ts';
import {refusalOf} from '../../../helpers/caught.ts';

/** The root of each kind of node; the manifests in test/fixtures/builder show its socket and state as well. */
const ROOTS = {
  standard: '/var/lib/containerd',
  k3s: '/var/lib/rancher/k3s/agent/containerd',
  rke2: '/var/lib/rancher/rke2/agent/containerd',
  k0s: '/var/lib/k0s/containerd',
  microk8s: '/var/snap/microk8s/common/var/lib/containerd',
} as const;

describe('containerdPaths', () => {
  for (const [product, kubelet, place] of [
    ['kind', 'v1.36.2', 'standard'],
    ['eks', 'v1.36.2-eks-1234567', 'standard'],
    ['gke', 'v1.36.2-gke.100', 'standard'],
    ['unknown', '', 'standard'],
    ['unknown', 'v1.36.2+k3s1', 'k3s'],
    ['unknown', 'v1.36.2+rke2r1', 'rke2'],
    ['unknown', 'v1.36.2+k0s', 'k0s'],
    ['unknown', 'v1.36.2+k0s.0', 'k0s'],
    ['eks', 'v1.36.2+rke2r1', 'rke2'],
    ['k3s', '', 'k3s'],
    ['k3s', 'v1.36.2+rke2r1', 'rke2'],
    ['k3d', 'v1.36.2+k3s1', 'k3s'],
    ['rancher-desktop', 'v1.36.2+k3s1', 'k3s'],
    ['colima', 'v1.36.2+k3s1', 'standard'],
    ['microk8s', 'v1.36.2', 'microk8s'],
  ] as const) {
    it(`is ${place} for ${product} with kubelet ${JSON.stringify(kubelet)}`, () => {
      expect(containerdPaths(product, readDistribution(kubelet)).root).to.equal(ROOTS[place]);
    });
  }

  for (const [given, expected] of [
    [{socket: '/run/my/containerd.sock'}, {socket: '/run/my/containerd.sock'}],
    [{root: '/data/containerd'}, {root: '/data/containerd'}],
    [{state: '/data/state'}, {state: '/data/state'}],
    [
      {socket: '/var/run/c/c.sock', state: '/var/run/c'},
      {socket: '/run/c/c.sock', state: '/run/c'},
    ],
    [{root: '/var/running/c'}, {root: '/var/running/c'}],
  ] as const) {
    it(`takes ${JSON.stringify(given)} from the user, and the rest from the product`, () => {
      const paths = containerdPaths('k3s', undefined, given);
      expect(paths).to.deep.equal({...containerdPaths('k3s'), ...expected});
    });
  }

  const shallow = [
    '',
    'containerd.sock',
    '/containerd.sock',
    '/run/containerd.sock',
    '/var/run/containerd.sock',
  ];
  const odd = ['/tmp/containerd.sock', '/run/x/../containerd.sock', 'unix:///run/containerd/containerd.sock'];
  const roots = ['/', '', 'var/lib/containerd', '/var/lib', '/var/lib/containerd/', '/var//lib'];
  const others = ['/var/lib/buildkit', '/data/./containerd', '/data\n/containerd'];
  for (const [name, ...paths] of [
    ['socket', ...shallow, ...odd],
    ['root', ...roots, ...others],
    ['state', '/run', '/var/run', '/run/buildkit'],
  ] as const) {
    for (const path of paths) {
      it(`rejects ${JSON.stringify(path)} as ${name}`, () => {
        const refusal = refusalOf(() => containerdPaths('kind', undefined, {[name]: path}));
        expect(refusal).to.include({code: 'usage'});
      });
    }
  }
});
