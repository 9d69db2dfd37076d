/** Covers parsing one kubeconfig: positions in errors, no secret in them, paths by platform. */
import {posix, win32} from 'node:path';
import {expect} from 'chai';
import fc from 'fast-check';
import {parseKubeconfig} from '../../../../src/cluster/kubeconfig/parse.ts';
import {TiltbuildError} from '../../../../src/errors.ts';
import {hintsOf, refusalOf} from '../../../helpers/caught.ts';

const secret = 'hunter2';

const failureOf = (text: string) => refusalOf(() => parseKubeconfig('/k/config', text, posix));

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

  const mistakes: readonly (readonly [string, string, string, string])[] = [
    [
      'a number for a namespace',
      'contexts:\n- name: a\n  context:\n    namespace: 123\n',
      'line 4, column 16',
      'contexts[0].context.namespace must be a string, not a number; put it in quotes',
    ],
    [
      'clusters that are no list',
      'kind: Config\nclusters:\n  a: b\n',
      'line 3, column 3',
      'clusters must be a list, not a mapping',
    ],
    [
      'a name that YAML takes for a boolean',
      'users:\n- name: yes\n',
      'line 2, column 9',
      'users[0].name must be a string, not a boolean',
    ],
    [
      'a user in the wrong type',
      'users:\n- name: a\n  user: token\n',
      'line 3, column 9',
      'users[0].user must be a mapping, not a string',
    ],
    [
      'a repeated name',
      'users:\n- name: a\n- name: a\n',
      'line 3, column 3',
      'users[1] repeats the name "a"',
    ],
    [
      'a mistake behind an alias',
      'x: &x\n  server: 1\nclusters:\n- name: a\n  cluster: *x\n',
      'line 2, column 11',
      'clusters[0].cluster.server',
    ],
    [
      'a mistake in a file with CRLF',
      'kind: Config\r\ncurrent-context: 1\r\n',
      'line 2, column 18',
      'current-context must be a string',
    ],
    ['a mistake in a file with BOM', '\ufeffkind: Pod\n', 'line 1', 'kind must be Config'],
    ['a mistake in JSON', '{\n\t"users": [\n\t\t{"name": 1}\n\t]\n}', 'line 3, column 12', 'users[0].name'],
    [
      'the last of two equal keys',
      'kind: Config\ncurrent-context: a\ncurrent-context: 1\n',
      'line 3, column 18',
      'current-context',
    ],
    ['tabs as indentation', 'users:\n\t- name: a\n', 'line 2, column 1', 'not valid YAML (tab as indent)'],
    ['an unclosed bracket', 'users: [\n', 'line 2', 'not valid YAML'],
    ['a text that is no mapping', 'hello\n', 'line 1, column 1', 'the file must be a mapping, not a string'],
  ];
  for (const [fault, text, place, reason] of mistakes) {
    it(`shows where the file has ${fault}`, () => {
      const error = failureOf(text);
      expect(error.code).to.equal('kubeconfig-malformed');
      expect(error.message).to.contain('/k/config').and.to.contain(place).and.to.contain(reason);
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

  const paths = (slash: string) => `
clusters: [{name: a, cluster: {certificate-authority: 'pki${slash}ca.crt'}}]
users: [{name: a, user: {client-certificate: '..${slash}c', client-key: k, tokenFile: 't', exec: {command: '.${slash}login'}}}]`;

  it('resolves paths against the directory of the file', () => {
    const {clusters, users} = parseKubeconfig('/k/config', paths('/'), posix);
    expect(clusters[0]?.fields).to.deep.equal({'certificate-authority': '/k/pki/ca.crt'});
    expect(users[0]?.fields).to.deep.equal({
      'client-certificate': '/c',
      'client-key': '/k/k',
      tokenFile: '/k/t',
      exec: {command: '/k/login'},
    });
  });

  it('resolves paths on Windows', () => {
    const {clusters, users} = parseKubeconfig('C:\\k\\config', paths('\\'), win32);
    expect(clusters[0]?.fields).to.deep.equal({'certificate-authority': 'C:\\k\\pki\\ca.crt'});
    expect(users[0]?.fields).to.deep.equal({
      'client-certificate': 'C:\\c',
      'client-key': 'C:\\k\\k',
      tokenFile: 'C:\\k\\t',
      exec: {command: 'C:\\k\\login'},
    });
  });

  const windowsPaths: readonly (readonly [string, string])[] = [
    ['D:\\x', 'D:\\x'],
    ['D:/x', 'D:/x'],
    ['\\\\host\\share\\x', '\\\\host\\share\\x'],
    // For Go an absolute path has a volume.
    ['\\x', 'C:\\k\\x'],
    ['/x', 'C:\\k\\x'],
  ];
  for (const [given, expected] of windowsPaths) {
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
