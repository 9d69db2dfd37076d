/** Owns the comparison of our requests with those of the real kubectl: where they go, as whom, and with which credentials. */
import {execFile} from 'node:child_process';
import {mkdtempSync, realpathSync, rmSync} from 'node:fs';
import {createServer, type IncomingMessage, type ServerResponse} from 'node:http';
import {createServer as createTlsServer} from 'node:https';
import type {AddressInfo} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {expect} from 'chai';
import {parse} from 'yaml';
import {makeCertificateAuthority} from '../helpers/certificates.ts';
import {writeFiles} from '../helpers/kubeconfig-files.ts';
import {realKubectlDirectory} from '../helpers/real-kubectl.ts';

interface Case {
  /** What follows the server's address; another address where it begins with a scheme. HOST is that with the port. */
  readonly server?: string;
  readonly user?: Readonly<Record<string, unknown>>;
  readonly cluster?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
  /** Where the request went, without the pods' own path; false if no request came. */
  readonly path?: string | false;
  /** Of the request. */
  readonly authorization?: string;
  /** We do not ask, and kubectl has to. */
  readonly left?: true;
}

/** By what kubectl does. The servers of the first list speak HTTP, those of the second HTTPS. */
const CASES: Readonly<Record<'http' | 'https', Readonly<Record<string, Case>>>> = parse(`
http:
  a server without a path: {path: ''}
  a slash at the end: {server: /, path: ''}
  a path with a slash at the end: {server: /a/, path: /a}
  two slashes, which begin no other host: {server: //b.example, path: /b.example}
  two slashes inside: {server: /a//b//, path: /a/b}
  dots: {server: /a/./b/../c/..d, path: /a/c/..d}
  dots above the root: {server: /../a, path: /a}
  a query: {server: '/a?b=/c', path: /a}
  a query alone: {server: '?b=c', path: ''}
  a number sign: {server: '/a#b?c', path: '/a%23b'}
  an escaped slash: {server: /a%2Fb, path: /a/b}
  an escaped dot: {server: /a/%2e%2E/b, path: /b}
  an escaped percent sign: {server: /a%2541, path: '/a%2541'}
  letters outside ASCII and spaces: {server: /ü b%20c, path: '/%C3%BC%20b%20c'}
  signs: {server: "/!$&'()*+,;=:@[]~_-", path: '/%21$&%27%28%29%2A+,;=:@%5B%5D~_-'}
  a scheme in capitals: {server: 'HTTP://HOST/a', path: /a}
  no scheme: {server: HOST, path: ''}
  no scheme and a path: {server: HOST/a, path: false, left: true}
  a bad escape: {server: /a%zz, path: false, left: true}
  a backslash, which ends no host: {server: 'http://HOST\\b.example', path: false, left: true}
  a line break in it: {server: "/a\\nb", path: false, left: true}
  a user in the address: {server: 'http://u:p@HOST/a', path: /a, authorization: Basic dTpw, left: true}
  a token, which is not sent: {user: {token: t}}
  a token file, which is not sent: {user: {tokenFile: token}}
  a password, which is not sent: {user: {username: u, password: p}}
  a login plugin, which is not started: {user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: ./login, interactiveMode: Never}}}
  a token without a scheme in the address: {server: HOST, user: {token: t}}
  impersonation, which is sent: {user: {token: t, as: jane, as-groups: [a]}}
https:
  a token: {user: {token: t1}, authorization: Bearer t1}
  a token outside ASCII: {user: {token: tök☸}, authorization: Bearer tök☸}
  a token with a line break: {user: {token: "t\\n"}, path: false, left: true}
  a token with a delete character: {user: {token: "t\\u007fu"}, path: false, left: true}
  the token of a file: {user: {token: t1, tokenFile: token}, authorization: Bearer of-file à}
  an empty token file beside a token: {user: {token: t1, tokenFile: empty}, authorization: Bearer t1}
  a missing token file beside a token: {user: {token: t1, tokenFile: missing}, authorization: Bearer t1}
  a missing token file: {user: {tokenFile: missing}, path: false, left: true}
  a token file that has a control character: {user: {tokenFile: control}, path: false, left: true}
  a password: {user: {username: jürgen, password: ':p☸'}, authorization: 'Basic asO8cmdlbjo6cOKYuA=='}
  a password and a token file: {user: {username: u, tokenFile: token}, path: false, left: true}
  a user outside ASCII: {user: {token: t, as: jürgen ☸, as-uid: ü, as-groups: [ä, ' b c'], as-user-extra: {k: [é]}}}
  many groups, one of them empty: {user: {token: t, as: jane, as-groups: [b, '', a, 'ä,b', b]}}
  extras with odd names: {user: {token: t, as: j, as-user-extra: {'a/b.c%d(e)é F': [x, '', y], '!#$&*+^_|~': [z], none: []}}}
  a user with a line break: {user: {token: t, as: "a\\nb"}, path: false, left: true}
  a group with a control character: {user: {token: t, as: a, as-groups: ["b\\u0001"]}, path: false, left: true}
  a user ID without a user: {user: {token: t, as-uid: '7'}, path: false, left: true}
  a scheme in capitals with a token: {server: 'HTTPS://HOST/a', user: {token: t1}, path: /a, authorization: Bearer t1}
  the roots of the system: {user: {token: t}, cluster: {certificate-authority: null}, path: false}
  the roots of SSL_CERT_FILE: {user: {token: t}, cluster: {certificate-authority: null}, env: {SSL_CERT_FILE: ca.crt}}
  no more roots of NODE_EXTRA_CA_CERTS: {user: {token: t}, cluster: {certificate-authority: null}, env: {NODE_EXTRA_CA_CERTS: ca.crt}, path: false}
  an empty file of authorities: {user: {token: t}, cluster: {certificate-authority: empty}, path: false, left: true}
  another authority: {user: {token: t}, cluster: {certificate-authority: other.crt}, env: {NODE_TLS_REJECT_UNAUTHORIZED: '0'}, path: false}
  no check: {user: {token: t}, cluster: {certificate-authority: null, insecure-skip-tls-verify: true}}
`);

