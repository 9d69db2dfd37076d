/** Owns the comparison of a target with what the real kubectl sends to a server, given the same files and flags. */
import {execFile} from 'node:child_process';
import {existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync} from 'node:fs';
import {createServer, type Server} from 'node:https';
import type {AddressInfo} from 'node:net';
import {tmpdir} from 'node:os';
import path from 'node:path';
import type {TLSSocket} from 'node:tls';
import {promisify} from 'node:util';
import {expect} from 'chai';
import type {TargetOverrides} from '../../src/cluster/connection.ts';
import {mergeKubeconfigs} from '../../src/cluster/kubeconfig/merge.ts';
import {parseKubeconfig} from '../../src/cluster/kubeconfig/parse.ts';
import {kubeconfigPaths} from '../../src/cluster/kubeconfig/paths.ts';
import {pinnedKubeconfig} from '../../src/cluster/kubeconfig/pinned-kubeconfig.ts';
import {resolveTarget, type Target} from '../../src/cluster/target/target.ts';
import {TiltbuildError} from '../../src/errors.ts';
import {type KeyPair, makeCertificateAuthority} from '../helpers/certificates.ts';
import {realKubectlDirectory} from '../helpers/real-kubectl.ts';

/** One request for pods, as the server saw it. */
interface Seen {
  readonly namespace: string;
  readonly serverName: string | false;
  readonly authorization: string | undefined;
  readonly certificate: string | undefined;
  readonly actsAs: Readonly<Record<string, unknown>>;
}

interface Case {
  readonly behaviour: string;
  /** Fields of the only cluster, beside its server. */
  readonly cluster?: Readonly<Record<string, unknown>>;
  readonly user?: Readonly<Record<string, unknown>>;
  /** Fields of the only context; with `null` there is no context. */
  readonly context?: Readonly<Record<string, unknown>> | null;
  readonly overrides?: TargetOverrides;
  /** What is to be seen among the rest; with 'refused' neither kubectl nor we get as far. */
  readonly expected: Partial<Seen> | 'refused';
}

const trusted = {'certificate-authority': 'pki/ca.crt'};
const certificate = {'client-certificate': 'pki/client.crt', 'client-key': 'pki/client.key'};
/** Stands for the server's own address and for absolute paths, which only a run knows. */
const here = 'HERE/';
const serverPlace = 'https://SERVER';
const execUser = {
  exec: {
    apiVersion: 'client.authentication.k8s.io/v1',
    command: './bin/login',
    args: ['by-exec'],
    interactiveMode: 'Never',
    provideClusterInfo: true,
  },
};

