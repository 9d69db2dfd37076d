/** Owns the tests of choosing a target; `test/tools` compares the same with kubectl. */
import {posix} from 'node:path';
import {expect} from 'chai';
import {mergeKubeconfigs} from '../../../../src/cluster/kubeconfig/merge.ts';
import {parseKubeconfig} from '../../../../src/cluster/kubeconfig/parse.ts';
import {resolveTarget, type TargetOverrides} from '../../../../src/cluster/target/target.ts';
import {TiltbuildError} from '../../../../src/errors.ts';

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

function resolve(overrides: TargetOverrides, text = sample, podNamespace?: string) {
  const files = text === '' ? [] : [parseKubeconfig('/k/a', text, posix)];
  return resolveTarget(mergeKubeconfigs(files), overrides, {lookedAt, podNamespace});
}

function failureOf(overrides: TargetOverrides, text = sample): TiltbuildError {
  try {
    resolve(overrides, text);
  } catch (error) {
    if (error instanceof TiltbuildError) return error;
    throw error;
  }
  throw new Error('Nothing was wrong.');
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
      currentContext: 'dev',
    });
  });

  it('remembers the current context beside another one', () => {
    const {context, currentContext} = resolve({context: 'plain'});
    expect({context, currentContext}).to.deep.equal({context: 'plain', currentContext: 'dev'});
  });

  it('takes the namespace of the flag, the context, the pod, and default, in this order', () => {
    expect(resolve({namespace: 'flag'}, sample, 'pod').namespace).to.equal('flag');
    expect(resolve({}, sample, 'pod').namespace).to.equal('apps');
    expect(resolve({context: 'plain'}, sample, 'pod').namespace).to.equal('pod');
    expect(resolve({context: 'plain'}).namespace).to.equal('default');
  });

  it('takes empty flags for none', () => {
    const empty = {
      context: '',
      cluster: '',
      user: '',
      namespace: '',
      server: '',
      token: '',
      as: '',
      asGroup: [],
    };
    expect(resolve(empty)).to.deep.equal(resolve({}));
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
      currentContext: undefined,
    });
  });

  it('names the places without a kubeconfig', () => {
    const error = failureOf({}, '');
    expect(error.code).to.equal('kubeconfig-missing');
    expect(error.detail).to.deep.equal(['looked at /k/a', 'looked at /k/b']);
  });

  it('lists the contexts when none is current', () => {
    const error = failureOf({}, sample.replace(/current-context.*/, ''));
    expect(error.code).to.equal('context-missing');
    expect(error.detail.join('\n')).to.contain('/k/a').and.to.contain('dev, lost-cluster, lost-user');
    expect(error.remedy.join('\n')).to.contain('kubectl config use-context NAME').and.to.contain('--context');
  });

  it('suggests the nearest context', () => {
    const error = failureOf({context: 'plian'});
    expect(error.code).to.equal('context-missing');
    expect(error.message).to.contain('"plian"').and.to.contain('--context');
    expect(error.detail.join('\n')).to.contain('plain');
    expect(error.remedy).to.include('Did you mean --context plain?');
  });

  it('suggests nothing that is far away', () => {
    expect(failureOf({context: 'production-eu'}).remedy.join('\n')).not.to.contain('Did you mean');
  });

  it('says that the current context is the one missing', () => {
    const error = failureOf({}, sample.replace('current-context: dev', 'current-context: gone'));
    expect(error.message).to.contain('"gone", that is current');
  });

  const dangling: readonly (readonly [string, string])[] = [
    ['lost-user', 'names the user "june", which no kubeconfig has'],
    ['lost-cluster', 'names the cluster "kind-dve", which no kubeconfig has'],
    ['no-cluster', 'names no cluster'],
  ];
  for (const [context, fault] of dangling) {
    it(`says that a context ${fault}, and in which file`, () => {
      const error = failureOf({context});
      expect(error.code).to.equal('kubeconfig-malformed');
      expect(error.message).to.equal(`The context "${context}" in /k/a ${fault}.`);
    });
  }

  it('says which cluster has no server', () => {
    expect(failureOf({context: 'serverless'}).message).to.equal('The cluster "bare" in /k/a has no server.');
  });

  it('suggests the nearest cluster and user of a flag', () => {
    expect(failureOf({cluster: 'kind-dve'}).remedy).to.include('Did you mean --cluster kind-dev?');
    expect(failureOf({user: 'jame'}).remedy).to.include('Did you mean --user jane?');
  });

  it('shows no secret of contradicting credentials', () => {
    const error = failureOf({}, sample.replace('{token: hunter2}', '{token: hunter2, password: hunter2}'));
    expect(error.message).to.equal('The user "jane" in /k/a has both a token and a username or password.');
    expect(JSON.stringify(error.detail) + JSON.stringify(error.remedy)).not.to.contain('hunter2');
  });
});