describe('a request, as the real kubectl sends it', () => {
  const askers = {
    kubectl: [join(realKubectlDirectory(), 'kubectl'), 'get', 'pods', '--kubeconfig'],
    node: [process.execPath, join(import.meta.dirname, '..', 'helpers', 'ask-api.ts')],
    bun: ['node_modules/bun/bin/bun.exe', join(import.meta.dirname, '..', 'helpers', 'ask-api.ts')],
  };
  let directory: string;
  let seen: object[] = [];
  const addresses: Record<string, string> = {};
  const servers = new Set<{close: () => void}>();

  before(async () => {
    directory = realpathSync(mkdtempSync(join(tmpdir(), 'requests-')));
    const [authority, other] = await Promise.all([makeCertificateAuthority(), makeCertificateAuthority()]);
    const {certificate: cert, key} = await authority.signServer(['127.0.0.1']);
    const files = {'ca.crt': authority.certificate, 'other.crt': other.certificate, empty: ''};
    writeFiles(directory, {...files, token: ' of-file à\n', control: 'a\u0001b'});
    const answer = (request: IncomingMessage, response: ServerResponse) =>
      answerPods(request, response, (request) => seen.push(request));
    for (const [scheme, server] of [
      ['http', createServer(answer)],
      ['https', createTlsServer({cert, key}, answer)],
    ] as const) {
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      servers.add(server);
      addresses[scheme] = `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`;
    }
  });
  after(() => {
    for (const server of servers) server.close();
    rmSync(directory, {recursive: true});
  });

  for (const [scheme, behaviour, example] of Object.entries(CASES).flatMap(([scheme, cases]) =>
    Object.entries(cases).map(([behaviour, example]) => [scheme, behaviour, example] as const),
  )) {
    it(`${scheme}: ${behaviour}`, async () => {
      const address = addresses[scheme] ?? '';
      const {path = '', server = '', user = {}, cluster = {}, env = {}, authorization, left} = example;
      const place = server.includes('HOST')
        ? server.replace('HOST', address.split('//')[1] ?? '')
        : address + server;
      const trust = scheme === 'https' ? {'certificate-authority': 'ca.crt'} : {};
      const config = {
        clusters: [{name: 'c', cluster: {server: place, ...trust, ...cluster}}],
        users: [{name: 'u', user}],
        contexts: [{name: 'x', context: {cluster: 'c', user: 'u'}}],
        'current-context': 'x',
      };
      writeFiles(directory, {config: JSON.stringify(config)});
      const ask = async (asker: keyof typeof askers) => {
        seen = [];
        const [program = '', ...args] = askers[asker];
        const variables = {HOME: directory, PATH: process.env.PATH, ...env};
        const options = {cwd: process.cwd(), env: placeFiles(variables, directory)};
        const running = promisify(execFile)(program, [...args, join(directory, 'config')], options);
        running.child.stdin?.end();
        const said = await running.catch((error: Error) => error);
        return {seen, said: 'stdout' in said ? said.stdout : String(said)};
      };

      const [theirs] = (await ask('kubectl')).seen;
      if (path === false) expect(theirs).to.equal(undefined);
      else expect(theirs).to.deep.include({path, ...(authorization && {authorization})});
      for (const asker of ['node', 'bun'] as const) {
        const ours = await ask(asker);
        // A read, and a request to upgrade.
        expect(ours.seen, ours.said).to.deep.equal(left || path === false ? [] : [theirs, theirs]);
        if (left) expect(ours.said).not.to.equal('');
      }
    });
  }
});

