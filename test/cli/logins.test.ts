/** Covers credentials and connection flags: the API server and the delegate both get them. */
import {
  chmodSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import {delimiter, dirname, join} from 'node:path';
import {expect} from 'chai';
import {parse, stringify} from 'yaml';
import {failure} from '../helpers/api/requests.ts';
import type {KubeconfigAuth, KubeconfigOptions} from '../helpers/api-kubeconfig.ts';
import {
  type ApiServer,
  type ApiServerOptions,
  addBuilder,
  node,
  SECRET_MARKER,
  SECRET_MARKER_BASE64,
  startApiServer,
} from '../helpers/api-server.ts';
import {makeCertificateAuthority} from '../helpers/certificates.ts';
import {installCredentialPlugin} from '../helpers/credential-plugin.ts';
import type {Ended} from '../helpers/programs.ts';
import {recordKubectl} from '../helpers/real-kubectl.ts';
import {
  BUILD,
  describeCommand,
  EXPORT,
  expectRefused,
  expectBuilt as expectResult,
  furnish,
  PLAIN_NAMES,
  PROXY,
  pinArgs,
  removeBuilders,
  type World,
  withoutOwnPaths,
} from '../helpers/world.ts';

const BUILT = ['--registry-secret', 'docker-registry', '--tag', 'localhost/web:dev', ...EXPORT, '-'];
const CLOSED = 'https://127.0.0.1:1';
/** Who reads from the cluster, and the environment that selects each. */
const WAYS = [
  ['directly', {}],
  ['through kubectl', PROXY],
] as const;

/** With names that say nothing about the product, so the nodes are read; on minikube, for the builder's runtime. */
function connect(world: World, options: Partial<KubeconfigOptions> = {}, api: ApiServer = world.api): void {
  api.state.nodes = [node({providerID: '', labels: {'minikube.k8s.io/name': 'm'}})];
  world.sandbox.writeKubeconfig(
    api.kubeconfig({auth: 'certificate', names: PLAIN_NAMES, directory: world.sandbox.root, ...options}),
  );
}

/** With a plugin that prints one token after the other, then fails. Returns a function that counts its runs. */
function connectByPlugin(world: World, tokens: readonly string[]): () => number {
  const {exec, runs} = installCredentialPlugin(world.sandbox.root, {tokens});
  connect(world, {auth: 'none', userFields: {exec}});
  return runs;
}

function pinned({sandbox}: World, {context = 'work', namespace = 'default'} = {}): readonly string[] {
  return pinArgs(sandbox, {context, namespace});
}

/** With a login passed on to it, the delegate gets its own kubeconfig, with only the target. */
function lentPins(world: World): readonly string[] {
  const [own] = world.delegated().kubeconfigs;
  expect(own).to.include({mode: 0o600, directoryMode: 0o700});
  expect(own?.path.startsWith(world.sandbox.tmp)).to.equal(true);
  return ['--kubeconfig', own?.path ?? '', '--namespace', 'default'];
}

/** As kubectl build asks for a login that we lend. */
function askLogin(world: World, file: string): Promise<Ended> {
  return world.tiltbuild(['__login', file, join(world.sandbox.root, 'plugin'), '--flag']);
}

/** kubectl build, which may run elsewhere, gets files of the working directory by their full paths. */
function withFullPaths({sandbox}: World, flags: readonly string[]): readonly string[] {
  const files = ['authority.crt', 'client.crt', 'client.key', 'my cache'];
  return flags.map((word) => (files.includes(word) ? join(sandbox.work, word) : word));
}

function expectBuilt(
  world: World,
  ended: Ended,
  passed: readonly string[] = [],
  pins: (world: World) => readonly string[] = pinned,
): void {
  expectResult(ended);
  const argv = withoutOwnPaths(world.delegated().argv, world.sandbox);
  expect(argv).to.deep.equal([...pins(world), ...passed, ...BUILT]);
}

/** Another cluster with the same content. */
async function withServer(options: ApiServerOptions, use: (api: ApiServer) => Promise<void>): Promise<void> {
  const api = await startApiServer(options);
  furnish(api);
  try {
    await use(api);
  } finally {
    await api.close();
  }
}

describeCommand('a login', (world) => {
  const logins: readonly (readonly [string, KubeconfigAuth, boolean, string])[] = [
    ['a certificate', 'certificate', false, 'certificate-user'],
    ['certificate files by relative paths', 'certificate-files', true, 'certificate-user'],
    ['a token', 'token', false, 'token-user'],
    ['a token file by a relative path', 'token-file', true, 'token-user'],
    ['a password', 'basic', false, 'basic-user'],
    ['a credential plugin by a relative path', 'exec', true, 'token-user'],
  ];
  for (const [title, auth, relativePaths, user] of logins) {
    it(`by ${title} reads secret, builder and nodes, and shows no secret`, async () => {
      connect(world, {auth, relativePaths});
      const ended = await world.tiltbuild(['-v', ...BUILD]);
      expectBuilt(world, ended, [], auth === 'exec' ? lentPins : pinned);
      expect(ended.stderr).to.contain('product: minikube');
      for (const request of world.api.requests) {
        expect(request.user).to.equal(user);
        expect(request.userAgent).to.equal('kubectl-tiltbuild');
      }
      const shown = `${ended.stdout}${ended.stderr}`;
      for (const secret of [SECRET_MARKER, SECRET_MARKER_BASE64]) {
        expect(`${shown}${JSON.stringify(world.delegated())}`).not.to.contain(secret);
      }
      for (const secret of [world.api.token, 'known-password']) expect(shown).not.to.contain(secret);
    });
  }

  const rejected: readonly (readonly [string, Partial<KubeconfigOptions>, object])[] = [
    ['no credentials', {auth: 'none'}, {}],
    ['a wrong password', {auth: 'basic', userFields: {password: 'wrong-password'}}, {}],
    ['a wrong token, through kubectl', {auth: 'token', userFields: {token: 'wrong-token'}}, PROXY],
  ];
  for (const [title, options, env] of rejected) {
    it(`with ${title} ends in an error that names the user`, async () => {
      connect(world, options);
      const ended = await world.tiltbuild(['-v', ...BUILD], {env: {...env}});
      expectRefused(world, ended, 4, 'user "me"', 'work-cluster', world.api.url);
      expect(ended.stderr).not.to.match(/wrong-(token|password)/);
    });
  }

  it('with a key that cannot be used ends in an error that says so', async () => {
    const key = '-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n';
    for (const text of [key, 'hello']) {
      connect(world, {userFields: {'client-key-data': Buffer.from(text).toString('base64')}});
      expectRefused(world, await world.tiltbuild(BUILD), 4, 'tls: ', /private key|key input/);
    }
  });

  for (const auth of ['token', 'token-file', 'basic', 'exec'] as const) {
    it(`(${auth}) is not shown where the API server repeats it`, async () => {
      connect(world, {auth});
      const body = 'no user for "known-token", "known-password"';
      world.api.state.failWith = {status: 400, contentType: 'text/plain', body};
      const ended = await world.tiltbuild(BUILD);
      expectRefused(world, ended, 4, 'no user for', '"***"');
      expect(ended.stderr).not.to.contain(auth === 'basic' ? 'known-password' : 'known-token');
    });
  }

  it('behind a proxy needs kubectl, and names it where PATH has none', async () => {
    connect(world);
    const ended = await world.tiltbuild(BUILD, {env: {...PROXY, PATH: world.sandbox.bin}});
    expectRefused(world, ended, 4, 'kubectl is not on PATH');
    expect(world.api.requests).to.deep.equal([]);
  });

  it('by a credential plugin runs it once, for all requests and both runs of the delegate', async () => {
    const runs = connectByPlugin(world, [world.api.token]);
    // The containerd of the builder's node is asked between the two passes.
    const file = join(world.sandbox.root, 'ref');
    const ended = await world.tiltbuild(['--image', 'localhost/web', '--ref-file', file, '.']);
    expect(ended.exitCode, ended.stderr).to.equal(0);
    expect(world.api.requests.map(({path}) => path).join(' ')).to.match(/\/pods\/buildkit-[\w-]+\/exec\b/);
    expect(world.sandbox.invocations().map(({login}) => login)).to.deep.equal([
      world.api.token,
      world.api.token,
    ]);
    expect(runs()).to.equal(1);
    expect(filesWith(world, world.api.token)).to.deep.equal([join(world.sandbox.root, 'plugin')]);
  });

  const lend = (name: string, text = 'kubectl tiltbuild login\nlent\n', mode = 0o600) => {
    const file = join(world.sandbox.root, name);
    mkdirSync(dirname(file), {recursive: true, mode: 0o700});
    writeFileSync(file, text, {mode});
    return file;
  };

  it('is taken from no other file, which is neither shown nor removed', async () => {
    connectByPlugin(world, [
      'of the plugin',
      'and again',
      'and again',
      'and again',
      'and again',
      'and again',
    ]);
    const own = 'kubectl-tiltbuild-1_1_1_host_abcdef';
    const open = lend('kubectl-tiltbuild-1_1_1_host_opened/login');
    chmodSync(dirname(open), 0o755);
    const twin = lend(`${own}/twin`);
    linkSync(twin, join(world.sandbox.root, 'twin'));
    symlinkSync(lend('elsewhere/login'), join(world.sandbox.root, own, 'link'));
    for (const file of [
      open,
      twin,
      join(world.sandbox.root, own, 'link'),
      lend('elsewhere/other'),
      lend(`${own}/unmarked`, 'lent\n'),
      lend(`${own}/readable`, undefined, 0o644),
    ]) {
      const {stdout, stderr} = await askLogin(world, file);
      expect(stdout + stderr, file)
        .to.contain('ExecCredential')
        .and.not.contain('lent');
      expect(readFileSync(file, 'utf8')).to.contain('lent');
    }
  });

  it('by a credential plugin is passed on once, and then comes from the plugin', async () => {
    const runs = connectByPlugin(world, ['of the plugin']);
    const file = lend('kubectl-tiltbuild-1_1_1_host_abcdef/login');
    const ask = async () => {
      const {exitCode, stdout} = await askLogin(world, file);
      return {exitCode, stdout};
    };
    expect(await ask()).to.deep.equal({exitCode: 0, stdout: 'lent\n'});
    expect(runs()).to.equal(0);
    const {stdout, exitCode} = await ask();
    expect({exitCode, status: JSON.parse(stdout).status}).to.deep.equal({
      exitCode: 0,
      status: {token: 'of the plugin'},
    });
    expect(await ask()).to.deep.equal({exitCode: 3, stdout: ''});
    expect(runs()).to.equal(2);
  });

  it('by a credential plugin runs it again if the login has expired', async () => {
    const runs = connectByPlugin(world, ['known-token-of-yesterday', world.api.token]);
    expectBuilt(world, await world.tiltbuild(BUILD), [], lentPins);
    expect(world.delegated().login).to.equal(world.api.token);
    expect(runs()).to.equal(2);
  });

  it('by a credential plugin that fails is an error, without another attempt through kubectl', async () => {
    const runs = connectByPlugin(world, []);
    const kubectl = recordKubectl(world.sandbox.root);
    const PATH = [kubectl.directory, world.sandbox.bin].join(delimiter);
    const ended = await world.tiltbuild(BUILD, {env: {PATH}});
    expectRefused(world, ended, 4, 'plugin', 'user "me"', 'exit code 3', 'no more tokens');
    expect({runs: runs(), kubectl: kubectl.argv()}).to.deep.equal({runs: 1, kubectl: []});
  });

  it('by a credential plugin that is missing or prints nonsense is an error of the plugin', async () => {
    connectByPlugin(world, ['x']);
    const plugin = join(world.sandbox.root, 'plugin');
    rmSync(plugin);
    expectRefused(world, await world.tiltbuild(BUILD), 4, 'user "me"', `executable ${plugin} not found`);
    writeFileSync(plugin, '#!/bin/sh\necho token\n', {mode: 0o700});
    expectRefused(world, await world.tiltbuild(BUILD), 4, 'user "me" cannot be used: decoding stdout');
  });

  const files: readonly (readonly [string, KubeconfigAuth])[] = [
    ['client.key', 'certificate-files'],
    ['token', 'token-file'],
  ];
  for (const [name, auth] of files) {
    it(`by a missing file is an error that names it: ${name}`, async () => {
      connect(world, {auth});
      rmSync(join(world.sandbox.root, name));
      expectRefused(world, await world.tiltbuild(BUILD), 4, join(world.sandbox.root, name));
    });
  }

  const overridden: readonly (readonly [string, Partial<KubeconfigOptions>, object])[] = [
    ['another token', {auth: 'token', userFields: {token: 'wrong-token'}}, {}],
    ['another token, through kubectl', {auth: 'token', userFields: {token: 'wrong-token'}}, PROXY],
    ['a credential plugin', {auth: 'exec'}, {}],
  ];
  for (const [title, options, env] of overridden) {
    it(`by --token takes precedence over ${title}, and the token is not shown`, async () => {
      connect(world, options);
      // It would give the same token.
      const failing = '#!/bin/sh\nexit 3\n';
      writeFileSync(join(world.sandbox.root, 'credential-plugin'), failing, {mode: 0o700});
      const kubectl = recordKubectl(world.sandbox.root);
      const PATH = [kubectl.directory, world.sandbox.bin].join(delimiter);
      const flags = ['-v', '--token', world.api.token];
      const ended = await world.tiltbuild([...flags, ...BUILD], {env: {...env, PATH}});
      const {argv, env: given, kubeconfigs} = world.delegated();
      const [own] = kubeconfigs;
      expectBuilt(world, ended, [], () => ['--kubeconfig', own?.path ?? '', '--namespace', 'default']);
      expect(kubeconfigs).to.have.length(1);
      expect(own).to.include({mode: 0o600, directoryMode: 0o700});
      expect(own?.content).to.contain(world.api.token);
      expect(own?.path.startsWith(world.sandbox.tmp)).to.equal(true);
      expect(new Set(world.api.requests.map(({user}) => user))).to.deep.equal(new Set(['token-user']));
      const shown = [ended.stdout, ended.stderr, JSON.stringify([argv, given]), ...kubectl.argv()];
      // Only kubectl knows the precedence of several credentials.
      const throughKubectl = 'HTTPS_PROXY' in env || options.auth === 'exec';
      expect(kubectl.argv().length > 0).to.equal(throughKubectl);
      for (const text of shown) expect(text).not.to.contain(world.api.token);
      expect(filesWith(world, world.api.token)).to.deep.equal([]);
    });
  }
});

describeCommand('the flags of kubectl', (world) => {
  for (const env of [{}, PROXY]) {
    it(`name the permission to impersonate that is missing (${JSON.stringify(env)})`, async () => {
      connect(world);
      const deed =
        'User "token-user" cannot impersonate resource "users" in API group "" at the cluster scope';
      world.api.state.failWith = failure(403, 'Forbidden', `users "jane" is forbidden: ${deed}`);
      for (const args of [BUILD, ['builder', 'ls']]) {
        const ended = await world.tiltbuild([...args, '--as', 'jane'], {env});
        expectRefused(world, ended, 4, 'permission to impersonate', deed, '--as');
        expect(ended.stderr).not.to.contain('to list');
      }
    });

    it(`impersonate (${JSON.stringify(env)})`, async () => {
      connect(world);
      const flags = ['--as', 'jane', '--as-group', 'dev', '--as-group', 'ops', '--as-uid', '7'];
      expectBuilt(world, await world.tiltbuild([...flags, ...BUILD], {env}), flags);
      expect(world.api.requests.length).to.be.greaterThan(2);
      for (const {impersonate} of world.api.requests) {
        expect(impersonate).to.deep.equal({user: 'jane', groups: ['dev', 'ops'], uid: '7', extra: {}});
      }
    });
  }

  type Case = readonly [string, Partial<KubeconfigOptions>, (world: World) => readonly string[]];
  const cases: readonly Case[] = [
    [
      '--server, --certificate-authority, --client-certificate and --client-key',
      {auth: 'none', clusterFields: {server: CLOSED, 'certificate-authority-data': undefined}},
      ({api, sandbox}) => {
        // Files in the working directory, named by relative paths.
        api.kubeconfig({auth: 'certificate-files', directory: sandbox.work});
        const client = ['--client-certificate', 'client.crt', '--client-key', 'client.key'];
        return ['--server', api.url, '--certificate-authority', 'authority.crt', ...client];
      },
    ],
    [
      '--insecure-skip-tls-verify',
      {clusterFields: {'certificate-authority-data': undefined}},
      () => ['--insecure-skip-tls-verify'],
    ],
    [
      '--tls-server-name',
      {clusterFields: {'tls-server-name': 'no.such'}},
      () => ['--tls-server-name', 'localhost'],
    ],
  ];
  for (const [title, options, prepare] of cases) {
    for (const env of [{}, PROXY]) {
      it(`lead to the cluster: ${title} (${JSON.stringify(env)})`, async () => {
        connect(world, options);
        expectRefused(world, await world.tiltbuild(BUILD, {env}), 4, 'work-cluster');
        const flags = prepare(world);
        expectBuilt(world, await world.tiltbuild([...flags, ...BUILD], {env}), withFullPaths(world, flags));
      });
    }
  }

  it('choose cluster, user and namespace', async () => {
    connect(world, {auth: 'none', clusterFields: {server: CLOSED}});
    const config = parse(readFileSync(world.sandbox.kubeconfig, 'utf8'));
    const good = parse(world.api.kubeconfig({auth: 'token', directory: world.sandbox.root}));
    config.clusters.push({...good.clusters[0], name: 'good cluster'});
    config.users.push({...good.users[0], name: 'good user'});
    world.sandbox.writeKubeconfig(stringify(config));
    const secret = {namespace: 'team', name: 'docker-registry', type: 'kubernetes.io/dockerconfigjson'};
    world.api.state.secrets = [secret];
    removeBuilders(world);
    addBuilder(world.api.state, {kind: 'ours', namespace: 'team'});
    const flags = ['--cluster=good cluster', '--user', 'good user', '-n', 'team'];
    const ended = await world.tiltbuild([...flags, ...BUILD]);
    const pins = () => pinned(world, {namespace: 'team'});
    expectBuilt(world, ended, ['--cluster', 'good cluster', '--user', 'good user'], pins);
  });

  for (const [way, env] of WAYS) {
    it(`set the timeout of a request, and the cache directory, ${way}`, async () => {
      connect(world);
      world.api.state.delayMs = 3000;
      const ended = await world.tiltbuild(['--request-timeout', '300ms', ...BUILD], {env});
      expectRefused(world, ended, 4, world.api.url);
      expect(ended.stderr).to.match(/within|time ?out/i);
      world.api.state.delayMs = 0;
      const flags = ['--request-timeout', '20s', '--cache-dir', 'my cache'];
      expectBuilt(world, await world.tiltbuild([...flags, ...BUILD], {env}), withFullPaths(world, flags));
      expect(readdirSync(world.sandbox.work).includes('my cache')).to.equal(way === 'through kubectl');
    });
  }
});

describeCommand('the way to the API server', (world) => {
  for (const [way, env] of WAYS) {
    it(`keeps the path of the server's address, ${way}`, async () => {
      await withServer({basePath: '/clusters/a'}, async (api) => {
        connect(world, {}, api);
        expectBuilt(world, await world.tiltbuild(BUILD, {env}));
        const agent = way === 'directly' ? /^kubectl-tiltbuild$/ : /^kubectl\//;
        for (const {userAgent} of api.requests) expect(userAgent).to.match(agent);
        const paths = api.requests.map(({path}) => path);
        expect(paths).to.include('/api/v1/namespaces/default/secrets/docker-registry');
        expect(paths.filter((path) => path.startsWith('(outside'))).to.deep.equal([]);
      });
    });

    // With two groups the request does not go through fetch, which knows no repeated headers.
    for (const groups of [[], ['--as', 'jane', '--as-group', 'dev', '--as-group', 'ops']]) {
      it(`trusts no server of another authority, whatever the runtime's variables say, ${way} ${groups}`, async () => {
        const other = Buffer.from((await makeCertificateAuthority()).certificate).toString('base64');
        connect(world, {clusterFields: {'certificate-authority-data': other}});
        const ended = await world.tiltbuild([...groups, ...BUILD], {
          env: {...env, NODE_TLS_REJECT_UNAUTHORIZED: '0'},
        });
        expectRefused(world, ended, 4, world.api.url, 'certificate');
        expect(world.api.requests).to.deep.equal([]);
      });
    }

    const html = {contentType: 'text/html'};
    const json = {contentType: 'application/json', status: 200};
    const answers: readonly World['api']['state']['failWith'][] = [
      503,
      {...html, status: 200, body: '<h1>Log in</h1>'},
      {...json, body: '{"kind":"Table"'},
      ...(way === 'directly'
        ? [
            {...html, status: 404, body: '<h1>no such page</h1>'},
            {...json, body: '{"ok":true}'},
            {...json, body: '[]'},
            {...json, body: ''},
            // kubectl tries again for ten seconds and more.
            'destroy' as const,
          ]
        : []),
    ];
    it(`is an error that names a server that gives no proper answer, ${way}`, async () => {
      connect(world);
      for (const answer of answers) {
        world.api.state.failWith = answer;
        const ended = await world.tiltbuild(BUILD, {env});
        expectRefused(world, ended, 4, world.api.url);
        // The runtime's own words are for programmers.
        expect(ended.stderr).not.to.contain('fetch()');
      }
      connect(world, {clusterFields: {server: CLOSED}});
      const ended = await world.tiltbuild(BUILD, {env});
      expectRefused(world, ended, 4, CLOSED, 'work-cluster', /nothing listens there|refused/);
    });
  }
});

/** Files of the sandbox that contain the text, except for the delegate's log. */
function filesWith({sandbox}: World, text: string): readonly string[] {
  return readdirSync(sandbox.root, {recursive: true, withFileTypes: true})
    .filter((entry) => entry.isFile() && !entry.parentPath.endsWith('delegate-log'))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => readFileSync(path, 'utf8').includes(text));
}
