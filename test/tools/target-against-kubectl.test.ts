/** Owns the comparison of a target with what the real kubectl sends to a server, given the same files and flags. */
import {execFile} from 'node:child_process';
import {chmodSync, mkdtempSync, realpathSync, rmSync} from 'node:fs';
import {createServer, type Server} from 'node:https';
import type {AddressInfo} from 'node:net';
import {tmpdir} from 'node:os';
import path from 'node:path';
import type {TLSSocket} from 'node:tls';
import {promisify} from 'node:util';
import {expect} from 'chai';
import {parse} from 'yaml';
import type {TargetOverrides} from '../../src/cluster/connection.ts';
import {pinnedKubeconfig} from '../../src/cluster/kubeconfig/pinned-kubeconfig.ts';
import {TiltbuildError} from '../../src/errors.ts';
import {type KeyPair, makeCertificateAuthority} from '../helpers/certificates.ts';
import {loadOnDisk, writeFiles} from '../helpers/kubeconfig-files.ts';
import {realKubectlDirectory} from '../helpers/real-kubectl.ts';

/** One request for pods, as the server saw it. */
interface Seen {
  readonly namespace: string;
  readonly serverName: string | false;
  readonly authorization: string | null;
  readonly certificate: string | undefined;
  readonly actsAs: Readonly<Record<string, unknown>>;
}

interface Case {
  /** Fields of the only cluster, beside its server. */
  readonly cluster?: Readonly<Record<string, unknown>>;
  readonly user?: Readonly<Record<string, unknown>>;
  /** Fields of the only context; with `null` there is no context. */
  readonly context?: Readonly<Record<string, unknown>> | null;
  readonly flags?: TargetOverrides;
  /** What the server sees, among the rest. Without it, neither kubectl nor we get as far. */
  readonly sees?: Partial<Seen>;
}