const cases: readonly Case[] = [
  // Files.
  {
    behaviour: 'trusts an authority relative to the file',
    cluster: trusted,
    user: {token: 't1'},
    expected: {authorization: 'Bearer t1', namespace: 'default'},
  },
  {
    behaviour: 'sends a client certificate relative to the file',
    cluster: trusted,
    user: certificate,
    expected: {certificate: 'client', authorization: undefined},
  },
  {
    behaviour: 'sends the token of a file',
    cluster: trusted,
    user: {tokenFile: 'token'},
    expected: {authorization: 'Bearer of-file'},
  },
  {
    behaviour: 'prefers the token file to a token',
    cluster: trusted,
    user: {token: 't1', tokenFile: 'token'},
    expected: {authorization: 'Bearer of-file'},
  },
  {
    behaviour: 'runs a login relative to the file',
    cluster: trusted,
    user: execUser,
    expected: {authorization: 'Bearer by-exec'},
  },
  {
    behaviour: 'sends user name and password',
    cluster: trusted,
    user: {username: 'u', password: 'p'},
    expected: {authorization: 'Basic dTpw'},
  },
  {
    behaviour: 'asks for a server name',
    cluster: {...trusted, 'tls-server-name': 'named.test'},
    user: {token: 't1'},
    expected: {serverName: 'named.test'},
  },
  {
    behaviour: 'acts as somebody',
    cluster: trusted,
    user: {token: 't1', as: 'jane', 'as-uid': '7', 'as-groups': ['a', 'b'], 'as-user-extra': {scopes: ['v']}},
    expected: {
      actsAs: {
        'impersonate-user': 'jane',
        'impersonate-uid': '7',
        'impersonate-group': 'a, b',
        'impersonate-extra-scopes': 'v',
      },
    },
  },
  {
    behaviour: 'takes the namespace of the context',
    cluster: trusted,
    user: {token: 't1'},
    context: {namespace: 'first'},
    expected: {namespace: 'first'},
  },

  // Flags for the context.
  {
    behaviour: 'takes --namespace over that of the context',
    cluster: trusted,
    user: {token: 't1'},
    context: {namespace: 'first'},
    overrides: {namespace: 'flag'},
    expected: {namespace: 'flag'},
  },
  {
    behaviour: 'takes --context',
    cluster: trusted,
    user: {token: 't1'},
    overrides: {context: 'ctx'},
    expected: {authorization: 'Bearer t1'},
  },
  {
    behaviour: 'refuses --context of nothing',
    cluster: trusted,
    user: {token: 't1'},
    overrides: {context: 'gone'},
    expected: 'refused',
  },
  {
    behaviour: 'takes --cluster over a missing one',
    cluster: trusted,
    user: {token: 't1'},
    context: {cluster: 'gone'},
    overrides: {cluster: 'cls'},
    expected: {authorization: 'Bearer t1'},
  },
  {
    behaviour: 'refuses --cluster of nothing',
    cluster: trusted,
    user: {token: 't1'},
    overrides: {cluster: 'gone'},
    expected: 'refused',
  },
  {
    behaviour: 'refuses --cluster of nothing even with --server',
    cluster: trusted,
    user: {token: 't1'},
    overrides: {cluster: 'gone', server: serverPlace},
    expected: 'refused',
  },
  {
    behaviour: 'takes --user over a missing one',
    cluster: trusted,
    user: {token: 't1'},
    context: {user: 'gone'},
    overrides: {user: 'usr'},
    expected: {authorization: 'Bearer t1'},
  },
  {
    behaviour: 'refuses --user of nothing',
    cluster: trusted,
    user: {token: 't1'},
    overrides: {user: 'gone'},
    expected: 'refused',
  },
  {
    behaviour: 'refuses --user of nothing even with --token',
    cluster: trusted,
    user: {token: 't1'},
    overrides: {user: 'gone', token: 't2'},
    expected: 'refused',
  },
  {
    behaviour: 'needs no context with --cluster and --user',
    cluster: trusted,
    user: {token: 't1'},
    context: null,
    overrides: {cluster: 'cls', user: 'usr'},
    expected: {authorization: 'Bearer t1', namespace: 'default'},
  },
  {
    behaviour: 'needs no context with --server',
    cluster: trusted,
    context: null,
    overrides: {server: serverPlace, insecureSkipTlsVerify: true, token: 't2', namespace: 'n'},
    expected: {authorization: 'Bearer t2', namespace: 'n'},
  },
  {
    behaviour: 'refuses a context whose user is missing',
    cluster: trusted,
    context: {user: 'gone'},
    expected: 'refused',
  },
  {
    behaviour: 'lets --token stand for a missing user',
    cluster: trusted,
    context: {user: 'gone'},
    overrides: {token: 't2'},
    expected: {authorization: 'Bearer t2'},
  },
  {
    behaviour: 'lets --server stand for a missing cluster',
    context: {cluster: 'gone'},
    user: {token: 't1'},
    overrides: {server: serverPlace, insecureSkipTlsVerify: true},
    expected: {authorization: 'Bearer t1'},
  },

  // Flags for the cluster.
  {
    behaviour: 'takes --server over that of the file',
    cluster: {...trusted, server: 'https://127.0.0.1:1'},
    user: {token: 't1'},
    overrides: {server: serverPlace},
    expected: {authorization: 'Bearer t1'},
  },
  {
    behaviour: 'drops the server name of the file with --server',
    cluster: {...trusted, 'tls-server-name': 'named.test'},
    user: {token: 't1'},
    overrides: {server: serverPlace},
    expected: {serverName: false},
  },
  {
    behaviour: 'takes --tls-server-name',
    cluster: trusted,
    user: {token: 't1'},
    overrides: {tlsServerName: 'named.test'},
    expected: {serverName: 'named.test'},
  },
  {
    behaviour: 'drops a file of authorities with --insecure-skip-tls-verify',
    cluster: {'certificate-authority': 'pki/client.crt'},
    user: {token: 't1'},
    overrides: {insecureSkipTlsVerify: true},
    expected: {authorization: 'Bearer t1'},
  },
  {
    behaviour: 'drops data of authorities with --insecure-skip-tls-verify',
    cluster: {'certificate-authority-data': 'YWJj'},
    user: {token: 't1'},
    overrides: {insecureSkipTlsVerify: true},
    expected: {authorization: 'Bearer t1'},
  },
  {
    behaviour: 'drops data of authorities with --certificate-authority',
    cluster: {'certificate-authority-data': 'YWJj'},
    user: {token: 't1'},
    overrides: {certificateAuthority: `${here}pki/ca.crt`},
    expected: {authorization: 'Bearer t1'},
  },
  {
    behaviour: 'drops the insecurity of the file with --certificate-authority',
    cluster: {'insecure-skip-tls-verify': true},
    user: {token: 't1'},
    overrides: {certificateAuthority: `${here}pki/ca.crt`},
    expected: {authorization: 'Bearer t1'},
  },
  {
    behaviour: 'leaves the insecurity of the file with --insecure-skip-tls-verify=false',
    cluster: {'insecure-skip-tls-verify': true},
    user: {token: 't1'},
    overrides: {insecureSkipTlsVerify: false},
    expected: {authorization: 'Bearer t1'},
  },
  {
    behaviour: 'refuses both flags of trust',
    cluster: trusted,
    user: {token: 't1'},
    overrides: {insecureSkipTlsVerify: true, certificateAuthority: `${here}pki/ca.crt`},
    expected: 'refused',
  },
  {
    behaviour: 'refuses an authority beside insecurity in a file',
    cluster: {...trusted, 'insecure-skip-tls-verify': true},
    user: {token: 't1'},
    expected: 'refused',
  },
  {
    behaviour: 'refuses authorities given twice',
    cluster: {...trusted, 'certificate-authority-data': 'YWJj'},
    user: {token: 't1'},
    expected: 'refused',
  },

  // Flags for the user.
  {
    behaviour: 'takes --token over that of the file',
    cluster: trusted,
    user: {token: 't1'},
    overrides: {token: 't2'},
    expected: {authorization: 'Bearer t2'},
  },
  {
    behaviour: 'sends the certificate of the file beside --token',
    cluster: trusted,
    user: certificate,
    overrides: {token: 't2'},
    expected: {authorization: 'Bearer t2', certificate: 'client'},
  },
  {
    behaviour: 'keeps the token file of the user over --token',
    cluster: trusted,
    user: {tokenFile: 'token'},
    overrides: {token: 't2'},
    expected: {authorization: 'Bearer of-file'},
  },
  {
    behaviour: 'takes --token over a login',
    cluster: trusted,
    user: execUser,
    overrides: {token: 't2'},
    expected: {authorization: 'Bearer t2'},
  },
  {
    behaviour: 'refuses --token beside a password',
    cluster: trusted,
    user: {username: 'u', password: 'p'},
    overrides: {token: 't2'},
    expected: 'refused',
  },
  {
    behaviour: 'takes --client-certificate and --client-key',
    cluster: trusted,
    user: {token: 't1'},
    overrides: {clientCertificate: `${here}pki/client.crt`, clientKey: `${here}pki/client.key`},
    expected: {certificate: 'client', authorization: 'Bearer t1'},
  },
  {
    behaviour: 'drops a certificate and key as data for --client-certificate and --client-key',
    cluster: trusted,
    user: {'client-certificate-data': 'YWJj', 'client-key-data': 'YWJj'},
    overrides: {clientCertificate: `${here}pki/client.crt`, clientKey: `${here}pki/client.key`},
    expected: {certificate: 'client'},
  },
  {
    behaviour: 'refuses a key given twice that only --client-certificate overrides',
    cluster: trusted,
    user: {...certificate, 'client-key-data': 'YWJj'},
    overrides: {clientCertificate: `${here}pki/client.crt`},
    expected: 'refused',
  },
  {
    behaviour: 'refuses a certificate without its key',
    cluster: trusted,
    user: {'client-certificate': 'pki/client.crt'},
    expected: 'refused',
  },
  {
    behaviour: 'takes --as over that of the file',
    cluster: trusted,
    user: {token: 't1', as: 'jane', 'as-groups': ['a']},
    overrides: {as: 'joe'},
    expected: {actsAs: {'impersonate-user': 'joe', 'impersonate-group': 'a'}},
  },
  {
    behaviour: 'takes --as-group over those of the file',
    cluster: trusted,
    user: {token: 't1', as: 'jane', 'as-groups': ['a']},
    overrides: {asGroup: ['b', 'c'], asUid: '8'},
    expected: {actsAs: {'impersonate-user': 'jane', 'impersonate-uid': '8', 'impersonate-group': 'b, c'}},
  },
  {
    behaviour: 'refuses --as-group without --as',
    cluster: trusted,
    user: {token: 't1'},
    overrides: {asGroup: ['b']},
    expected: 'refused',
  },
  {
    behaviour: 'refuses a login without a command',
    cluster: trusted,
    user: {exec: {apiVersion: 'client.authentication.k8s.io/v1'}},
    expected: 'refused',
  },
  {
    behaviour: 'refuses a login without a version',
    cluster: trusted,
    user: {exec: {command: 'x'}},
    expected: 'refused',
  },
  {
    behaviour: 'refuses a login beside an auth provider',
    cluster: trusted,
    user: {...execUser, 'auth-provider': {name: 'oidc'}},
    expected: 'refused',
  },
];

