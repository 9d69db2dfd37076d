/** Owns the comparison of our reading of kubeconfig files with that of the real kubectl, case by case. */
import {spawnSync} from 'node:child_process';
import {existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {expect} from 'chai';
import {mergeKubeconfigs} from '../../src/cluster/kubeconfig/merge.ts';
import {parseKubeconfig} from '../../src/cluster/kubeconfig/parse.ts';
import {kubeconfigPaths} from '../../src/cluster/kubeconfig/paths.ts';
import {pinnedKubeconfig} from '../../src/cluster/kubeconfig/pinned-kubeconfig.ts';
import {resolveTarget, type Target} from '../../src/cluster/target/target.ts';
import {TiltbuildError} from '../../src/errors.ts';
import {realKubectlDirectory} from '../helpers/real-kubectl.ts';

type Verdict = 'accepted' | 'refused' | 'stricter' | 'laxer';

interface Case {
  readonly behaviour: string;
  /** Path below the case's directory, and text. */
  readonly files: Readonly<Record<string, string>>;
  /** Entries of KUBECONFIG, relative to the case's directory, which is the working directory. */
  readonly list?: readonly string[];
  /** `--kubeconfig` */
  readonly flag?: string;
  /** `--context` */
  readonly context?: string;
  /** `accepted` and `refused` are said by both; `stricter` is what only we refuse, `laxer` what only kubectl does. */
  readonly verdict: Verdict;
}

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
const server = (scalar: string) => config('a', `{server: ${scalar}}`);
const namespace = (scalar: string) => config('a', '{server: s}', '{}', `, namespace: ${scalar}`);
const user = (fields: string) => config('a', '{server: s}', fields);

const cases: readonly Case[] = [
  // Which files are read.
  {behaviour: 'reads one file', files: {config: one}, verdict: 'accepted'},
  {
    behaviour: 'reads the home directory without KUBECONFIG',
    files: {'home/.kube/config': one},
    list: [],
    verdict: 'accepted',
  },
  {behaviour: 'finds nothing in an empty home', files: {}, list: [], verdict: 'refused'},
  {
    behaviour: 'takes the current context of the first of two files',
    files: {a: one, b: two},
    list: ['a', 'b'],
    verdict: 'accepted',
  },
  {
    behaviour: 'takes it from the second where the first sets none',
    files: {a: withoutCurrent, b: two},
    list: ['a', 'b'],
    verdict: 'accepted',
  },
  {
    behaviour: 'takes it from the second where the first sets the empty string',
    files: {a: `${withoutCurrent}current-context: ""\n`, b: two},
    list: ['a', 'b'],
    verdict: 'accepted',
  },
  {behaviour: 'skips a missing file in a list', files: {b: two}, list: ['missing', 'b'], verdict: 'accepted'},
  {behaviour: 'refuses a list of missing files', files: {}, list: ['missing', 'gone'], verdict: 'refused'},
  {behaviour: 'skips empty entries in a list', files: {b: two}, list: ['', 'b', ''], verdict: 'accepted'},
  {
    behaviour: 'does not go home for a list of empty entries',
    files: {'home/.kube/config': one},
    list: ['', ''],
    verdict: 'refused',
  },
  {
    behaviour: 'reads a file that is named twice once',
    files: {a: one},
    list: ['a', 'a'],
    verdict: 'accepted',
  },
  {
    behaviour: 'reads a file named in two ways twice',
    files: {a: one},
    list: ['a', './a'],
    verdict: 'accepted',
  },
  {behaviour: 'skips an empty file', files: {a: '', b: two}, list: ['a', 'b'], verdict: 'accepted'},
  {
    behaviour: 'skips a file of comments',
    files: {a: '# nothing\n\n', b: two},
    list: ['a', 'b'],
    verdict: 'accepted',
  },
  {
    behaviour: 'refuses the list for one malformed file',
    files: {a: one, b: 'clusters: {'},
    list: ['a', 'b'],
    verdict: 'refused',
  },
  {
    behaviour: 'prefers the flag to KUBECONFIG',
    files: {a: one, b: two},
    list: ['a'],
    flag: 'b',
    verdict: 'accepted',
  },
  {
    behaviour: 'refuses a missing file named by the flag',
    files: {a: one},
    list: ['a'],
    flag: 'missing',
    verdict: 'refused',
  },
  {
    behaviour: 'does not split the flag',
    files: {a: one, b: two},
    flag: `a${path.delimiter}b`,
    verdict: 'refused',
  },
  {
    behaviour: 'reads paths with spaces and beyond ASCII',
    files: {'my dir/конфиг ☸': one},
    list: ['my dir/конфиг ☸'],
    verdict: 'accepted',
  },

  // Merging.
  {
    behaviour: 'takes an entry whole from the first file',
    files: {
      a: config('same', '{server: s1}', '{username: jane}'),
      b: config('same', '{server: s2, proxy-url: "http://p"}', '{password: p}', ', namespace: late'),
    },
    list: ['a', 'b'],
    verdict: 'accepted',
  },
  {
    behaviour: 'takes an empty entry of the first file',
    files: {a: user('{}').replace(/^(clusters|contexts).*\n/gm, ''), b: user('{token: t}')},
    list: ['a', 'b'],
    verdict: 'accepted',
  },
  {
    behaviour: 'joins a context with a cluster of another file',
    files: {
      a: withoutCurrent.replace(/^clusters.*\n/m, ''),
      b: withoutCurrent.replace(/^(users|contexts).*\n/gm, ''),
      c: 'current-context: one\n',
    },
    list: ['a', 'b', 'c'],
    verdict: 'accepted',
  },
  {
    behaviour: 'leaves absolute paths alone',
    files: {config: config('a', '{server: s, certificate-authority: /etc/../etc/ca.crt}')},
    verdict: 'accepted',
  },

  // Contexts.
  {
    behaviour: 'takes the context of the flag',
    files: {a: one, b: two},
    list: ['a', 'b'],
    context: 'two',
    verdict: 'accepted',
  },
  {
    behaviour: 'refuses a context that is not there',
    files: {config: one},
    context: 'onr',
    verdict: 'refused',
  },
  {behaviour: 'needs a current context', files: {config: withoutCurrent}, verdict: 'refused'},
  {
    behaviour: 'refuses a current context that is not there',
    files: {config: one.replace('current-context: one', 'current-context: gone')},
    verdict: 'refused',
  },
  {
    behaviour: 'ignores a dangling current context under the flag',
    files: {config: one.replace('current-context: one', 'current-context: gone')},
    context: 'one',
    verdict: 'accepted',
  },
  {
    behaviour: 'has the namespace default for a context without',
    files: {config: server('s')},
    verdict: 'accepted',
  },
  {
    behaviour: 'refuses a context whose cluster is missing',
    files: {config: one.replace(/^clusters.*\n/m, '')},
    verdict: 'refused',
  },
  {
    behaviour: 'refuses a context whose user is missing',
    files: {config: one.replace(/^users.*\n/m, '')},
    verdict: 'refused',
  },
  {
    behaviour: 'allows a context without a user',
    files: {config: server('s').replace(', user: a}', '}')},
    verdict: 'accepted',
  },
  {
    behaviour: 'refuses a context without a cluster',
    files: {config: server('s').replace('cluster: a, ', '')},
    verdict: 'stricter',
  },
  {behaviour: 'refuses a cluster without a server', files: {config: config('a', '{}')}, verdict: 'stricter'},
  {
    behaviour: 'keeps names with spaces, quotes and signs',
    files: {config: config('"my \\"ctx\\" é ☸ 😀 @/:"', '{server: s}')},
    verdict: 'accepted',
  },
  {
    behaviour: 'keeps names with line separators',
    files: {config: config('"a\\u2028b\\u0085c\\u007fd\\ne"', '{server: s}')},
    verdict: 'accepted',
  },

  // YAML.
  {
    behaviour: 'reads JSON',
    files: {
      config:
        '{"current-context":"a","contexts":[{"name":"a","context":{"cluster":"c","user":"u"}}],"clusters":[{"name":"c","cluster":{"server":"https://s"}}],"users":[{"name":"u","user":{}}]}',
    },
    verdict: 'accepted',
  },
  {
    behaviour: 'reads the escaped slash of JSON',
    files: {config: server('"https:\\/\\/s"')},
    verdict: 'laxer',
  },
  {
    behaviour: 'reads JSON that tabs indent',
    files: {
      config:
        '{\n\t"current-context": "a",\n\t"contexts": [\n\t\t{"name": "a", "context": {"cluster": "c"}}\n\t],\n\t"clusters": [\n\t\t{"name": "c",\n\t\t "cluster":\t{"server": "s"}}\n\t]\n}\n',
    },
    verdict: 'accepted',
  },
  {behaviour: 'reads CRLF', files: {config: one.replaceAll('\n', '\r\n')}, verdict: 'accepted'},
  {behaviour: 'reads a BOM', files: {config: `\ufeff${one}`}, verdict: 'accepted'},
  {
    behaviour: 'refuses tabs as indentation',
    files: {config: `${one}preferences:\n\tcolors: true\n`},
    verdict: 'refused',
  },
  {
    behaviour: 'reads comments',
    files: {config: `# head\n${one.replace('kind: Config', 'kind: Config # kind')}# tail`},
    verdict: 'accepted',
  },
  {
    behaviour: 'reads the first of several documents',
    files: {config: `---\n${one}---\n${two}`},
    verdict: 'accepted',
  },
  {
    behaviour: 'reads a first document that is empty',
    files: {config: `---\n---\n${one}`},
    verdict: 'refused',
  },
  {
    behaviour: 'does not look at what follows the first document',
    files: {config: `${one}---\n{{{\n`},
    verdict: 'accepted',
  },
  {
    behaviour: 'follows anchors',
    files: {config: `x: &c {server: s}\n${config('a', '*c')}`},
    verdict: 'accepted',
  },
  {
    behaviour: 'follows merge keys',
    files: {config: `x: &c {server: s, proxy-url: "http://p"}\n${config('a', '{<<: *c, server: t}')}`},
    verdict: 'accepted',
  },
  {behaviour: 'refuses an unknown alias', files: {config: config('a', '*nothing')}, verdict: 'refused'},
  {
    behaviour: 'refuses aliases that multiply',
    files: {
      config: `${['a: &a [x,x,x,x,x,x,x,x,x]', ...'bcdefghi'.split('').map((c, i) => `${c}: &${c} [${Array(9).fill(`*${'abcdefgh'[i]}`).join(',')}]`)].join('\n')}\n${one}`,
    },
    verdict: 'refused',
  },
  {
    behaviour: 'lets the last of two equal keys win',
    files: {config: `${one}current-context: two\n${two.replace(/current-context.*\n/, '')}`},
    verdict: 'accepted',
  },
  {
    behaviour: 'lets the last of two equal keys in an entry win',
    files: {config: server('s1, server: s2')},
    verdict: 'accepted',
  },
  {
    behaviour: 'refuses a name twice in one list',
    files: {config: config('a', '{server: s}').replace('users: [', 'users: [{name: a}, ')},
    verdict: 'refused',
  },
  {
    behaviour: 'takes an entry without a name for one with an empty name',
    files: {config: `${one.replace('users: [', 'users: [{user: {}}, ')}`},
    verdict: 'accepted',
  },
  {
    behaviour: 'refuses two entries without a name',
    files: {config: `${one.replace('users: [', 'users: [{user: {}}, {}, ')}`},
    verdict: 'refused',
  },
  {
    behaviour: 'takes a null entry for an empty one',
    files: {config: `${one.replace('users: [', 'users: [null, ')}`},
    verdict: 'accepted',
  },
  {
    behaviour: 'takes null fields for missing ones',
    files: {
      config: config(
        'a',
        '{server: s, insecure-skip-tls-verify: null, certificate-authority: ~, extensions: null}',
        'null',
        ', namespace:',
      ),
    },
    verdict: 'accepted',
  },
  {
    behaviour: 'minds the case of keys',
    files: {config: one.replace('clusters:', 'Clusters:')},
    verdict: 'refused',
  },
  {
    behaviour: 'ignores unknown keys',
    files: {config: config('a', '{server: s, nothing-known: [1]}')},
    verdict: 'accepted',
  },
  {behaviour: 'refuses a list where the file has to be a mapping', files: {config: '[]'}, verdict: 'refused'},
  {
    behaviour: 'refuses another kind',
    files: {config: one.replace('kind: Config', 'kind: Pod')},
    verdict: 'refused',
  },
  {
    behaviour: 'refuses another version',
    files: {config: one.replace('apiVersion: v1', 'apiVersion: v2')},
    verdict: 'refused',
  },
  {
    behaviour: 'needs neither kind nor version',
    files: {config: one.replace(/^(kind|apiVersion).*\n/gm, '')},
    verdict: 'accepted',
  },
  {
    behaviour: 'refuses clusters as a mapping',
    files: {config: `${one}clusters: {a: b}\n`},
    verdict: 'refused',
  },
  {
    behaviour: 'refuses preferences of a wrong type',
    files: {config: `${one}preferences: {colors: x}\n`},
    verdict: 'refused',
  },

  // Scalars of YAML 1.1.
  ...['123', '1.5', 'true', 'yes', 'n', 'off', '0x1f', '1_000', '0777', '1e5', '[a]', '{a: b}', '.5'].map(
    (scalar): Case => ({
      behaviour: `refuses the namespace ${scalar}`,
      files: {config: namespace(scalar)},
      verdict: 'refused',
    }),
  ),
  ...['"123"', '2001-01-01', '12:30:45', '!!str 12', '1.2.3', 'yEs', 'nil', '~', '0a', "'true'", '1-2'].map(
    (scalar): Case => ({
      behaviour: `accepts the namespace ${scalar}`,
      files: {config: namespace(scalar)},
      verdict: 'accepted',
    }),
  ),
  {
    behaviour: 'takes yes for true',
    files: {config: config('a', '{server: s, insecure-skip-tls-verify: yes, disable-compression: on}')},
    verdict: 'accepted',
  },
  {
    behaviour: 'refuses a boolean in quotes',
    files: {config: config('a', '{server: s, insecure-skip-tls-verify: "true"}')},
    verdict: 'refused',
  },
  {
    behaviour: 'reads base64 over several lines',
    files: {config: config('a', '{server: s, certificate-authority-data: "YWJj\\nYWJj\\n"}')},
    verdict: 'accepted',
  },
  {
    behaviour: 'refuses base64 without padding',
    files: {config: config('a', '{server: s, certificate-authority-data: YQ}')},
    verdict: 'refused',
  },
  {
    behaviour: 'refuses what is not base64',
    files: {config: user('{client-key-data: "-----BEGIN"}')},
    verdict: 'refused',
  },

  // Users.
  {
    behaviour: 'keeps an exec user',
    files: {
      config: user(
        '{exec: {apiVersion: client.authentication.k8s.io/v1, command: aws, args: [eks, null, get-token], env: [{name: A, value: b}, {name: B, value: ""}], interactiveMode: Never, provideClusterInfo: true, installHint: "get it"}}',
      ),
    },
    verdict: 'accepted',
  },
  {
    behaviour: 'refuses a number among exec arguments',
    files: {config: user('{exec: {apiVersion: v, command: c, args: [1]}}')},
    verdict: 'refused',
  },
  {
    behaviour: 'keeps an auth provider',
    files: {
      config: user(
        '{auth-provider: {name: oidc, config: {client-id: x, refresh-token: secret, empty: null}}}',
      ),
    },
    verdict: 'accepted',
  },
  {
    behaviour: 'refuses a number in an auth provider',
    files: {config: user('{auth-provider: {name: oidc, config: {expires-in: 3600}}}')},
    verdict: 'refused',
  },
  {
    behaviour: 'keeps whom to act as',
    files: {config: user('{as: jane, as-uid: "7", as-groups: [a, b], as-user-extra: {scopes: [v, w]}}')},
    verdict: 'accepted',
  },
  {
    behaviour: 'refuses extras that are no list',
    files: {config: user('{as: jane, as-user-extra: {scopes: x}}')},
    verdict: 'refused',
  },
  {
    behaviour: 'keeps user name and password',
    files: {config: user('{username: jane, password: " secret "}')},
    verdict: 'accepted',
  },
  {
    behaviour: 'keeps certificates as data',
    files: {config: user('{client-certificate-data: YWJj, client-key-data: ZGVm}')},
    verdict: 'accepted',
  },
  {
    behaviour: 'keeps all of a cluster',
    files: {
      config: config(
        'a',
        '{server: "https://[::1]:6443/base", tls-server-name: name, proxy-url: "socks5://p:1", disable-compression: true, certificate-authority-data: YWJj, extensions: [{name: client.authentication.k8s.io/exec, extension: {audience: x, count: 3, n: no}}, {name: b}]}',
      ),
    },
    verdict: 'accepted',
  },
];

describe('a kubeconfig, as the real kubectl reads it', () => {
  const kubectl = path.join(realKubectlDirectory(), 'kubectl');
  let directory: string;
  beforeEach(() => {
    directory = realpathSync(mkdtempSync(path.join(tmpdir(), 'kubeconfig-')));
    mkdirSync(path.join(directory, 'home'));
  });
  afterEach(() => rmSync(directory, {recursive: true}));

  for (const example of cases) {
    it(`${example.behaviour} (${example.verdict})`, () => {
      writeFiles(directory, example.files);
      const list = (example.list ?? ['config']).join(path.delimiter);
      const flags = [
        ...(example.flag === undefined ? [] : ['--kubeconfig', example.flag]),
        ...(example.context === undefined ? [] : ['--context', example.context]),
      ];

      const theirs = view(kubectl, directory, list, flags);
      const ours = attempt(() => readTarget(directory, list, example));

      expect(compareVerdicts(ours, theirs)).to.equal(example.verdict);
      if (ours === undefined) return;
      const expected = theirs ?? comparable(ours);
      expect(comparable(ours)).to.deep.equal(expected);

      // The pinned file lies elsewhere, so that a relative path in it would show.
      writeFiles(directory, {'elsewhere/pinned': pinnedKubeconfig(ours)});
      const pinned = view(kubectl, directory, 'elsewhere/pinned', []);
      const names = ours.user.name === '' ? {user: {...pinned?.user, name: ''}} : {};
      expect({...pinned, ...names}).to.deep.equal(expected);
    });
  }
});

function compareVerdicts(ours: unknown, theirs: unknown): Verdict {
  if (ours === undefined) return theirs === undefined ? 'refused' : 'stricter';
  return theirs === undefined ? 'laxer' : 'accepted';
}

function writeFiles(directory: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(directory, name)), {recursive: true});
    writeFileSync(path.join(directory, name), text);
  }
}