/** By what kubectl does. SERVER is the server's address, DIR/ the directory of the kubeconfig. */
const CASES: Readonly<Record<string, Case>> = parse(
  `
x-anchors:
  - &ca {certificate-authority: pki/ca.crt}
  - &cert {client-certificate: pki/client.crt, client-key: pki/client.key}
  - &t1 {token: t1}
  - &exec {apiVersion: client.authentication.k8s.io/v1, command: ./bin/login, args: [by-exec], interactiveMode: Never, provideClusterInfo: true}
  - &password {username: u, password: p}
  - &asT1 {authorization: Bearer t1}
  - &asT2 {authorization: Bearer t2}
  - &insecure {insecureSkipTlsVerify: true}
  - &trust {certificateAuthority: DIR/pki/ca.crt}
  - &login {clientCertificate: DIR/pki/client.crt, clientKey: DIR/pki/client.key}
  - &jane {token: t1, as: jane, as-groups: [a]}

# Fields of the kubeconfig.
trusts an authority relative to the file: {sees: {authorization: Bearer t1, namespace: default}}
sends a client certificate relative to the file: {user: *cert, sees: {certificate: client, authorization: null}}
sends the token of a file: {user: {tokenFile: token}, sees: {authorization: Bearer of-file}}
prefers the token file to a token: {user: {token: t1, tokenFile: token}, sees: {authorization: Bearer of-file}}
runs a login plugin relative to the file: {user: {exec: *exec}, sees: {authorization: Bearer by-exec}}
sends user name and password: {user: *password, sees: {authorization: Basic dTpw}}
asks for a server name: {cluster: {<<: *ca, tls-server-name: named.test}, sees: {serverName: named.test}}
impersonates a user:
  user: {token: t1, as: jane, as-uid: '7', as-groups: [a, b], as-user-extra: {scopes: [v]}}
  sees: {actsAs: {impersonate-user: jane, impersonate-uid: '7', impersonate-group: 'a, b', impersonate-extra-scopes: v}}
takes the namespace of the context: {context: {namespace: first}, sees: {namespace: first}}

# Flags for the context.
takes --namespace over that of the context: {context: {namespace: first}, flags: {namespace: flag}, sees: {namespace: flag}}
takes --context: {flags: {context: ctx}, sees: *asT1}
refuses a missing --context: {flags: {context: gone}}
takes --cluster over a missing one: {context: {cluster: gone}, flags: {cluster: cls}, sees: *asT1}
refuses a missing --cluster: {flags: {cluster: gone}}
refuses a missing --cluster even with --server: {flags: {cluster: gone, server: SERVER}}
takes --user over a missing one: {context: {user: gone}, flags: {user: usr}, sees: *asT1}
refuses a missing --user: {flags: {user: gone}}
refuses a missing --user even with --token: {flags: {user: gone, token: t2}}
needs no context with --cluster and --user: {context: null, flags: {cluster: cls, user: usr}, sees: {<<: *asT1, namespace: default}}
needs no context with --server: {user: {}, context: null, flags: {<<: *insecure, server: SERVER, token: t2, namespace: n}, sees: {<<: *asT2, namespace: n}}
refuses a context whose user is missing: {user: {}, context: {user: gone}}
lets --token stand for a missing user: {user: {}, context: {user: gone}, flags: {token: t2}, sees: *asT2}
lets --server stand for a missing cluster: {cluster: {}, context: {cluster: gone}, flags: {<<: *insecure, server: SERVER}, sees: *asT1}

# Flags for the cluster.
takes --server over that of the file: {cluster: {<<: *ca, server: 'https://127.0.0.1:1'}, flags: {server: SERVER}, sees: *asT1}
drops the server name of the file for --server: {cluster: {<<: *ca, tls-server-name: named.test}, flags: {server: SERVER}, sees: {serverName: false}}
takes --tls-server-name: {flags: {tlsServerName: named.test}, sees: {serverName: named.test}}
drops a file of authorities for --insecure-skip-tls-verify: {cluster: {certificate-authority: pki/client.crt}, flags: *insecure, sees: *asT1}
drops data of authorities for --insecure-skip-tls-verify: {cluster: {certificate-authority-data: YWJj}, flags: *insecure, sees: *asT1}
drops data of authorities for --certificate-authority: {cluster: {certificate-authority-data: YWJj}, flags: *trust, sees: *asT1}
drops the insecurity of the file for --certificate-authority: {cluster: {insecure-skip-tls-verify: true}, flags: *trust, sees: *asT1}
keeps the insecurity of the file with --insecure-skip-tls-verify=false: {cluster: {insecure-skip-tls-verify: true}, flags: {insecureSkipTlsVerify: false}, sees: *asT1}
refuses both flags of trust: {flags: {<<: [*insecure, *trust]}}
refuses an authority beside insecurity in a file: {cluster: {<<: *ca, insecure-skip-tls-verify: true}}
refuses authorities given twice: {cluster: {<<: *ca, certificate-authority-data: YWJj}}

# Flags for the user.
takes --token over that of the file: {flags: {token: t2}, sees: *asT2}
sends the certificate of the file beside --token: {user: *cert, flags: {token: t2}, sees: {<<: *asT2, certificate: client}}
keeps the token file of the user over --token: {user: {tokenFile: token}, flags: {token: t2}, sees: {authorization: Bearer of-file}}
takes --token over a login plugin: {user: {exec: *exec}, flags: {token: t2}, sees: *asT2}
refuses --token beside a password: {user: *password, flags: {token: t2}}
takes --client-certificate and --client-key: {flags: *login, sees: {<<: *asT1, certificate: client}}
drops a certificate and key as data for --client-certificate and --client-key: {user: {client-certificate-data: YWJj, client-key-data: YWJj}, flags: *login, sees: {certificate: client}}
refuses a key given twice that only --client-certificate overrides: {user: {<<: *cert, client-key-data: YWJj}, flags: {clientCertificate: DIR/pki/client.crt}}
refuses a certificate without its key: {user: {client-certificate: pki/client.crt}}
takes --as over that of the file: {user: *jane, flags: {as: joe}, sees: {actsAs: {impersonate-user: joe, impersonate-group: a}}}
takes --as-group over those of the file: {user: *jane, flags: {asGroup: [b, c], asUid: '8'}, sees: {actsAs: {impersonate-user: jane, impersonate-uid: '8', impersonate-group: 'b, c'}}}
refuses --as-group without --as: {flags: {asGroup: [b]}}
refuses a login plugin without a command: {user: {exec: {apiVersion: client.authentication.k8s.io/v1}}}
refuses a login plugin without a version: {user: {exec: {command: x}}}
refuses a login plugin beside an auth provider: {user: {exec: *exec, auth-provider: {name: oidc}}}
`,
  {merge: true},
);

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
      'bin/login': loginScript,
    });
    chmodSync(path.join(directory, 'bin/login'), 0o755);
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

  for (const [behaviour, example] of Object.entries(CASES).slice(1)) {
    it(behaviour, async () => {
      const address = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const flags = placeFlags(example.flags ?? {}, directory, address);
      writeFiles(directory, {config: JSON.stringify(makeConfig(example, address))});

      await getPods(kubectl, directory, 'config', toArguments(flags));
      const [theirs] = requests.splice(0);
      const ours = await loadOnDisk({overrides: flags}, {cwd: directory, env: {KUBECONFIG: 'config'}});

      if (example.sees === undefined) {
        expect(theirs).to.equal(undefined);
        expect(ours).to.be.instanceOf(TiltbuildError);
        return;
      }
      expect(theirs).to.deep.include(example.sees);
      if (ours instanceof TiltbuildError) throw ours;
      expect(ours.namespace).to.equal(theirs?.namespace);

      // Elsewhere, where a relative path in it would show.
      writeFiles(directory, {'elsewhere/pinned': pinnedKubeconfig(ours)});
      await getPods(kubectl, directory, 'elsewhere/pinned', []);
      expect(requests).to.deep.equal([theirs]);
    });
  }
});

