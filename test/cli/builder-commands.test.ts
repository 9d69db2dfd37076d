/** `kubectl tiltbuild builder …`: what each prints, what it changes in the cluster, and what it refuses. */
import {existsSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {delimiter, join} from 'node:path';
import {expect} from 'chai';
import {parseAllDocuments} from 'yaml';
import {addBuilder, node} from '../helpers/api-server.ts';
import {realKubectlDirectory} from '../helpers/real-kubectl.ts';
import {describeCommand, PLAIN_NAMES, type World} from '../helpers/world.ts';

const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments';
const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';
const IMAGE = 'docker.io/moby/buildkit:v0.32.2';
const COMMANDS = ['ls', 'create', 'rm', 'logs', 'du', 'prune'] as const;

function golden(name: string): readonly unknown[] {
  const file = join(import.meta.dirname, '..', 'fixtures', 'builder', `${name}.yaml`);
  return parseAllDocuments(readFileSync(file, 'utf8'))
    .map((document) => document.toJS())
    .filter((object) => object !== null);
}

const parseAll = (text: string) => parseAllDocuments(text).map((document) => document.toJS());

function removeBuilders({api}: World): void {
  Object.assign(api.state, {deployments: [], configmaps: [], pods: []});
}

function changes({api}: World): readonly string[] {
  return api.requests
    .filter(({method, path}) => method !== 'GET' && !/\/(selfsubject\w+|exec)$/.test(path))
    .map(({method, path}) => `${method} ${path}`);
}

/** What was run in the builder's pods, without the question whether a build runs. */
const commandsRun = ({api}: World) =>
  api.requests.map(({command}) => command).filter(({length}) => length > 0);

function runBuildOn({api}: World): void {
  api.state.exec = ([program]) => (program === 'pgrep' ? {stdout: '4711\n'} : {failure: 'not asked'});
}

async function expectDone(world: World, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const ended = await world.tiltbuild(['builder', ...args], {env});
  expect(ended.exitCode, ended.stderr).to.equal(0);
  expect(world.sandbox.invocations()).to.deep.equal([]);
  return ended;
}

async function expectRefused(
  world: World,
  exitCode: number,
  args: readonly string[],
  ...words: readonly string[]
) {
  const ended = await world.tiltbuild(['builder', ...args]);
  expect(ended, ended.stderr).to.include({exitCode, stdout: ''});
  for (const word of words) expect(ended.stderr).to.contain(word);
  expect(changes(world)).to.deep.equal([]);
}

describeCommand('builder ls', (world) => {
  const table = (stdout: string) =>
    stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split(/ {3,}/));

  it('shows each builder of the namespace in a line', async () => {
    addBuilder(world.api.state, {kind: 'plugin', name: 'older'});
    addBuilder(world.api.state, {kind: 'ours', name: 'elsewhere', namespace: 'team'});
    const {stdout} = await expectDone(world, ['ls']);
    const [headings = [], ...rows] = table(stdout);
    expect(headings).to.include.members([
      'NAME',
      'RUNTIME',
      'IMAGE',
      'READY',
      'AGE',
      'NODES',
      'RUN',
      'STATE',
    ]);
    const cells = rows.map((row) =>
      Object.fromEntries(headings.map((heading, column) => [heading, row[column]])),
    );
    expect(cells).to.have.length(2);
    const shared = {RUNTIME: 'containerd', READY: '1/1', NODES: 'kind-control-plane'};
    const [ours = {}, older = {}] = cells.sort((a, b) => (a.NAME ?? '').localeCompare(b.NAME ?? ''));
    expect(ours).to.include({...shared, NAME: 'buildkit', IMAGE, RUN: 'works', STATE: 'working'});
    expect(older).to.include({...shared, NAME: 'older', RUN: 'broken', STATE: 'plugin-made'});
    for (const {AGE} of cells) expect(AGE).to.match(/^\d+s$/);
    expect(changes(world)).to.deep.equal([]);
  });

  it('gives the same as JSON', async () => {
    const {stdout} = await expectDone(world, ['ls', '--output', 'json']);
    expect(stdout.endsWith('\n')).to.equal(true);
    const [builder, ...others] = JSON.parse(stdout);
    expect(others).to.deep.equal([]);
    expect(builder).to.deep.include({
      name: 'buildkit',
      namespace: 'default',
      runtime: 'containerd',
      image: IMAGE,
      ready: 1,
      replicas: 1,
      nodes: ['kind-control-plane'],
      runWorks: true,
      state: 'working',
      madeBy: 'kubectl tiltbuild',
    });
    expect(new Date(builder.created).toISOString()).to.equal(builder.created);
  });

  it('says that there is none, and ends well', async () => {
    removeBuilders(world);
    const plain = await expectDone(world, ['ls']);
    expect(plain.stdout).to.equal('');
    expect(plain.stderr).to.contain('there is no builder in namespace "default"');
    expect((await expectDone(world, ['ls', '-o', 'json'])).stdout).to.equal('[]\n');
  });

  it('names the missing permission', async () => {
    world.api.state.forbidden.add('deployments');
    await expectRefused(world, 4, ['ls'], 'list');
  });
});

