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

const ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';
const SERVER = 'https://10.96.0.1:443';
const within = (changes: Partial<PodEnvironment>, overrides: TargetOverrides = {}) =>
  inClusterTarget({...pod, ...changes}, nothing, overrides);

describe('inClusterTarget', () => {
  it('is the service account', () => {
    expect(within({})).to.deep.equal({
      context: '',
      namespace: 'ci',
      cluster: {name: '', server: SERVER, 'certificate-authority': `${ACCOUNT}/ca.crt`},
      user: {name: '', tokenFile: `${ACCOUNT}/token`},
    });
  });

  it('puts an IPv6 address in brackets, and trusts the system where the authority is missing', () => {
    const target = within({
      env: {...env, KUBERNETES_SERVICE_HOST: 'fd00::1'},
      certificateAuthorityExists: false,
    });
    expect(target?.cluster).to.deep.equal({name: '', server: 'https://[fd00::1]:443'});
  });

  it('takes the namespace, token and authority of flags, and no other', () => {
    const flags = {namespace: 'n', token: 't', certificateAuthority: '/ca', insecureSkipTlsVerify: true};
    expect(within({}, flags)).to.deep.equal({
      ...{context: '', namespace: 'n', user: {name: '', token: 't'}},
      cluster: {name: '', server: SERVER, 'certificate-authority': '/ca'},
    });
  });

  it('gives way to a kubeconfig with a current context, and to no other', () => {
    for (const [text, gives] of [
      ['contexts: [{name: a, context: {cluster: a}}]', false],
      ['current-context: a', true],
    ] as const) {
      const kubeconfig = mergeKubeconfigs([parseKubeconfig('/k', text, posix)]);
      expect(inClusterTarget(pod, kubeconfig, {}) === undefined, text).to.equal(gives);
    }
  });

  for (const [lack, changes] of [
    ['a token', {tokenExists: false}],
    ['a host', {env: {...env, KUBERNETES_SERVICE_HOST: ''}}],
    ['a port', {env: {KUBERNETES_SERVICE_HOST: 'h'}}],
  ] as const) {
    it(`is none without ${lack}`, () => {
      expect(within(changes)).to.equal(undefined);
      expect(podNamespace({...pod, ...changes})).to.equal(undefined);
    });
  }

  it('is none with a flag that names an entry, a server or another user', () => {
    const names = [{context: 'a'}, {cluster: 'a'}, {user: 'a'}, {server: 'https://s'}];
    for (const overrides of [...names, {as: 'jane'}, {asUid: '1'}, {asGroup: ['g']}])
      expect(within({}, overrides), JSON.stringify(overrides)).to.equal(undefined);
  });
});

describe('podNamespace', () => {
  it('prefers POD_NAMESPACE to the namespace file, and ends with default', () => {
    expect(podNamespace({...pod, env: {...env, POD_NAMESPACE: 'p'}})).to.equal('p');
    expect(podNamespace(pod)).to.equal('ci');
    expect(podNamespace({...pod, namespaceFile: ' \n'})).to.equal('default');
    expect(podNamespace({...pod, namespaceFile: undefined})).to.equal('default');
  });
});