/** A credential plugin whose first argument is the token. It fails without information about the cluster. */
const loginScript = `#!/bin/sh
case "$KUBERNETES_EXEC_INFO" in *'"server":'*) ;; *) exit 1 ;; esac
echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"'$1'"}}'
`;

function makeConfig({cluster, user, context}: Case, address: string) {
  const trusted = {'certificate-authority': 'pki/ca.crt'};
  return {
    clusters: [{name: 'cls', cluster: {server: address, ...(cluster ?? trusted)}}],
    users: [{name: 'usr', user: user ?? {token: 't1'}}],
    ...(context !== null && {
      contexts: [{name: 'ctx', context: {cluster: 'cls', user: 'usr', ...context}}],
      'current-context': 'ctx',
    }),
  };
}

function placeFlags(flags: TargetOverrides, directory: string, address: string): TargetOverrides {
  return JSON.parse(JSON.stringify(flags).replaceAll('SERVER', address).replaceAll('DIR/', `${directory}/`));
}

function toArguments(flags: TargetOverrides): readonly string[] {
  return Object.entries(flags).flatMap(([key, value]) => {
    const name = key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    return [value].flat().map((single) => `--${name}=${single}`);
  });
}

async function getPods(kubectl: string, cwd: string, config: string, flags: readonly string[]) {
  const env = {HOME: cwd, KUBECONFIG: config, PATH: process.env.PATH};
  const running = promisify(execFile)(kubectl, ['get', 'pods', ...flags], {cwd, env});
  // kubectl asks a user without credentials for them.
  running.child.stdin?.end();
  await running.catch(() => undefined);
}

/** What kubectl discovers before it asks for pods. */
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
        authorization: request.headers.authorization ?? null,
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
