/** Covers the target inside a pod. */
import {posix} from 'node:path';
import {expect} from 'chai';
import type {TargetOverrides} from '../../../../src/cluster/connection.ts';
import {
  inClusterTarget,
  type PodEnvironment,
  podNamespace,
} from '../../../../src/cluster/kubeconfig/in-cluster.ts';
import {mergeKubeconfigs} from '../../../../src/cluster/kubeconfig/merge.ts';
import {parseKubeconfig} from '../../../../src/cluster/kubeconfig/parse.ts';

const env = {KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBERNETES_SERVICE_PORT: '443'};
const pod: PodEnvironment = {env, tokenExists: true, namespaceFile: 'ci\n'};
const nothing = mergeKubeconfigs([]);

describe('inClusterTarget', () => {
  it('is the service account', () => {
    expect(inClusterTarget(pod, nothing, {})).to.deep.equal({
      context: '',
      namespace: 'ci',
      cluster: {
        name: '',
        server: 'https://10.96.0.1:443',
        'certificate-authority': '/var/run/secrets/kubernetes.io/serviceaccount/ca.crt',
      },
      user: {name: '', tokenFile: '/var/run/secrets/kubernetes.io/serviceaccount/token'},
    });
  });

  it('puts an IPv6 address in brackets', () => {
    const target = inClusterTarget({...pod, env: {...env, KUBERNETES_SERVICE_HOST: 'fd00::1'}}, nothing, {});
    expect(target?.cluster.server).to.equal('https://[fd00::1]:443');
  });

  it('trusts the system where the authority is missing', () => {
    const target = inClusterTarget({...pod, certificateAuthorityExists: false}, nothing, {});
    expect(target?.cluster).to.deep.equal({name: '', server: 'https://10.96.0.1:443'});
  });

  it('takes the namespace, token and authority of flags', () => {
    const flags = {namespace: 'n', token: 't', certificateAuthority: '/ca', insecureSkipTlsVerify: true};
    const target = inClusterTarget(pod, nothing, flags);
    expect(target?.namespace).to.equal('n');
    expect(target?.user).to.deep.equal({name: '', token: 't'});
    expect(target?.cluster).to.deep.equal({
      name: '',
      server: 'https://10.96.0.1:443',
      'certificate-authority': '/ca',
    });
  });

  it('does not give way to a kubeconfig without a current context', () => {
    const text = 'contexts: [{name: a, context: {cluster: a}}]';
    const kubeconfig = mergeKubeconfigs([parseKubeconfig('/k', text, posix)]);
    expect(inClusterTarget(pod, kubeconfig, {})).not.to.equal(undefined);
  });

  it('gives way to a current context', () => {
    const kubeconfig = mergeKubeconfigs([parseKubeconfig('/k', 'current-context: a', posix)]);
    expect(inClusterTarget(pod, kubeconfig, {})).to.equal(undefined);
  });

  const surroundings: readonly (readonly [string, PodEnvironment])[] = [
    ['without a token', {...pod, tokenExists: false}],
    ['without a host', {...pod, env: {...env, KUBERNETES_SERVICE_HOST: ''}}],
    ['without a port', {...pod, env: {KUBERNETES_SERVICE_HOST: 'h'}}],
  ];
  for (const [lack, outside] of surroundings) {
    it(`is none ${lack}`, () => {
      expect(inClusterTarget(outside, nothing, {})).to.equal(undefined);
      expect(podNamespace(outside)).to.equal(undefined);
    });
  }

  const flags: readonly TargetOverrides[] = [
    {context: 'a'},
    {cluster: 'a'},
    {user: 'a'},
    {server: 'https://s'},
    {as: 'jane'},
    {asGroup: ['g']},
  ];
  for (const overrides of flags) {
    it(`is none with ${JSON.stringify(overrides)}`, () => {
      expect(inClusterTarget(pod, nothing, overrides)).to.equal(undefined);
    });
  }
});

describe('podNamespace', () => {
  it('prefers POD_NAMESPACE to the namespace file, and ends with default', () => {
    expect(podNamespace({...pod, env: {...env, POD_NAMESPACE: 'p'}})).to.equal('p');
    expect(podNamespace(pod)).to.equal('ci');
    expect(podNamespace({...pod, namespaceFile: ' \n'})).to.equal('default');
    expect(podNamespace({...pod, namespaceFile: undefined})).to.equal('default');
  });
});