describeCommand('builder create', (world) => {
  it('creates one, waits for it, and prints nothing on standard output', async () => {
    removeBuilders(world);
    const ended = await expectDone(world, ['create']);
    expect(ended.stdout).to.equal('');
    expect(ended.stderr).to.contain('builder "buildkit" in namespace "default" is ready');
    expect(changes(world)).to.deep.equal([`PATCH ${CONFIG_MAPS}/buildkit`, `POST ${DEPLOYMENTS}`]);
    expect(world.api.requests.find(({method}) => method === 'POST')?.body).to.be.an('object');
    expect(world.api.state.deployments[0]).to.have.nested.property('status.readyReplicas', 1);
  });

  it('takes its name from its argument, else from BUILDX_BUILDER', async () => {
    await expectDone(world, ['create', 'given'], {BUILDX_BUILDER: 'mine'});
    await expectDone(world, ['create'], {BUILDX_BUILDER: 'mine'});
    expect(world.api.state.deployments.map(({metadata}) => metadata.name)).to.deep.equal([
      'buildkit',
      'given',
      'mine',
    ]);
  });

  it('leaves one alone that is there', async () => {
    await expectRefused(world, 4, ['create'], 'already', '--replace');
  });

  it('recreates it with --replace', async () => {
    await expectDone(world, ['create', '--replace', '--image', 'mirror.example/buildkit:v0.32.2']);
    expect(changes(world)).to.deep.equal([`PATCH ${CONFIG_MAPS}/buildkit`, `PUT ${DEPLOYMENTS}/buildkit`]);
    expect(world.api.state.deployments[0]).to.have.nested.property(
      'spec.template.spec.containers[0].image',
      'mirror.example/buildkit:v0.32.2',
    );
  });

  it('does not replace it while a build runs on it, but with --force', async () => {
    runBuildOn(world);
    await expectRefused(world, 4, ['create', '--replace'], 'A build is running', '--force');
    expect(commandsRun(world)).to.deep.equal([['pgrep', '-f', 'buildctl dial-stdio']]);
    await expectDone(world, ['create', '--replace', '--force']);
    expect(changes(world)).to.include(`PUT ${DEPLOYMENTS}/buildkit`);
  });

  it('prints the manifest with --dry-run, and changes nothing', async () => {
    const {stdout, stderr} = await expectDone(world, ['create', '--dry-run']);
    expect(parseAll(stdout)).to.deep.equal(golden('kind-containerd'));
    expect(stderr).to.equal('');
    expect(changes(world)).to.deep.equal([]);
  });

  it('takes every setting', async () => {
    const labels = {'kubernetes.io/arch': 'amd64', pool: 'build'};
    world.connect({namespace: 'team-a'});
    world.api.state.nodes = ['one', 'two', 'three'].map((name) => node({name, labels}));
    const {stdout} = await expectDone(world, [
      ...['create', 'team-builder', '--dry-run', '--replicas', 'nodes', '--allow', 'network.host'],
      ...['--image', 'registry.example.com/mirror/buildkit:v0.32.2'],
      ...['--request-cpu', '500m', '--request-memory', '1Gi'],
      ...['--node-selector', 'kubernetes.io/arch=amd64,pool=build'],
      ...['--toleration', 'dedicated=build:NoSchedule', '--toleration', ':NoExecute'],
      ...['--env', 'NO_PROXY=10.0.0.0/8', '--env', 'HTTPS_PROXY=http://proxy.example.com:3128'],
    ]);
    expect(parseAll(stdout)).to.deep.equal(golden('all-settings'));
  });

  it("takes containerd's paths", async () => {
    const {stdout} = await expectDone(world, [
      ...['create', '--dry-run', '--containerd-socket', '/run/k3s/containerd/containerd.sock'],
      ...['--containerd-root', '/var/lib/rancher/k3s/agent/containerd'],
      ...['--containerd-state', '/run/k3s/containerd'],
    ]);
    expect(parseAll(stdout)).to.deep.equal(golden('k3s-containerd'));
  });

  it('creates a rootless one with --rootless, even without permission to list nodes', async () => {
    world.api.state.forbidden.add('nodes');
    const {stdout} = await expectDone(world, ['create', '--dry-run', '--rootless']);
    expect(parseAll(stdout)).to.deep.equal(golden('rootless'));
  });

  for (const names of [{...PLAIN_NAMES, cluster: 'k3d-demo'}, PLAIN_NAMES]) {
    it(`refuses k3d (${names.cluster})`, async () => {
      world.connect({names});
      world.api.state.nodes = [node({name: 'k3d-demo-server-0', providerID: 'k3s://k3d-demo-server-0'})];
      await expectRefused(world, 3, ['create', 'second'], 'k3d', 'kind create cluster');
    });
  }

  for (const [args, word] of [
    [['--replicas', 'many'], 'many'],
    [['--toleration', 'x=y'], 'x=y'],
    [['--env', 'NONE'], 'NAME=VALUE'],
    [['--timeout', 'soon'], 'soon'],
    [['--allow', 'security.insecure'], 'network.host'],
    [['No_Name'], 'No_Name'],
    [['one', '--', 'more'], 'at most one NAME'],
  ] as const) {
    it(`refuses what cannot be meant: ${args.join(' ')}`, async () => {
      await expectRefused(world, 2, ['create', ...args], word);
      expect(world.api.requests).to.deep.equal([]);
    });
  }
});

