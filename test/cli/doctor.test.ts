/** `doctor` as a whole: a cluster in health, and sick ones. The limit is wide, so that a slow machine finds no more. */
import {mkdirSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {delimiter, join} from 'node:path';
import {expect} from 'chai';
import {addBuilder, node, SECRET_MARKER, SECRET_MARKER_BASE64} from '../helpers/api-server.ts';
import type {Ended} from '../helpers/programs.ts';
import {describeCommand, KIND_NAMES, PLAIN_NAMES, type World} from '../helpers/world.ts';

interface Check {
  readonly name: string;
  readonly mark: 'ok' | 'warn' | 'fail' | 'skipped';
  readonly found: string;
  readonly fix: {readonly kind: string; readonly text: string} | null;
  readonly waitsFor: string | null;
}

interface Examined {
  readonly ended: Ended;
  readonly works: boolean;
  /** By name. */
  readonly checks: Readonly<Record<string, Check>>;
  /** Names of those that are not ok. */
  readonly marked: readonly string[];
}

/** kubectl's version is that of the machine. */
const LIMIT = ['--timeout', '60s'];

type Env = Readonly<Record<string, string | undefined>>;

async function examine(world: World, args: readonly string[] = [], env: Env = {}): Promise<Examined> {
  const ended = await world.tiltbuild(['doctor', '-o', 'json', ...LIMIT, ...args], {env, timeoutMs: 60_000});
  expect([0, 4], ended.stderr).to.include(ended.exitCode);
  const {works, checks} = JSON.parse(ended.stdout) as {works: boolean; checks: readonly Check[]};
  expect(ended.exitCode).to.equal(works ? 0 : 4);
  return {
    ended,
    works,
    checks: Object.fromEntries(checks.map((check) => [check.name, check])),
    marked: checks
      .filter(({name, mark}) => mark !== 'ok' && name !== 'kubectl')
      .map(({name, mark}) => `${name} ${mark}`),
  };
}

function removeBuilders({api}: World): void {
  Object.assign(api.state, {deployments: [], configmaps: [], pods: []});
}

const changes = ({api}: World) =>
  api.requests.filter(({method, path}) => method !== 'GET' && !/\/(selfsubject\w+|exec)$/.test(path));

const skipped = (...names: readonly string[]) => names.map((name) => `${name} skipped`);
const CREATE = 'kubectl tiltbuild builder create buildkit';

interface Sick {
  readonly title: string;
  /** Makes it sick; may give more arguments. */
  readonly harm: (world: World) => unknown;
  readonly args?: readonly string[];
  readonly env?: (world: World) => Env;
  readonly works?: boolean;
  readonly marked: readonly string[];
  readonly check: string;
  readonly found: string;
  readonly fix?: string;
}

const SICK: readonly Sick[] = [
  {
    title: 'no kubeconfig',
    harm: ({sandbox}) => rmSync(sandbox.kubeconfig),
    marked: [
      'kubeconfig fail',
      ...skipped('server', 'user', 'rights', 'product', 'nodes', 'builder', 'pull-secret'),
    ],
    check: 'kubeconfig',
    found: 'No kubeconfig',
  },
  {
    title: 'a context that is missing',
    harm: () => undefined,
    args: ['--context', 'kind-dmeo'],
    marked: [
      'kubeconfig fail',
      ...skipped('server', 'user', 'rights', 'product', 'nodes', 'builder', 'pull-secret'),
    ],
    check: 'kubeconfig',
    found: 'no context "kind-dmeo"',
    fix: 'Did you mean --context kind-demo?',
  },
  {
    title: 'an API server that is down',
    harm: ({api}) => api.close(),
    marked: ['server fail', ...skipped('user', 'rights', 'nodes', 'builder', 'pull-secret')],
    check: 'server',
    found: 'Could not reach the API server',
    fix: 'docker start demo-control-plane',
  },
  {
    title: 'a user who is not accepted',
    harm: (world) => world.connect({auth: 'token', userFields: {token: 'gone'}}),
    marked: ['user fail', ...skipped('rights', 'nodes', 'builder', 'pull-secret')],
    check: 'user',
    found: 'rejected the credentials of user "kind-demo"',
    fix: 'Log in again',
  },
  {
    title: 'a user who is not accepted, seen through kubectl',
    harm: (world) =>
      world.connect({auth: 'token', userFields: {token: 'gone'}, clusterFields: {'proxy-url': ''}}),
    env: () => ({NO_PROXY: '127.0.0.1', HTTPS_PROXY: 'http://127.0.0.1:1'}),
    marked: ['user fail', ...skipped('rights', 'nodes', 'builder', 'pull-secret')],
    check: 'user',
    found: 'rejected the credentials of user "kind-demo"',
    fix: 'Log in again',
  },
  {
    title: 'a missing permission',
    harm: ({api}) => api.state.forbidden.add('create pods/exec'),
    marked: ['rights fail'],
    check: 'rights',
    found: 'you do not have permission to create pods/exec',
    fix: 'kubectl create rolebinding kubectl-tiltbuild --clusterrole edit --user certificate-user --namespace default',
  },
  {
    title: 'Deployments that cannot be listed',
    harm: ({api}) => api.state.forbidden.add('deployments'),
    marked: ['rights fail', 'builder skipped'],
    check: 'rights',
    found: 'permission to get deployments.apps, list deployments.apps',
  },
  {
    title: 'k3d, by its name',
    harm: (world) => world.connect({names: {...KIND_NAMES, cluster: 'k3d-demo'}}),
    marked: ['product fail'],
    check: 'product',
    found: 'k3d: the cluster is called "k3d-demo"',
    fix: 'kind create cluster',
  },
  {
    title: 'k3d, by its nodes',
    harm: (world) => {
      world.connect({names: PLAIN_NAMES});
      world.api.state.nodes = [node({name: 'k3d-demo-server-0', providerID: 'k3s://k3d-demo-server-0'})];
    },
    marked: ['product fail'],
    check: 'product',
    found: 'k3d: node "k3d-demo-server-0"',
  },
  {
    title: 'no kubectl-build',
    harm: ({sandbox}) => rmSync(join(sandbox.bin, 'kubectl-build')),
    marked: ['build fail'],
    check: 'build',
    found: 'there is no kubectl-build',
    fix: 'https://github.com/',
  },
  {
    title: "kaniko's kubectl-build",
    harm: ({sandbox}) =>
      writeFileSync(join(sandbox.bin, 'kubectl-build'), '#!/bin/sh\n# gcr.io/kaniko-project\nexit 9\n'),
    marked: ['build fail'],
    check: 'build',
    found: 'builds with kaniko',
  },
  {
    title: 'no builder',
    harm: removeBuilders,
    works: true,
    marked: ['builder warn'],
    check: 'builder',
    found: 'there is no "buildkit" yet',
    fix: `${CREATE} --namespace default`,
  },
  {
    title: 'no builder, in a namespace that is none',
    harm: () => undefined,
    args: ['--namespace', 'nowhere'],
    marked: ['builder fail'],
    check: 'builder',
    found: 'no namespace "nowhere"',
    fix: 'kubectl create namespace nowhere',
  },
  {
    title: 'no builder, and no permission to create one',
    harm: (world) => {
      removeBuilders(world);
      world.api.state.forbidden.add('create deployments');
    },
    marked: ['rights warn', 'builder fail'],
    check: 'builder',
    found: 'none can be created: you do not have permission to create deployments.apps',
  },
  {
    title: "the plugin's own builder",
    harm: (world) => {
      removeBuilders(world);
      addBuilder(world.api.state, {kind: 'plugin'});
    },
    works: true,
    marked: ['builder warn'],
    check: 'builder',
    found: 'cannot run RUN steps',
    fix: `${CREATE} --replace --namespace default`,
  },
  {
    title: "the plugin's own builder, where others may use it",
    harm: (world) => {
      removeBuilders(world);
      addBuilder(world.api.state, {kind: 'plugin'});
      world.connect({names: PLAIN_NAMES});
      world.api.state.nodes = [node({providerID: 'other://node'})];
    },
    marked: ['builder fail'],
    check: 'builder',
    found: 'others may use it',
    fix: `${CREATE} --replace --namespace default`,
  },
  {
    title: 'a second builder',
    harm: ({api}) => addBuilder(api.state, {kind: 'ours', name: 'older'}),
    works: true,
    marked: ['builder warn'],
    check: 'builder',
    found: 'every image passes through your machine',
    fix: 'kubectl tiltbuild builder rm older --namespace default',
  },
  {
    title: 'a builder that is stuck',
    harm: async (world) => {
      removeBuilders(world);
      world.api.state.builder.outcome = 'stuck-image';
      const args = ['builder', 'create', '--timeout', '60s'];
      const ended = await world.tiltbuild(args, {timeoutMs: 60_000});
      expect(ended.exitCode, ended.stderr).to.equal(4);
    },
    marked: ['builder fail'],
    check: 'builder',
    found: 'cannot be pulled',
    fix: '--builder-image',
  },
  {
    title: 'a pull secret that is missing',
    harm: () => undefined,
    args: ['--registry-secret', 'ghcr'],
    marked: ['pull-secret fail'],
    check: 'pull-secret',
    found: 'The pull secret "ghcr" (from --registry-secret) does not exist',
    fix: 'kubectl create secret docker-registry ghcr --namespace default',
  },
  {
    title: 'a pull secret of another type',
    harm: ({api}) => api.state.secrets.push({namespace: 'default', name: 'ghcr', type: 'Opaque'}),
    env: () => ({KUBECTL_BUILD_REGISTRY_SECRET: 'ghcr'}),
    marked: ['pull-secret fail'],
    check: 'pull-secret',
    found: 'is of type Opaque',
    fix: '--registry-secret docker-registry',
  },
  {
    title: 'nodes that run cri-o, and no builder',
    harm: (world) => {
      removeBuilders(world);
      world.api.state.nodes = [node({containerRuntimeVersion: 'cri-o://1.34.0'})];
    },
    marked: ['nodes fail', 'builder fail'],
    check: 'nodes',
    found: 'The nodes run cri-o',
    fix: 'rootless',
  },
  {
    title: 'a second kubectl-build, and an empty entry of PATH',
    harm: ({sandbox}) => {
      const second = join(sandbox.root, 'second');
      mkdirSync(second);
      writeFileSync(join(second, 'kubectl-build'), '#!/bin/sh\n', {mode: 0o755});
      // The same file by another name is no second one.
      symlinkSync(join(sandbox.bin, 'kubectl-buildkit'), join(second, 'kubectl-buildkit'));
    },
    env: ({sandbox}) => ({PATH: [sandbox.env.PATH, join(sandbox.root, 'second'), ''].join(delimiter)}),
    works: true,
    marked: ['path warn'],
    check: 'path',
    found: 'kubectl-build is on PATH more than once',
  },
  {
    title: 'no kubectl, with a builder that works',
    harm: () => undefined,
    env: ({sandbox}) => ({PATH: sandbox.bin}),
    works: true,
    marked: [],
    check: 'kubectl',
    found: 'not on PATH; creating and repairing builders needs it',
  },
  {
    title: 'no kubectl where nothing else can ask the cluster',
    harm: (world) => world.connect({through: 'kubectl'}),
    env: ({sandbox}) => ({PATH: sandbox.bin}),
    marked: skipped('server', 'user', 'rights', 'nodes', 'builder', 'pull-secret'),
    check: 'kubectl',
    found: 'not on PATH, and nothing else can reach this cluster',
  },
];

describeCommand('doctor', (world) => {
  it('finds a cluster in health, and changes nothing', async () => {
    const {works, marked, checks} = await examine(world);
    expect({works, marked}).to.deep.equal({works: true, marked: []});
    expect(checks.buildkit?.found).to.contain('v0.0.0+unknown, ');
    expect(checks.kubeconfig?.found).to.equal('context "kind-demo", namespace "default"');
    expect(checks.server?.found).to.contain('Kubernetes v1.36.2');
    expect(checks.user?.found).to.equal('certificate-user');
    expect(checks.product?.found).to.contain('kind');
    expect(checks.nodes?.found).to.contain('containerd 2.1.9');
    expect(checks.builder?.found).to.equal('"buildkit" is ready: BuildKit v0.32.2, RUN works');
    expect(checks['pull-secret']?.found).to.contain('"docker-registry"');
    expect(changes(world)).to.deep.equal([]);
    expect(world.sandbox.invocations()).to.deep.equal([]);
  });

  it('finds the same through kubectl', async () => {
    const direct = await examine(world);
    world.connect({auth: 'token', through: 'kubectl'});
    const {works, marked, checks} = await examine(world);
    expect({works, marked}).to.deep.equal({works: true, marked: []});
    expect(checks.user?.found).to.equal('token-user');
    for (const name of ['rights', 'product', 'nodes', 'builder', 'pull-secret'])
      expect(checks[name]?.found).to.equal(direct.checks[name]?.found);
    expect(changes(world)).to.deep.equal([]);
  });

  it('shows it as text, one line of verdict at the end', async () => {
    const {stdout, exitCode} = await world.tiltbuild(['doctor', ...LIMIT], {timeoutMs: 60_000});
    expect(exitCode).to.equal(0);
    expect(stdout)
      .to.match(/^. kubectl {3}/)
      .and.contain('✓ builder           "buildkit" is ready');
    expect(stdout)
      .to.match(/\n\nA build would work.*\n$/)
      .and.not.contain('\u001b');
  });

  for (const {title, harm, args, env, works = false, marked, check, found, fix} of SICK) {
    it(`finds what is wrong: ${title}`, async () => {
      await harm(world);
      const {ended, ...examined} = await examine(world, args, env?.(world));
      expect(examined.marked).to.deep.equal(marked);
      expect(examined.works).to.equal(works);
      expect(examined.checks[check]?.found).to.contain(found);
      if (fix !== undefined) expect(examined.checks[check]?.fix?.text).to.contain(fix);
      for (const {mark, waitsFor} of Object.values(examined.checks)) {
        if (mark === 'skipped')
          expect(examined.checks[waitsFor ?? '']?.mark).to.be.oneOf(['fail', 'skipped']);
      }
      const shown = ended.stdout + ended.stderr;
      expect(shown).not.to.contain(SECRET_MARKER).and.not.to.contain(SECRET_MARKER_BASE64);
    });
  }

  it('reports the version of Tilt, and does not wait for one that hangs', async () => {
    const tilt = join(world.sandbox.bin, 'tilt');
    writeFileSync(tilt, `#!${process.execPath}\nconsole.log('v0.37.0, built 2026-01-02');\n`, {mode: 0o755});
    expect((await examine(world)).checks.tilt?.found).to.equal(`v0.37.0, ${tilt}`);
    writeFileSync(tilt, `#!${process.execPath}\nsetInterval(() => {}, 1000);\n`);
    const {checks} = await examine(world, ['--timeout', '2s']);
    expect(checks.tilt).to.deep.include({mark: 'ok', found: `${tilt}, version unknown`});
  });

  it('does not wait for an API server that does not answer', async () => {
    world.api.state.delayMs = 600_000;
    const {marked, checks} = await examine(world, ['--timeout', '1s']);
    expect(marked).to.include('server fail');
    expect(checks.server?.found).to.contain('did not answer within 1 s');
  });

  it('takes the flags of a build for the cluster, the builder and the secret', async () => {
    const {state, token, url} = world.api;
    state.namespaces.add('team');
    addBuilder(state, {kind: 'ours', name: 'mine', namespace: 'team'});
    state.secrets.push({namespace: 'team', name: 'ghcr', type: 'kubernetes.io/dockerconfigjson'});
    world.connect({auth: 'none'});
    const flags = ['-n', 'team', '--builder', 'mine', '--registry-secret=ghcr', '--token', token, '-s', url];
    const {works, marked, checks, ended} = await examine(world, flags);
    expect({works, marked}).to.deep.equal({works: true, marked: []});
    expect(checks.builder?.found).to.contain('"mine" is ready');
    expect(checks['pull-secret']?.found).to.contain('"ghcr"');
    expect(checks.user?.found).to.equal('token-user');
    expect(ended.stdout + ended.stderr).not.to.contain(token);
  });
});

describeCommand('doctor --fix', (world) => {
  const builderImage = () =>
    world.api.state.deployments.map(({metadata}) => metadata.labels?.['app.kubernetes.io/managed-by']);

  it('creates a missing builder with --yes, and looks again', async () => {
    removeBuilders(world);
    const {works, marked} = await examine(world, ['--fix', '--yes']);
    expect({works, marked}).to.deep.equal({works: true, marked: []});
    expect(builderImage()).to.deep.equal(['kubectl-tiltbuild']);
  });

  it("replaces the plugin's with one that works", async () => {
    removeBuilders(world);
    addBuilder(world.api.state, {kind: 'plugin'});
    const {works, marked} = await examine(world, ['--fix', '-y']);
    expect({works, marked}).to.deep.equal({works: true, marked: []});
    expect(builderImage()).to.deep.equal(['kubectl-tiltbuild']);
  });

  it('changes nothing where it cannot ask', async () => {
    removeBuilders(world);
    const {marked, ended} = await examine(world, ['--fix']);
    expect(marked).to.deep.equal(['builder warn']);
    expect(ended.stderr).to.contain('nothing was changed').and.contain('--yes');
    expect(changes(world)).to.deep.equal([]);
  });

  for (const [what, harm] of [
    ['works', () => undefined],
    [
      'a build would leave alone',
      () => {
        removeBuilders(world);
        addBuilder(world.api.state, {kind: 'foreign'});
        addBuilder(world.api.state, {kind: 'plugin', name: 'other'});
      },
    ],
    [
      'cannot be created',
      () => {
        removeBuilders(world);
        world.api.state.forbidden.add('create deployments');
      },
    ],
  ] as const) {
    it(`changes nothing about a builder that ${what}`, async () => {
      harm();
      const {ended} = await examine(world, ['--fix', '--yes']);
      expect(ended.stderr).to.contain('there is nothing that --fix can repair');
      expect(changes(world)).to.deep.equal([]);
    });
  }

  it('says what went wrong, and looks again', async () => {
    removeBuilders(world);
    world.api.state.builder.outcome = 'stuck-image';
    const {marked, ended} = await examine(world, ['--fix', '--yes']);
    expect(marked).to.deep.equal(['builder fail']);
    expect(ended.stderr).to.contain('--fix failed').and.contain('cannot be pulled');
  });
});

describeCommand('doctor as a word', (world) => {
  it('has help of its own', async () => {
    const {stdout, exitCode} = await world.tiltbuild(['doctor', '--help']);
    expect(exitCode).to.equal(0);
    expect(stdout).to.contain('kubectl tiltbuild doctor').and.contain('--fix').and.contain('--namespace');
    expect((await world.tiltbuild(['--help'])).stdout).to.contain('doctor   Check everything');
  });

  for (const [args, word] of [
    [['.'], './doctor'],
    [['--nope'], '--nope'],
    [['--yes'], '--fix'],
    [['--timeout', 'soon'], 'soon'],
    [['--output', 'yaml'], 'yaml'],
    [['--builder', 'No_Name'], 'No_Name'],
    [['--', 'more'], 'more'],
  ] as const) {
    it(`refuses what cannot be meant: ${args.join(' ')}`, async () => {
      const ended = await world.tiltbuild(['doctor', ...args]);
      expect(ended).to.include({exitCode: 2, stdout: ''});
      expect(ended.stderr).to.contain(word);
      expect(world.api.requests).to.deep.equal([]);
    });
  }

  it('is a directory as ./doctor', async () => {
    mkdirSync(join(world.sandbox.work, 'doctor'));
    writeFileSync(join(world.sandbox.work, 'doctor', 'Dockerfile'), 'FROM scratch\n');
    const ended = await world.tiltbuild(['-t', 'localhost/web:dev', './doctor']);
    expect(ended.exitCode, ended.stderr).to.equal(0);
    expect(world.delegated().argv.at(-1)).to.contain('doctor');
  });
});
