/** `doctor` as a whole: a cluster in health, and sick ones. The limit is wide, so that a slow machine finds no more. */
import {mkdirSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {delimiter, join} from 'node:path';
import {expect} from 'chai';
import {recordEvent} from '../helpers/api/pods.ts';
import {addBuilder, node, runningPod, SECRET_MARKER, SECRET_MARKER_BASE64} from '../helpers/api-server.ts';
import type {Ended} from '../helpers/programs.ts';
import {
  changedPaths,
  describeCommand,
  PLAIN_NAMES,
  removeBuilders,
  WAYS,
  type World,
} from '../helpers/world.ts';

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

const AFTER_SERVER = ['user', 'rights', 'nodes', 'builder', 'pull-secret'];
const skipped = (...names: readonly string[]) => names.map((name) => `${name} skipped`);
const REPLACE = 'kubectl tiltbuild builder create buildkit --replace --namespace default';

interface Sick {
  readonly title: string;
  /** Makes it sick; may give more arguments and another environment. */
  readonly harm: (world: World) => unknown;
  readonly args?: readonly string[];
  readonly env?: (world: World) => Env;
  readonly marked: readonly string[];
  /** Whether a build would work all the same. */
  readonly works?: boolean;
  /** Of a check: what it found, and the fix. */
  readonly told: Readonly<Record<string, readonly [found: string, fix?: string]>>;
}

const SICK: readonly Sick[] = [
  {
    title: 'no kubeconfig',
    harm: ({sandbox}) => rmSync(sandbox.kubeconfig),
    marked: ['kubeconfig fail', ...skipped('server', 'user', 'rights', 'product', ...AFTER_SERVER.slice(2))],
    told: {kubeconfig: ['No kubeconfig']},
  },
  {
    title: 'an API server that is down',
    harm: ({api}) => api.close(),
    marked: ['server fail', ...skipped(...AFTER_SERVER)],
    told: {server: ['Could not reach the API server', 'docker start demo-control-plane']},
  },
  ...WAYS.map((through) => ({
    title: `a user who is not accepted (${through})`,
    harm: (world: World) => world.connect({through, auth: 'token', userFields: {token: 'gone'}}),
    marked: ['user fail', ...skipped(...AFTER_SERVER.slice(1))],
    told: {user: ['rejected the credentials of user "kind-demo"', 'Log in again']} as const,
  })),
  ...WAYS.map((through) => ({
    title: `a login plugin that is not installed (${through})`,
    harm: (world: World) => {
      const apiVersion = 'client.authentication.k8s.io/v1';
      const exec = {apiVersion, command: 'my-login', interactiveMode: 'Never', installHint: 'Ask Bob.'};
      world.connect({through, auth: 'none', userFields: {exec}});
    },
    marked: ['user fail', ...skipped(...AFTER_SERVER.slice(1))],
    told: {user: ['executable my-login not found', 'Ask Bob.']} as const,
  })),
  {
    title: 'a missing permission, a second builder and no pull secret',
    harm: ({api}) => {
      api.state.forbidden.add('create pods/exec');
      addBuilder(api.state, {kind: 'ours', name: 'older'});
    },
    args: ['--registry-secret', 'ghcr'],
    marked: ['rights fail', 'builder warn', 'pull-secret fail'],
    told: {
      rights: [
        'you do not have permission to create pods/exec',
        'kubectl create rolebinding kubectl-tiltbuild --clusterrole edit --user certificate-user --namespace default',
      ],
      builder: [
        'every image passes through your machine',
        'kubectl tiltbuild builder rm older --namespace default',
      ],
      'pull-secret': [
        'The pull secret "ghcr" (from --registry-secret) does not exist',
        'kubectl create secret docker-registry ghcr --namespace default',
      ],
    },
  },
  {
    title: 'k3d by its nodes, which run cri-o, and no builder',
    harm: (world) => {
      world.connect({names: PLAIN_NAMES});
      removeBuilders(world);
      const [name, providerID] = ['k3d-demo-server-0', 'k3s://k3d-demo-server-0'];
      world.api.state.nodes = [node({name, providerID, containerRuntimeVersion: 'cri-o://1.34.0'})];
    },
    marked: ['product fail', 'nodes fail', 'builder fail'],
    told: {
      product: ['k3d: node "k3d-demo-server-0"', 'kind create cluster'],
      nodes: ['The nodes run cri-o', 'rootless'],
    },
  },
  {
    title: "kaniko's kubectl-build, a second one, and an empty entry of PATH",
    harm: ({sandbox}) => {
      const second = join(sandbox.root, 'second');
      mkdirSync(second);
      writeFileSync(join(sandbox.bin, 'kubectl-build'), '#!/bin/sh\n# gcr.io/kaniko-project\nexit 9\n');
      writeFileSync(join(second, 'kubectl-build'), '#!/bin/sh\n', {mode: 0o755});
      // The same file by another name is no second one.
      symlinkSync(join(sandbox.bin, 'kubectl-buildkit'), join(second, 'kubectl-buildkit'));
    },
    env: ({sandbox}) => ({PATH: [sandbox.env.PATH, join(sandbox.root, 'second'), ''].join(delimiter)}),
    marked: ['build warn', 'path warn'],
    works: true,
    told: {build: ['kaniko'], path: ['kubectl-build is on PATH more than once']},
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
    told: {builder: ['others may use it', REPLACE]},
  },
  {
    title: 'a node whose disk is nearly full',
    harm: ({api}) => {
      api.state.diskUsed = 0.86;
    },
    marked: ['nodes warn'],
    works: true,
    told: {nodes: ['the disk of kind-control-plane is 86 % full', 'kubectl tiltbuild builder images prune']},
  },
  {
    title: 'a pod that pulls an image which was built for it',
    harm: ({api}) => {
      const place = {name: 'web', namespace: 'default', node: 'kind-control-plane'};
      const pod = runningPod({...place, image: 'localhost/web:latest'});
      pod.spec.containers[0].imagePullPolicy = 'Always';
      pod.status.containerStatuses[0].state = {waiting: {reason: 'ImagePullBackOff'}};
      const others = ['gone', 'web', 'fine'].map((name) => runningPod({...place, name, image: 'nginx'}));
      api.state.pods.push(pod, others[2] as typeof pod);
      const message = 'Failed to pull image "localhost/web:latest": not found';
      for (const of of [...others, pod])
        recordEvent(api.state, of, {type: 'Warning', reason: 'Failed', message});
    },
    marked: ['images warn'],
    works: true,
    told: {images: ['pod "web" cannot use localhost/web:latest', 'imagePullPolicy: IfNotPresent']},
  },
  {
    title: 'a builder that is stuck',
    harm: (world) => {
      removeBuilders(world);
      world.api.state.builder.outcome = 'stuck-image';
      addBuilder(world.api.state, {kind: 'ours'});
    },
    marked: ['builder fail'],
    told: {builder: ['cannot be pulled', '--image IMAGE']},
  },
  {
    title: 'no kubectl where nothing else can ask the cluster',
    harm: (world) => world.connect({through: 'kubectl'}),
    env: ({sandbox}) => ({PATH: sandbox.bin}),
    marked: skipped('server', ...AFTER_SERVER),
    told: {kubectl: ['not on PATH, and nothing else can reach this cluster']},
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
    expect(changedPaths(world)).to.deep.equal([]);
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
    expect(changedPaths(world)).to.deep.equal([]);
  });

  it('shows it as text, one line of verdict at the end', async () => {
    const {stdout, exitCode} = await world.tiltbuild(['doctor', ...LIMIT], {timeoutMs: 60_000});
    expect(exitCode).to.equal(0);
    const builder = /^. kubectl {3}[\s\S]*\n✓ builder {11}"buildkit" is ready[\s\S]*/;
    expect(stdout)
      .to.match(new RegExp(`${builder.source}\\n\\nA build would work.*\\n$`))
      .and.not.contain('\u001b');
  });

  for (const {title, harm, args, env, marked, told, works = false} of SICK) {
    it(`finds what is wrong: ${title}`, async () => {
      await harm(world);
      const {ended, ...examined} = await examine(world, args, env?.(world));
      expect(examined.marked).to.deep.equal(marked);
      expect(examined.works).to.equal(works);
      for (const [check, [found, fix]] of Object.entries(told)) {
        expect(examined.checks[check]?.found).to.contain(found);
        if (fix !== undefined) expect(examined.checks[check]?.fix?.text).to.contain(fix);
      }
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
    const {checks} = await examine(world, ['--timeout', '1s']);
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
  for (const old of ['none', 'plugin'] as const) {
    it(`creates a builder with --yes, and looks again (before: ${old})`, async () => {
      removeBuilders(world);
      if (old === 'plugin') addBuilder(world.api.state, {kind: old});
      const {works, marked} = await examine(world, ['--fix', '--yes']);
      expect({works, marked}).to.deep.equal({works: true, marked: []});
      const [builder, ...others] = world.api.state.deployments;
      expect(builder?.metadata.labels).to.include({'app.kubernetes.io/managed-by': 'kubectl-tiltbuild'});
      expect(others).to.deep.equal([]);
    });
  }

  it('changes nothing where it cannot ask', async () => {
    removeBuilders(world);
    const {works, marked, ended} = await examine(world, ['--fix']);
    expect({works, marked}).to.deep.equal({works: true, marked: ['builder warn']});
    expect(ended.stderr).to.contain('nothing was changed').and.contain('--yes');
    expect(changedPaths(world)).to.deep.equal([]);
  });

  for (const what of ['works', 'a build would leave alone', 'cannot be created'] as const) {
    it(`changes nothing about a builder that ${what}`, async () => {
      if (what !== 'works') removeBuilders(world);
      if (what === 'a build would leave alone') addBuilder(world.api.state, {kind: 'foreign'});
      if (what === 'cannot be created') world.api.state.forbidden.add('create deployments');
      const {ended} = await examine(world, ['--fix', '--yes']);
      expect(ended.stderr).to.contain('there is nothing that --fix can repair');
      expect(changedPaths(world)).to.deep.equal([]);
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
  it('refuses what cannot be meant, before any request', async () => {
    for (const [args, word] of [
      [['.'], './doctor'],
      [['--nope'], '--nope'],
      [['--yes'], '--fix'],
    ] as const) {
      const ended = await world.tiltbuild(['doctor', ...args]);
      expect(ended).to.include({exitCode: 2, stdout: ''});
      expect(ended.stderr).to.contain(word);
    }
    expect(world.api.requests).to.deep.equal([]);
  });
});