describeCommand('builder rm', (world) => {
  it('removes the builder and its configuration with --yes', async () => {
    addBuilder(world.api.state, {kind: 'plugin', name: 'older'});
    const ended = await expectDone(world, ['rm', 'older', '--yes']);
    expect(ended.stdout).to.equal('');
    expect(ended.stderr).to.contain('removed builder "older" from namespace "default"');
    expect([...changes(world)].sort()).to.deep.equal([
      `DELETE ${CONFIG_MAPS}/older`,
      `DELETE ${DEPLOYMENTS}/older`,
    ]);
    expect(world.api.state.deployments.map(({metadata}) => metadata.name)).to.deep.equal(['buildkit']);
  });

  it('removes nothing where it cannot ask', async () => {
    await expectRefused(world, 2, ['rm', 'buildkit'], 'Nothing was removed', '--yes');
    expect(world.api.state.deployments).to.have.length(1);
  });

  it('fails for a name that no builder has', async () => {
    await expectRefused(world, 4, ['rm', 'nope', '--yes'], 'no builder "nope"', 'buildkit');
  });

  it('takes no Deployment for a builder that is none', async () => {
    addBuilder(world.api.state, {kind: 'foreign', name: 'foreign'});
    await expectRefused(world, 4, ['rm', 'foreign', '--yes'], 'no builder "foreign"');
  });

  it('needs a name', async () => {
    await expectRefused(world, 2, ['rm', '--yes'], 'needs the NAME');
  });
});

