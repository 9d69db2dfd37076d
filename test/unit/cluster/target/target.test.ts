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
const CLUSTERS = 'clusters: bare, kind-dev';
const FILES = `kubeconfig files: /k/a\n${CONTEXTS}`;
const TWO_LOGINS = 'The user "jane" in /k/a has both a token and a username or password.';

function resolve(overrides: TargetOverrides, text = sample, podNamespace?: string) {
  const files = text === '' ? [] : [parseKubeconfig('/k/a', text, posix)];
  return resolveTarget(mergeKubeconfigs(files), overrides, {lookedAt, podNamespace});
}

describe('resolveTarget', () => {
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
  const [GONE, BAD] = ['context-missing', 'kubeconfig-malformed'];
  const NO_FILE = '/k/a does not exist.\n/k/b does not exist.';
  const wanted = (kind: string, name: string) =>
    `The kubeconfig has no ${kind} "${name}", given with --${kind}.`;
  const named = (context: string, fault: string) => `The context "${context}" in /k/a ${fault}.`;
  const lost = (kind: string, name: string) => `names the ${kind} "${name}", which does not exist`;
  for (const [code, overrides, message, detail, hint, text] of [
    ['kubeconfig-missing', {}, 'No kubeconfig was found.', NO_FILE, '--kubeconfig FILE', ''],
    [GONE, {}, 'The kubeconfig has no current context.', FILES, 'use-context NAME', withoutCurrent],
    [GONE, {context: 'plian'}, wanted('context', 'plian'), CONTEXTS, 'Did you mean --context plain?'],
    [
      GONE,
      {},
      'The kubeconfig has no context "gone", its current context.',
      CONTEXTS,
      'config view',
      goneCurrent,
    ],
    [
      GONE,
      {cluster: 'kind-dve'},
      wanted('cluster', 'kind-dve'),
      CLUSTERS,
      'Did you mean --cluster kind-dev?',
    ],
    [GONE, {user: 'jame'}, wanted('user', 'jame'), 'users: jane', 'Did you mean --user jane?'],
    [
      GONE,
      {user: 'production-eu'},
      wanted('user', 'production-eu'),
      'users: jane',
      'Run `kubectl config view`',
    ],
    [BAD, {context: 'lost-user'}, named('lost-user', lost('user', 'june')), 'users: jane', '--user=NAME'],
    [
      BAD,
      {context: 'lost-cluster'},
      named('lost-cluster', lost('cluster', 'kind-dve')),
      CLUSTERS,
      '--cluster=NAME',
    ],
    [BAD, {context: 'no-cluster'}, named('no-cluster', 'has no cluster'), CLUSTERS, 'set-context no-cluster'],
    [BAD, {context: 'serverless'}, 'The cluster "bare" in /k/a has no server.', '', 'Correct the cluster'],
    [BAD, {}, TWO_LOGINS, '', 'Correct the user', twoLogins],
  ] as const) {
    it(`fails for ${JSON.stringify(overrides)}: ${message}`, () => {
      const error = refusalOf(() => resolve(overrides, text));
      expect([error.code, error.message, error.detail.join('\n')]).to.deep.equal([code, message, detail]);
      expect(hintsOf(error)).to.contain(hint).and.not.contain('hunter2');
      // A name that differs too much is no suggestion.
      expect(hintsOf(error).includes('Did you mean')).to.equal(hint.startsWith('Did you mean'));
    });
  }
});
