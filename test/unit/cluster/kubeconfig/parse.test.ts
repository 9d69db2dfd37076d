/** Covers parsing one kubeconfig: positions in errors, no secret in them, paths by platform. */
import {posix, win32} from 'node:path';
import {expect} from 'chai';
import fc from 'fast-check';
import {parseKubeconfig} from '../../../../src/cluster/kubeconfig/parse.ts';
import {TiltbuildError} from '../../../../src/errors.ts';
import {hintsOf, refusalOf} from '../../../helpers/caught.ts';

const secret = 'hunter2';

const failureOf = (text: string) => refusalOf(() => parseKubeconfig('/k/config', text, posix));

const context = (fields: string) => `contexts:\n- name: a\n  context:\n${fields}`;

describe('parseKubeconfig', () => {
  it('reads nothing from an empty file', () => {
    const empty = {file: '/k/config', currentContext: '', clusters: [], users: [], contexts: []};
    for (const text of ['', '\n', '# comment', 'null', '---\n', '\ufeff', '{}']) {
      expect(parseKubeconfig('/k/config', text, posix), JSON.stringify(text)).to.deep.equal(empty);
    }
  });

  it('keeps the file of every entry', () => {
    const {clusters} = parseKubeconfig('/k/config', 'clusters: [{name: a, cluster: {server: s}}]', posix);
    expect(clusters).to.deep.equal([{name: 'a', file: '/k/config', fields: {server: 's'}}]);
  });

  const behindAlias = 'x: &x\n  server: 1\nclusters:\n- name: a\n  cluster: *x\n';
  const json = '{\n\t"users": [\n\t\t{"name": 1}\n\t]\n}';
  for (const [line, column, reason, text] of [
    [4, 16, 'namespace must be a string, not a number; put it in quotes', context('    namespace: 123\n')],
    [3, 3, 'clusters must be a list, not a mapping', 'kind: Config\nclusters:\n  a: b\n'],
    [2, 9, 'users[0].name must be a string, not a boolean', 'users:\n- name: yes\n'],
    [3, 9, 'users[0].user must be a mapping, not a string', 'users:\n- name: a\n  user: token\n'],
    [3, 3, 'users[1] repeats the name "a"', 'users:\n- name: a\n- name: a\n'],
    [2, 11, 'clusters[0].cluster.server', behindAlias],
    [2, 18, 'current-context must be a string', 'kind: Config\r\ncurrent-context: 1\r\n'],
    [1, undefined, 'kind must be Config', '\ufeffkind: Pod\n'],
    [3, 12, 'users[0].name', json],
    [3, 18, 'current-context', 'kind: Config\ncurrent-context: a\ncurrent-context: 1\n'],
    [2, 1, 'not valid YAML (tab as indent)', 'users:\n\t- name: a\n'],
    [2, undefined, 'not valid YAML', 'users: [\n'],
    [1, 1, 'the file must be a mapping, not a string', 'hello\n'],
  ] as const) {
    it(`shows where a mistake is: ${reason} in ${JSON.stringify(text)}`, () => {
      const {code, message} = failureOf(text);
      expect(code).to.equal('kubeconfig-malformed');
      expect(message).to.contain(`line ${line}${column ? `, column ${column}` : ''}`);
      expect(message).to.contain('/k/config').and.to.contain(reason);
    });
  }

  const leaks: readonly string[] = [
    `users:\n- name: a\n  user:\n    token: "${secret}\n`,
    `users:\n- name: a\n  user:\n    token: ${secret}: ${secret}\n`,
    `users:\n- name: a\n  user:\n    token: *${secret}\n`,
    `users:\n- name: a\n  user:\n    token: [${secret}]\n`,
    `users:\n- name: a\n  user:\n    client-key-data: ${secret}\n`,
    `users:\n- name: a\n  user: ${secret}\n`,
    `users:\n- name: a\n  user:\n    auth-provider: {config: {a: {b: ${secret}}}}\n`,
    `users:\n- name: a\n  user: {token: ${secret}}\n- name: a\n  user: {password: ${secret}}\n`,
    `kind: ${secret}\n`,
    `token: @${secret}\n`,
    `"token": "a" ${secret}\n`,
    `${secret}\n`,
  ];
  for (const text of leaks) {
    it(`does not quote the secret of ${JSON.stringify(text.replaceAll(secret, '…'))}`, () => {
      const error = failureOf(text);
      expect([error.message, ...error.detail, hintsOf(error)].join('\n')).not.to.contain(secret);
    });
  }

  it('throws nothing but errors for the user', () => {
    const keys = 'clusters users contexts name cluster user server exec null 1 __proto__'.split(' ');
    const signs = `: |\n|- |  |{|}|[|]|,|"|'|&a|*a|<<|---|\t|#|!!binary|?|%YAML 1.1`.split('|');
    const piece = fc.constantFrom(...keys, ...signs, '|');
    fc.assert(
      fc.property(fc.array(piece, {maxLength: 25}), (pieces) => {
        try {
          parseKubeconfig('/k/config', pieces.join(''), posix);
        } catch (error) {
          expect(error, pieces.join('')).to.be.instanceOf(TiltbuildError);
        }
      }),
      {numRuns: 2000},
    );
  });

  for (const [platform, rules, file, slash, resolved] of [
    ['Unix', posix, '/k/config', '/', (...parts: string[]) => ['', ...parts].join('/')],
    ['Windows', win32, 'C:\\k\\config', '\\', (...parts: string[]) => ['C:', ...parts].join('\\')],
  ] as const) {
    it(`resolves paths against the directory of the file on ${platform}`, () => {
      const text = `
clusters: [{name: a, cluster: {certificate-authority: 'pki${slash}ca.crt'}}]
users: [{name: a, user: {client-certificate: '..${slash}c', client-key: k, tokenFile: 't', exec: {command: '.${slash}login'}}}]`;
      const {clusters, users} = parseKubeconfig(file, text, rules);
      expect(clusters[0]?.fields).to.deep.equal({'certificate-authority': resolved('k', 'pki', 'ca.crt')});
      expect(users[0]?.fields).to.deep.equal({
        ...{
          'client-certificate': resolved('c'),
          'client-key': resolved('k', 'k'),
          tokenFile: resolved('k', 't'),
        },
        exec: {command: resolved('k', 'login')},
      });
    });
  }

  for (const [given, expected] of [
    ['D:\\x', 'D:\\x'],
    ['D:/x', 'D:/x'],
    ['\\\\host\\share\\x', '\\\\host\\share\\x'],
    // For Go an absolute path has a volume.
    ['\\x', 'C:\\k\\x'],
    ['/x', 'C:\\k\\x'],
  ] as const) {
    it(`resolves ${given} on Windows as Go does`, () => {
      const text = `clusters: [{name: a, cluster: {certificate-authority: '${given}'}}]`;
      const {clusters} = parseKubeconfig('C:\\k\\config', text, win32);
      expect(clusters[0]?.fields).to.deep.equal({'certificate-authority': expected});
    });
  }

  it('leaves a command on PATH and an absolute path alone, and expands no tilde', () => {
    const text = 'users: [{name: a, user: {tokenFile: ~/t, client-key: /k/../x, exec: {command: aws}}}]';
    const {users} = parseKubeconfig('/k/config', text, posix);
    expect(users[0]?.fields).to.deep.equal({
      tokenFile: '/k/~/t',
      'client-key': '/k/../x',
      exec: {command: 'aws'},
    });
  });
});
