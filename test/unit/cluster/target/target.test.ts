/** Covers the choice of a target and its errors; `test/tools` compares the same with kubectl. */
import {posix} from 'node:path';
import {expect} from 'chai';
import type {TargetOverrides} from '../../../../src/cluster/connection.ts';
import {mergeKubeconfigs} from '../../../../src/cluster/kubeconfig/merge.ts';
import {parseKubeconfig} from '../../../../src/cluster/kubeconfig/parse.ts';
import {resolveTarget} from '../../../../src/cluster/target/target.ts';
import {hintsOf, refusalOf} from '../../../helpers/caught.ts';

const lookedAt = {explicit: false, paths: ['/k/a', '/k/b']};

const sample = `
clusters:
- {name: kind-dev, cluster: {server: 'https://dev', certificate-authority-data: YWJj, tls-server-name: dev}}
- {name: bare, cluster: {proxy-url: 'http://p'}}
users:
- {name: jane, user: {token: hunter2}}
contexts:
- {name: dev, context: {cluster: kind-dev, user: jane, namespace: apps}}
- {name: plain, context: {cluster: kind-dev, user: jane}}
- {name: lost-user, context: {cluster: kind-dev, user: june}}
- {name: lost-cluster, context: {cluster: kind-dve, user: jane}}
- {name: no-cluster, context: {user: jane}}
- {name: serverless, context: {cluster: bare, user: jane}}
current-context: dev
`;
const CONTEXTS = 'contexts: dev, lost-cluster, lost-user, no-cluster, plain, serverless';

function resolve(overrides: TargetOverrides, text = sample, podNamespace?: string) {
  const files = text === '' ? [] : [parseKubeconfig('/k/a', text, posix)];
  return resolveTarget(mergeKubeconfigs(files), overrides, {lookedAt, podNamespace});
}

describe('resolveTarget', () => {
  it('takes the current context', () => {
    expect(resolve({})).to.deep.equal({
      context: 'dev',
      namespace: 'apps',
      cluster: {
        name: 'kind-dev',
        server: 'https://dev',
        'certificate-authority-data': 'YWJj',
        'tls-server-name': 'dev',
      },
      user: {name: 'jane', token: 'hunter2'},
    });
  });

  it('takes the namespace of the flag, the context, the pod, and default, in this order', () => {
    expect(resolve({namespace: 'flag'}, sample, 'pod').namespace).to.equal('flag');
    expect(resolve({}, sample, 'pod').namespace).to.equal('apps');
    expect(resolve({context: 'plain'}, sample, 'pod').namespace).to.equal('pod');
    expect(resolve({context: 'plain'}).namespace).to.equal('default');
  });

  it('ignores empty flags', () => {
    const names = {context: '', cluster: '', user: '', namespace: ''};
    expect(resolve({...names, server: '', token: '', as: '', asGroup: []})).to.deep.equal(resolve({}));
  });

  it('leaves the kubeconfig as it was', () => {
    const kubeconfig = mergeKubeconfigs([parseKubeconfig('/k/a', sample, posix)]);
    const before = structuredClone(kubeconfig);
    resolveTarget(kubeconfig, {server: 'https://s', token: 't', insecureSkipTlsVerify: true}, {lookedAt});
    expect(kubeconfig).to.deep.equal(before);
  });

  it('needs no kubeconfig for a server', () => {
    expect(resolve({server: 'https://s', token: 't'}, '')).to.deep.equal({
      context: '',
      namespace: 'default',
      cluster: {name: '', server: 'https://s'},
      user: {name: '', token: 't'},
    });
  });

  const withoutCurrent = sample.replace(/current-context.*/, '');
  const goneCurrent = sample.replace('current-context: dev', 'current-context: gone');
  const twoLogins = sample.replace('{token: hunter2}', '{token: hunter2, password: hunter2}');
  for (const [overrides, text, code, message, detail, hint] of [
    [{}, '', 'kubeconfig-missing', 'No kubeconfig was found.', '/k/b does not exist.', '--kubeconfig FILE'],
    [
      {},
      withoutCurrent,
      'context-missing',
      'The kubeconfig has no current context.',
      CONTEXTS,
      '--context NAME',
    ],
    [
      {},
      withoutCurrent,
      'context-missing',
      'The kubeconfig has no current context.',
      '/k/a',
      'use-context NAME',
    ],
    [
      {context: 'plian'},
      sample,
      'context-missing',
      'The kubeconfig has no context "plian", given with --context.',
      CONTEXTS,
      'Did you mean --context plain?',
    ],
    [
      {},
      goneCurrent,
      'context-missing',
      'The kubeconfig has no context "gone", its current context.',
      CONTEXTS,
      'kubectl config view',
    ],
    [
      {cluster: 'kind-dve'},
      sample,
      'context-missing',
      'The kubeconfig has no cluster "kind-dve", given with --cluster.',
      'clusters: bare, kind-dev',
      'Did you mean --cluster kind-dev?',
    ],
    [
      {user: 'jame'},
      sample,
      'context-missing',
      'The kubeconfig has no user "jame", given with --user.',
      'users: jane',
      'Did you mean --user jane?',
    ],
    [
      {context: 'lost-user'},
      sample,
      'kubeconfig-malformed',
      'The context "lost-user" in /k/a names the user "june", which does not exist.',
      'users: jane',
      'set-context lost-user --user=NAME',
    ],
    [
      {context: 'lost-cluster'},
      sample,
      'kubeconfig-malformed',
      'The context "lost-cluster" in /k/a names the cluster "kind-dve", which does not exist.',
      'clusters:',
      '--cluster=NAME',
    ],
    [
      {context: 'no-cluster'},
      sample,
      'kubeconfig-malformed',
      'The context "no-cluster" in /k/a has no cluster.',
      'clusters:',
      '--cluster=NAME',
    ],
    [
      {context: 'serverless'},
      sample,
      'kubeconfig-malformed',
      'The cluster "bare" in /k/a has no server.',
      '',
      'Correct the cluster',
    ],
    [
      {},
      twoLogins,
      'kubeconfig-malformed',
      'The user "jane" in /k/a has both a token and a username or password.',
      '',
      'Correct the user',
    ],
  ] as const) {
    it(`fails for ${JSON.stringify(overrides)}: ${message} ${hint}`, () => {
      const error = refusalOf(() => resolve(overrides, text));
      expect([error.code, error.message]).to.deep.equal([code, message]);
      expect(error.detail.join('\n')).to.contain(detail).and.not.contain('hunter2');
      expect(hintsOf(error)).to.contain(hint).and.not.contain('hunter2');
    });
  }

  it('suggests no name that differs too much', () => {
    expect(hintsOf(refusalOf(() => resolve({context: 'production-eu'})))).not.to.contain('Did you mean');
  });
});