describe('a target, as the real kubectl uses it', () => {
  const kubectl = path.join(realKubectlDirectory(), 'kubectl');
  let directory: string;
  let server: Server;
  let requests: Seen[] = [];

  before(async () => {
    directory = realpathSync(mkdtempSync(path.join(tmpdir(), 'target-')));
    const authority = await makeCertificateAuthority();
    const client = await authority.signClient('client');
    writeFiles(directory, {
      'pki/ca.crt': authority.certificate,
      'pki/client.crt': client.certificate,
      'pki/client.key': client.key,
      token: 'of-file',
      'home/.keep': '',
    });
    mkdirSync(path.join(directory, 'bin'));
    writeFileSync(path.join(directory, 'bin/login'), loginScript, {mode: 0o755});
    server = await listen(await authority.signServer(['127.0.0.1', 'named.test']), (seen) =>
      requests.push(seen),
    );
  });
  after(() => {
    server.close();
    rmSync(directory, {recursive: true});
  });
  beforeEach(() => {
    requests = [];
  });

  for (const example of cases) {
    it(example.behaviour, async () => {
      const address = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const overrides = placeOverrides(example.overrides ?? {}, directory, address);
      writeFiles(directory, {config: JSON.stringify(makeConfig(example, address))});

      await getPods(kubectl, directory, 'config', toFlags(overrides));
      const [theirs] = requests.splice(0);
      const ours = readTarget(directory, overrides);

      if (example.expected === 'refused') {
        expect(theirs).to.equal(undefined);
        expect(ours).to.be.instanceOf(TiltbuildError);
        return;
      }
      expect(theirs).to.deep.include(example.expected);
      if (ours instanceof TiltbuildError) throw ours;
      expect(ours.namespace).to.equal(theirs?.namespace);

      // Elsewhere, so that a relative path in it would show.
      writeFiles(directory, {'elsewhere/pinned': pinnedKubeconfig(ours)});
      await getPods(kubectl, directory, 'elsewhere/pinned', []);
      expect(requests).to.deep.equal([theirs]);
    });
  }
});

