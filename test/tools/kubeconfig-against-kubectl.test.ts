/** Owns the comparison of our reading of kubeconfig files with that of the real kubectl, case by case. */
import {spawnSync} from 'node:child_process';
import {mkdtempSync, realpathSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {expect} from 'chai';
import {pinnedKubeconfig} from '../../src/cluster/kubeconfig/pinned-kubeconfig.ts';
import type {Target} from '../../src/cluster/target/target.ts';
import {TiltbuildError} from '../../src/errors.ts';
import {loadOnDisk, writeFiles} from '../helpers/kubeconfig-files.ts';
import {realKubectlDirectory} from '../helpers/real-kubectl.ts';

/** `stricter`: only we refuse it; `laxer`: only kubectl does. */
type Verdict = 'accepted' | 'refused' | 'stricter' | 'laxer';

/**
 * The text of the file `config`, or files by path and what is beside them: `list` for KUBECONFIG (else `config`), with
 * `|` between its entries, `--kubeconfig`, `--context`, and `home` for HOME. All is relative to the working directory.
 */
type Given = string | Uint8Array | Readonly<Record<string, string>>;

/** A whole kubeconfig with one context; arguments are YAML in flow style. */
const config = (name: string, cluster: string, user = '{}', more = '') => `apiVersion: v1
kind: Config
clusters: [{name: ${name}, cluster: ${cluster}}]
users: [{name: ${name}, user: ${user}}]
contexts: [{name: ${name}, context: {cluster: ${name}, user: ${name}${more}}}]
current-context: ${name}
`;
const one = config('one', '{server: https://one:6443}', '{token: t1}', ', namespace: first');
const two = config('two', '{server: https://two:6443}', '{token: t2}', ', namespace: second');
const withoutCurrent = one.replace(/current-context.*\n/, '');
const emptyCurrent = `${withoutCurrent}current-context: ""\n`;
const goneCurrent = one.replace('current-context: one', 'current-context: gone');
const server = (scalar: string) => config('a', `{server: ${scalar}}`);
const namespace = (scalar: string) => config('a', '{server: s}', '{}', `, namespace: ${scalar}`);
/** Of a server of HTTPS, since there are no credentials for another one. */
const user = (fields: string) => config('a', '{server: "https://s"}', fields);
const cluster = (fields: string) => config('a', `{server: s, ${fields}}`);
/** Without the lines that begin with one of the keys. */
const without = (text: string, ...keys: string[]) =>
  text.replace(new RegExp(`^(${keys.join('|')}):.*\n`, 'gm'), '');
/** With more entries before the first one of the users. */
const withUsers = (text: string, entries: string) => text.replace('users: [', `users: [${entries}, `);
const namespaces = (texts: string) =>
  texts.split(' ').map((text) => [`the namespace ${text}`, namespace(text)]);
const bomb = [...'abcdefghi'].map(
  (key, i) => `${key}: &${key} [${Array(9).fill(i ? `*${'abcdefghi'[i - 1]}` : 'x')}]\n`,
);
const exec = `{apiVersion: client.authentication.k8s.io/v1, command: aws, args: [eks, null, get-token], env: [{name: A,
  value: b}, {name: B, value: ""}], interactiveMode: Never, provideClusterInfo: true, installHint: "get it"}`;
const extensions =
  '[{name: client.authentication.k8s.io/exec, extension: {audience: x, count: 3, n: no}}, {name: b}]';

const utf16 = (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le');
/** With the bytes in place of a letter of a comment. */
const commented = (...bytes: readonly number[]) =>
  Buffer.concat([Buffer.from(`${one}# x`), Buffer.from(bytes), Buffer.from('\n')]);
/** With another empty name, of the context as of the entries. */
const nameless =
  '{"contexts":[{"context":{"cluster":"c","namespace":"n"}}],"clusters":[{"name":"c","cluster":{"server":"s"}}]}';

const CASES: Readonly<Record<Verdict, Readonly<Record<string, Given>>>> = {
  accepted: {
    // Which files are read.
    'one file': one,
    'the home directory without KUBECONFIG': {'home/.kube/config': one, list: ''},
    'the working directory without HOME': {'.kube/config': one, list: '', home: ''},
    'the current context of the first of two files': {a: one, b: two, list: 'a|b'},
    'that of the second where the first has none': {a: withoutCurrent, b: two, list: 'a|b'},
    'that of the second where it is empty in the first': {a: emptyCurrent, b: two, list: 'a|b'},
    'a missing file in a list': {b: two, list: 'missing|b'},
    'empty entries in a list': {b: two, list: '|b|'},
    'a file that is listed twice': {a: one, list: 'a|a'},
    'a file that is listed in two ways': {a: one, list: 'a|./a'},
    'an empty file': {a: '', b: two, list: 'a|b'},
    'a file of comments': {a: '# nothing\n\n', b: two, list: 'a|b'},
    'the flag rather than KUBECONFIG': {a: one, b: two, list: 'a', '--kubeconfig': 'b'},
    'paths with spaces and non-ASCII letters': {'my dir/конфиг ☸': one, list: 'my dir/конфиг ☸'},
    // Merging.
    'an entry from the first file alone': {
      a: config('same', '{server: "https://s1"}', '{username: jane}'),
      b: config('same', '{server: s2, proxy-url: "http://p"}', '{password: p}', ', namespace: late'),
      list: 'a|b',
    },
    'an empty entry of the first file': {
      a: without(user('{}'), 'clusters'),
      b: user('{token: t}'),
      list: 'a|b',
    },
    'a context with a cluster of another file': {
      a: without(withoutCurrent, 'clusters'),
      b: without(withoutCurrent, 'users', 'contexts'),
      c: 'current-context: one\n',
      list: 'a|b|c',
    },
    'absolute paths as they are': cluster('certificate-authority: /etc/../etc/ca.crt'),
    // Contexts.
    'the context of the flag': {a: one, b: two, list: 'a|b', '--context': 'two'},
    'the context of the flag beside a missing current context': {config: goneCurrent, '--context': 'one'},
    'a context without a namespace': server('s'),
    'a name with NUL': config('"a\\0b"', '{server: s}'),
    'a context without a user': server('s').replace(', user: a}', '}'),
    'names with spaces, quotes and signs': config('"my \\"ctx\\" é ☸ 😀 @/:"', '{server: s}'),
    'names with line separators': config('"a\\u2028b\\u0085c\\u007fd\\ne"', '{server: s}'),
    // YAML.
    JSON: '{"current-context":"a","contexts":[{"name":"a","context":{"cluster":"c","user":"u"}}],"clusters":[{"name":"c","cluster":{"server":"https://s"}}],"users":[{"name":"u","user":{}}]}',
    'JSON with tabs':
      '{\n\t"current-context": "a",\n\t"contexts": [\n\t\t{"name": "a", "context": {"cluster": "c"}}\n\t],\n\t"clusters": [\n\t\t{"name": "c",\n\t\t "cluster":\t{"server": "s"}}\n\t]\n}\n',
    CRLF: one.replaceAll('\n', '\r\n'),
    'a BOM': `\ufeff${one}`,
    'UTF-16': utf16(`${one}# 😀\n`),
    'UTF-16, big-endian': utf16(one).swap16(),
    'a tab in a comment and behind a value': `a: b\t# c\td\n${one}`,
    comments: `# head\n${one.replace('kind: Config', 'kind: Config # kind')}# tail`,
    'the first of several documents': `---\n${one}---\n${two}`,
    'a second document that is malformed': `${one}---\n{{{\n`,
    anchors: `x: &c {server: s}\n${config('a', '*c')}`,
    'merge keys': `x: &c {server: s, proxy-url: "http://p"}\n${config('a', '{<<: *c, server: t}')}`,
    'the last of two equal keys': `${one}current-context: two\n${without(two, 'current-context')}`,
    'the last of two equal keys in an entry': server('s1, server: s2'),
    'an entry without a name': withUsers(one, '{user: {}}'),
    'a null entry': withUsers(one, 'null'),
    'extensions of nothing': cluster('extensions: [null]'),
    'null variables, arguments and groups': user(
      '{exec: {apiVersion: v, command: c, args: [null]}, as: a, as-groups: [null], as-user-extra: {k: null, l: [null]}}',
    ),
    'null fields': cluster('insecure-skip-tls-verify: null, certificate-authority: ~, extensions: null'),
    'a null user, and a null namespace': config('a', '{server: s}', 'null', ', namespace:'),
    'unknown keys': cluster('nothing-known: [1]'),
    'neither kind nor version': without(one, 'kind', 'apiVersion'),
    ...Object.fromEntries(namespaces(`"123" 2001-01-01 12:30:45 1.2.3 yEs nil ~ 0a 'true' 1-2`)),
    'the namespace !!str 12': namespace('!!str 12'),
    'yes and on for true': cluster('insecure-skip-tls-verify: yes, disable-compression: on'),
    'base64 over several lines': cluster('certificate-authority-data: "YWJj\\nYWJj\\n"'),
    // Users and clusters.
    'an exec user': user(`{exec: ${exec}}`),
    'an auth provider': user('{auth-provider: {name: oidc, config: {client-id: x, empty: null}}}'),
    impersonation: user('{as: jane, as-uid: "7", as-groups: [a, b], as-user-extra: {scopes: [v, w]}}'),
    'user name and password': user('{username: jane, password: " secret "}'),
    'certificates as data': user('{client-certificate-data: YWJj, client-key-data: ZGVm}'),
    'all fields of a cluster': config(
      'a',
      `{server: "https://[::1]:6443/base", tls-server-name: name, proxy-url: "socks5://p:1", disable-compression: true,
        certificate-authority-data: YWJj, extensions: ${extensions}}`,
    ),
  },
  refused: {
    'an empty home directory': {list: ''},
    'a list of missing files': {list: 'missing|gone'},
    'the home directory for a list of empty entries': {'home/.kube/config': one, list: '|'},
    'a list with a malformed file': {a: one, b: 'clusters: {', list: 'a|b'},
    'a missing file of the flag': {a: one, list: 'a', '--kubeconfig': 'missing'},
    'a list in the flag': {a: one, b: two, '--kubeconfig': `a${path.delimiter}b`},
    'a missing context of the flag': {config: one, '--context': 'onr'},
    'no current context': withoutCurrent,
    'a missing current context': goneCurrent,
    'a context whose cluster is missing': without(one, 'clusters'),
    'a context whose user is missing': without(one, 'users'),
    'tabs as indentation': `${one}preferences:\n\tcolors: true\n`,
    'tabs alone': '\t\t\n',
    'a tab in an empty line': `${one}\t\n`,
    'a tab before a comment': `\t# head\n${one}`,
    'a tab in a block of text': `${one}x: |\n  a\n\t\n`,
    ...Object.fromEntries(
      [[0], [1], [0x0b], [0x7f], [0xc2, 0x80], [0xef, 0xbf, 0xbf], [0xff], [0xed, 0xa0, 0x80], [0xc3]].map(
        (bytes) => [`the bytes ${Buffer.from(bytes).toString('hex')} in a comment`, commented(...bytes)],
      ),
    ),
    'UTF-16 without a byte order mark': Buffer.from(one, 'utf16le'),
    'UTF-16 with half a character': Buffer.concat([utf16(one), Buffer.from([0x20])]),
    'UTF-32': Buffer.from(
      [...`\ufeff${one}`].flatMap((letter) => [letter.charCodeAt(0) & 255, letter.charCodeAt(0) >> 8, 0, 0]),
    ),
    'an empty first document': `---\n---\n${one}`,
    'an unknown alias': config('a', '*nothing'),
    'aliases that multiply': `${bomb.join('')}${one}`,
    'a name twice in one list': withUsers(server('s'), '{name: a}'),
    'two entries without a name': withUsers(one, '{user: {}}, {}'),
    'keys in another case': one.replace('clusters:', 'Clusters:'),
    'a list as the file': '[]',
    'another kind': one.replace('kind: Config', 'kind: Pod'),
    'another version': one.replace('apiVersion: v1', 'apiVersion: v2'),
    'clusters as a mapping': `${one}clusters: {a: b}\n`,
    'preferences of a wrong type': `${one}preferences: {colors: x}\n`,
    ...Object.fromEntries(namespaces('123 1.5 true yes n off 0x1f 1_000 0777 1e5 [a] .5')),
    'the namespace {a: b}': namespace('{a: b}'),
    'a boolean in quotes': cluster('insecure-skip-tls-verify: "true"'),
    'base64 without padding': cluster('certificate-authority-data: YQ'),
    'a text that is not base64': user('{client-key-data: "-----BEGIN"}'),
    'a number among exec arguments': user('{exec: {apiVersion: v, command: c, args: [1]}}'),
    'a number in an auth provider': user('{auth-provider: {name: oidc, config: {expires-in: 3600}}}'),
    'extras that are no list': user('{as: jane, as-user-extra: {scopes: x}}'),
  },
  stricter: {
    'a context without a cluster': server('s').replace('cluster: a, ', ''),
    'a cluster without a server': config('a', '{}'),
    'a namespace with NUL': namespace('"a\\0b"'),
  },
  laxer: {
    'the escaped slash of JSON': server('"https:\\/\\/s"'),
    // Only `kubectl config view --minify` refuses it.
    'a context with the empty name, without a current one': nameless,
  },
};

interface Place {
  readonly env: Readonly<Record<string, string>>;
  readonly kubeconfig?: string;
  readonly context?: string;
}

function readGiven(given: Given, directory: string) {
  if (given instanceof Uint8Array)
    return {files: {config: given}, place: {env: {HOME: directory, KUBECONFIG: 'config'}}};
  const fields = typeof given === 'string' ? {config: given} : given;
  const {list = 'config', home = 'home', '--kubeconfig': kubeconfig, '--context': context, ...files} = fields;
  const env = {HOME: home && path.join(directory, home), KUBECONFIG: list.replaceAll('|', path.delimiter)};
  return {files, place: {env, kubeconfig, context}};
}

describe('a kubeconfig, as the real kubectl reads it', () => {
  const kubectl = path.join(realKubectlDirectory(), 'kubectl');
  let directory: string;
  beforeEach(() => {
    directory = realpathSync(mkdtempSync(path.join(tmpdir(), 'kubeconfig-')));
  });
  afterEach(() => rmSync(directory, {recursive: true}));

  for (const [verdict, what, given] of Object.entries(CASES).flatMap(([verdict, given]) =>
    Object.entries(given).map(([what, one]) => [verdict, what, one] as const),
  )) {
    it(`${verdict}: ${what}`, async () => {
      const {files, place} = readGiven(given, directory);
      writeFiles(directory, files);

      const theirs = view(kubectl, directory, place);
      const ours = await readTarget(directory, place);

      const accepted = ours ? (theirs ? 'accepted' : 'laxer') : theirs ? 'stricter' : 'refused';
      expect(accepted).to.equal(verdict);
      if (ours === undefined) return;
      const expected = theirs ?? comparable(ours);
      expect(comparable(ours)).to.deep.equal(expected);

      // The pinned file is elsewhere, where a relative path in it would show.
      writeFiles(directory, {'elsewhere/pinned': pinnedKubeconfig(ours)});
      const pinned = view(kubectl, directory, {env: {KUBECONFIG: 'elsewhere/pinned'}});
      const names = {
        ...(ours.user.name === '' && {user: {...pinned?.user, name: ''}}),
        ...(ours.context === '' && {context: ''}),
      };
      expect({...pinned, ...names}).to.deep.equal(expected);
    });
  }
});

async function readTarget(cwd: string, {env, kubeconfig, context}: Place): Promise<Target | undefined> {
  const read = await loadOnDisk({kubeconfig, overrides: {context}}, {cwd, env});
  return read instanceof TiltbuildError ? undefined : read;
}

/** What `kubectl config view --minify` prints; undefined where it fails. It leaves relative paths as they are. */
function view(kubectl: string, cwd: string, {env, kubeconfig, context}: Place): Target | undefined {
  const flags = Object.entries({kubeconfig, context}).flatMap(([flag, value]) =>
    value ? [`--${flag}`, value] : [],
  );
  const args = ['config', 'view', '--minify', '--raw', '-o', 'json', ...flags];
  const {status, stdout} = spawnSync(kubectl, args, {cwd, env, encoding: 'utf8'});
  if (status !== 0) return undefined;
  const {contexts, clusters, users} = JSON.parse(stdout);
  return comparable({
    context: contexts[0].name,
    namespace: contexts[0].context.namespace ?? 'default',
    // A context that names no cluster has none, and the same for the user.
    cluster: {name: clusters?.[0].name ?? '', ...clusters?.[0].cluster},
    user: {name: users?.[0].name ?? '', ...users?.[0].user},
  });
}

/** Without what means nothing: empty fields, unknown fields, kubectl's own defaults, the order of extensions. */
function comparable({context, namespace, cluster, user}: Target): Target {
  const {exec} = user;
  const plainUser = exec === undefined ? user : {...user, exec: {interactiveMode: 'IfAvailable', ...exec}};
  const extensions = [...(cluster.extensions ?? [])].sort((a, b) =>
    String(a.name).localeCompare(String(b.name)),
  );
  const {'nothing-known': _, ...plainCluster} = {...cluster, extensions} as Record<string, unknown>;
  return {
    context,
    namespace,
    cluster: {name: '', server: '', ...(withoutEmpty(plainCluster) as object)},
    user: {name: '', ...(withoutEmpty(plainUser) as object)},
  };
}

function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmpty);
  if (typeof value !== 'object' || value === null) return value;
  const isEmpty = (inner: unknown) => !inner || (Array.isArray(inner) && inner.length === 0);
  const kept = Object.entries(value).filter(([, inner]) => !isEmpty(inner));
  return Object.fromEntries(kept.map(([key, inner]) => [key, withoutEmpty(inner)]));
}
