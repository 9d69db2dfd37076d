/** Covers the names in a kubeconfig with one target; test/tools has kubectl read it, with all its fields. */
import {posix} from 'node:path';
import {expect} from 'chai';
import fc from 'fast-check';
import {mergeKubeconfigs} from '../../../../src/cluster/kubeconfig/merge.ts';
import {parseKubeconfig} from '../../../../src/cluster/kubeconfig/parse.ts';
import {pinnedKubeconfig} from '../../../../src/cluster/kubeconfig/pinned-kubeconfig.ts';
import {resolveTarget, type Target} from '../../../../src/cluster/target/target.ts';

const target: Target = {
  context: 'kind-dev',
  namespace: 'default',
  cluster: {name: 'kind-dev', server: 'https://127.0.0.1:6443', 'certificate-authority-data': 'YWJj'},
  user: {name: 'jane', token: 't'},
  clusterFile: '/tmp/pinned',
};

function readBack(text: string): Target {
  const lookedAt = {explicit: true, paths: ['/tmp/pinned']};
  return resolveTarget(mergeKubeconfigs([parseKubeconfig('/tmp/pinned', text, posix)]), {}, {lookedAt});
}

describe('pinnedKubeconfig', () => {
  it('invents missing names', () => {
    const nameless = {...target, context: '', cluster: {name: '', server: 's'}, user: {name: '', token: 't'}};
    const {context, cluster, user} = readBack(pinnedKubeconfig(nameless));
    expect([context, cluster.name, user.name]).to.deep.equal(Array(3).fill('kubectl-tiltbuild'));
  });

  it('is read back as the same target, whatever the names', () => {
    const name = fc.string({unit: 'binary', minLength: 1}).filter((text) => text.isWellFormed());
    fc.assert(
      fc.property(name, name, name, name, (context, cluster, user, token) => {
        const named = {
          context,
          namespace: 'n',
          cluster: {name: cluster, server: 'https://s'},
          user: {name: user, token},
          clusterFile: '/tmp/pinned',
        };
        expect(readBack(pinnedKubeconfig(named))).to.deep.equal(named);
      }),
    );
  });

  it('escapes characters that are line breaks or not allowed in YAML', () => {
    const text = pinnedKubeconfig({...target, context: 'a\u007f\u0085\u00a0\u2028\u2029\ufeff\uffff😀'});
    expect(text).to.contain('"a\\u007f\\u0085\\u00a0\\u2028\\u2029\\ufeff\\uffff😀"');
  });
});