/** A credential plugin: its first argument is the token. Fails unless it is told of the cluster. */
const loginScript = `#!/bin/sh
case "$KUBERNETES_EXEC_INFO" in *'"server":'*) ;; *) exit 1 ;; esac
echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"'$1'"}}'
`;

function makeConfig({cluster, user, context}: Case, address: string) {
  const fields = {cluster: 'cls', user: 'usr', ...context};
  return {
    clusters: [{name: 'cls', cluster: {server: address, ...cluster}}],
    users: [{name: 'usr', user: user ?? {}}],
    ...(context !== null && {contexts: [{name: 'ctx', context: fields}], 'current-context': 'ctx'}),
  };
}

function placeOverrides(overrides: TargetOverrides, directory: string, address: string): TargetOverrides {
  const text = JSON.stringify(overrides).replaceAll(serverPlace, address).replaceAll(here, `${directory}/`);
  return JSON.parse(text) as TargetOverrides;
}

function toFlags(overrides: TargetOverrides): readonly string[] {
  return Object.entries(overrides).flatMap(([key, value]) => {
    const flag = `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    return [value].flat().map((single) => `${flag}=${single}`);
  });
}

function readTarget(directory: string, overrides: TargetOverrides): Target | TiltbuildError {
  const lookedAt = kubeconfigPaths({env: 'config', home: directory, cwd: directory, rules: path});
  const files = lookedAt.paths.filter((file) => existsSync(file));
  const kubeconfig = mergeKubeconfigs(
    files.map((file) => parseKubeconfig(file, readFileSync(file, 'utf8'), path)),
  );
  try {
    return resolveTarget(kubeconfig, overrides, {lookedAt});
  } catch (error) {
    if (error instanceof TiltbuildError) return error;
    throw error;
  }
}

async function getPods(
  kubectl: string,
  cwd: string,
  config: string,
  flags: readonly string[],
): Promise<void> {
  const env = {HOME: path.join(cwd, 'home'), KUBECONFIG: config, PATH: process.env.PATH};
  const running = promisify(execFile)(kubectl, ['get', 'pods', ...flags], {cwd, env});
  // A user without credentials is asked for them.
  running.child.stdin?.end();
  await running.catch(() => undefined);
}

/** As much of the API's own description as kubectl wants before it asks for pods. */
const discovery: Readonly<Record<string, unknown>> = {
  '/api': {kind: 'APIVersions', versions: ['v1']},
  '/apis': {kind: 'APIGroupList', apiVersion: 'v1', groups: []},
  '/api/v1': {
    kind: 'APIResourceList',
    groupVersion: 'v1',
    resources: [{name: 'pods', singularName: 'pod', namespaced: true, kind: 'Pod', verbs: ['get', 'list']}],
  },
};

function listen({certificate, key}: KeyPair, onPods: (seen: Seen) => void): Promise<Server> {
  const options = {cert: certificate, key, requestCert: true, rejectUnauthorized: false};
  const server = createServer(options, (request, response) => {
    const {pathname} = new URL(request.url ?? '/', 'https://server');
    const namespace = /^\/api\/v1\/namespaces\/([^/]+)\/pods$/.exec(pathname)?.[1];
    if (namespace !== undefined) {
      const socket = request.socket as TLSSocket;
      const actsAs = Object.entries(request.headers).filter(([name]) => name.startsWith('impersonate-'));
      onPods({
        namespace,
        serverName: socket.servername || false,
        authorization: request.headers.authorization,
        certificate: socket.getPeerCertificate().subject?.CN as string | undefined,
        actsAs: Object.fromEntries(actsAs),
      });
    }
    const answer =
      namespace === undefined ? discovery[pathname] : {kind: 'PodList', apiVersion: 'v1', items: []};
    response.setHeader('content-type', 'application/json');
    response.statusCode = answer === undefined ? 404 : 200;
    response.end(JSON.stringify(answer ?? {}));
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

function writeFiles(directory: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(directory, name)), {recursive: true});
    writeFileSync(path.join(directory, name), text);
  }
}