describeCommand('builder logs, du and prune', (world) => {
  it("show BuildKit's log as it is", async () => {
    const {stdout} = await expectDone(world, ['logs']);
    expect(stdout).to.equal(world.api.state.logs);
  });

  for (const [args, command] of [
    [['du'], ['buildctl', 'du']],
    [['prune'], ['buildctl', 'prune']],
    [
      ['prune', '--all', 'buildkit'],
      ['buildctl', 'prune', '--all'],
    ],
  ] as const) {
    it(`run ${command.join(' ')} in the pod, and show what it says`, async () => {
      const {stdout} = await expectDone(world, args);
      expect(commandsRun(world)).to.deep.equal([command]);
      const exec = world.api.requests.find(({path}) => path.endsWith('/exec'));
      const [pod] = world.api.state.pods;
      expect(exec?.path).to.equal(`/api/v1/namespaces/default/pods/${pod?.metadata.name}/exec`);
      expect(exec?.query.container).to.equal('buildkitd');
      expect(stdout).to.contain('Total:').and.contain('7.80MB');
    });
  }

  it('know no builder of another name, also from BUILDX_BUILDER', async () => {
    for (const command of ['logs', 'du', 'prune']) {
      await expectRefused(world, 4, [command, 'nope'], 'no builder "nope"');
      const env = {BUILDX_BUILDER: 'mine'};
      const ended = await world.tiltbuild(['builder', command], {env});
      expect(ended.exitCode).to.equal(4);
      expect(ended.stderr).to.contain('no builder "mine"');
    }
  });
});

describeCommand('builder', (world) => {
  it('shows help for itself and for each of its commands, and asks nothing', async () => {
    const own = await expectDone(world, ['--help']);
    for (const command of COMMANDS) {
      expect(own.stdout).to.match(new RegExp(`^  ${command} `, 'm'));
      const {stdout, stderr} = await expectDone(world, [command, '--help']);
      expect(stdout).to.contain(`kubectl tiltbuild builder ${command}`).and.contain('--namespace');
      expect(stderr).to.equal('');
    }
    expect(world.api.requests).to.deep.equal([]);
  });

  it('knows no other command', async () => {
    await expectRefused(
      world,
      2,
      ['stop'],
      'builder has no command "stop"',
      'create, du, logs, ls, prune, rm',
    );
    await expectRefused(world, 2, ['ls', '--nope'], '--nope');
    expect(world.api.requests).to.deep.equal([]);
  });

  it('keeps a token out of the command lines of what it starts, and out of sight', async () => {
    const [spy, log] = ['spy', 'kubectl-log'].map((name) => join(world.sandbox.root, name)) as [
      string,
      string,
    ];
    mkdirSync(spy);
    const kubectl = JSON.stringify(join(realKubectlDirectory(), 'kubectl'));
    writeFileSync(
      join(spy, 'kubectl'),
      `#!${process.execPath}\nconst {appendFileSync} = process.getBuiltinModule('fs');\n` +
        `const args = process.argv.slice(2);\nappendFileSync(${JSON.stringify(log)}, JSON.stringify(args) + '\\n');\n` +
        `const {spawnSync} = process.getBuiltinModule('child_process');\n` +
        `process.exit(spawnSync(${kubectl}, args, {stdio: 'inherit'}).status ?? 1);\n`,
      {mode: 0o755},
    );
    world.connect({auth: 'none'});
    const env = {PATH: [spy, world.sandbox.env.PATH].join(delimiter)};
    for (const args of [['logs'], ['du'], ['create', 'second']]) {
      const ended = await expectDone(world, [...args, '--token', world.api.token], env);
      expect(ended.stderr + ended.stdout).not.to.contain(world.api.token);
    }
    expect(existsSync(log)).to.equal(true);
    expect(readFileSync(log, 'utf8')).to.contain('"exec"').and.not.contain(world.api.token);
  });
});