const placeFiles = (env: Readonly<Record<string, string | undefined>>, directory: string) =>
  Object.fromEntries(
    Object.entries(env).map(([name, value]) => [name, value === 'ca.crt' ? join(directory, value) : value]),
  );

const DISCOVERY: readonly (readonly [RegExp, object])[] = [
  [/\/api$/, {kind: 'APIVersions', versions: ['v1']}],
  [/\/apis$/, {kind: 'APIGroupList', apiVersion: 'v1', groups: []}],
  [
    /\/api\/v1$/,
    {
      kind: 'APIResourceList',
      groupVersion: 'v1',
      resources: [{name: 'pods', singularName: 'pod', namespaced: true, kind: 'Pod', verbs: ['get', 'list']}],
    },
  ],
];

function answerPods(request: IncomingMessage, response: ServerResponse, note: (seen: object) => void): void {
  const [place = ''] = (request.url ?? '').split('?');
  const pods = /^(.*)\/api\/v1\/namespaces\/default\/pods$/.exec(place);
  if (pods) note({path: pods[1], ...describeUser(request)});
  const answer = DISCOVERY.find(([path]) => path.test(place))?.[1];
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(answer ?? {kind: 'PodList', apiVersion: 'v1', items: []}));
}

/** Names without case, which Go changes, and values as the bytes say in UTF-8. */
function describeUser({rawHeaders}: IncomingMessage) {
  const pairs = rawHeaders.flatMap((name, at) => {
    const value = Buffer.from(rawHeaders[at + 1] ?? '', 'latin1').toString();
    return at % 2 === 0 ? [[name.toLowerCase(), value] as const] : [];
  });
  const actsAs = pairs
    .filter(([name]) => name.startsWith('impersonate-'))
    .map(([name, value]) => [decodeURIComponent(name), value].join(': '));
  const authorization = pairs.find(([name]) => name === 'authorization')?.[1];
  return {authorization, actsAs: actsAs.sort()};
}