function readTarget(directory: string, list: string, {flag, context}: Case): Target {
  const home = path.join(directory, 'home');
  const lookedAt = kubeconfigPaths({flag, env: list, home, cwd: directory, rules: path});
  const files = lookedAt.paths.filter((file) => existsSync(file));
  const kubeconfig = mergeKubeconfigs(
    files.map((file) => parseKubeconfig(file, readFileSync(file, 'utf8'), path)),
  );
  return resolveTarget(kubeconfig, {context}, {lookedAt});
}

function attempt(read: () => Target): Target | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof TiltbuildError) return undefined;
    throw error;
  }
}

/** What `kubectl config view --minify` says; undefined where it fails. It leaves relative paths as they are. */
function view(kubectl: string, directory: string, list: string, flags: readonly string[]) {
  const env = {HOME: path.join(directory, 'home'), ...(list !== '' && {KUBECONFIG: list})};
  const args = ['config', 'view', '--minify', '--raw', '-o', 'json', ...flags];
  const {status, stdout} = spawnSync(kubectl, args, {cwd: directory, env, encoding: 'utf8'});
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

/** Without what has no meaning: empty fields, unknown fields, kubectl's own defaults, the order of extensions. */
function comparable({
  context,
  namespace,
  cluster,
  user,
}: Pick<Target, 'context' | 'namespace' | 'cluster' | 'user'>) {
  const {exec} = user;
  const plainUser = exec === undefined ? user : {...user, exec: {interactiveMode: 'IfAvailable', ...exec}};
  const extensions = [...(cluster.extensions ?? [])].sort((a, b) =>
    String(a.name).localeCompare(String(b.name)),
  );
  const {'nothing-known': _, ...plainCluster} = {...cluster, extensions} as Record<string, unknown>;
  return {
    context,
    namespace,
    cluster: {name: '', ...(withoutEmpty(plainCluster) as object)},
    user: {name: '', ...(withoutEmpty(plainUser) as object)},
  };
}

function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmpty);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(
    ([, inner]) =>
      inner !== null && inner !== '' && inner !== false && !(Array.isArray(inner) && inner.length === 0),
  );
  return Object.fromEntries(kept.map(([key, inner]) => [key, withoutEmpty(inner)]));
}
