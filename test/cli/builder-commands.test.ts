/** `kubectl tiltbuild builder …`: what each prints, what it changes in the cluster, and what it refuses. */
import {delimiter} from 'node:path';
import {PassThrough} from 'node:stream';
import {expect} from 'chai';
import {parseAllDocuments} from 'yaml';
import {addBuilder, node} from '../helpers/api-server.ts';
import {serveBuildkit} from '../helpers/engines.ts';
import {recordKubectl} from '../helpers/real-kubectl.ts';
import {
  changedPaths as changes,
  describeCommand,
  PLAIN_NAMES,
  readBuilderFixture,
  removeBuilders,
  expectRefused as seeRefused,
  WAYS,
  type World,
} from '../helpers/world.ts';

const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments';
const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';
const IMAGE = 'docker.io/moby/buildkit:v0.32.2';
const PLUGIN_IMAGE = 'docker.io/moby/buildkit:buildx-stable-1';

const parseAll = (text: string) => parseAllDocuments(text).map((document) => document.toJS());

/** What was run in the builder's pods, without connections to the node's containerd. */
const commandsRun = ({api}: World) =>
  api.requests
    .map(({command}) => command)
    .filter((command) => command.length > 0 && !command.includes('--addr'));

const STATE = '/var/lib/buildkit/default_buildkit';
/** The directories of the builders that were sent, by their buildkitd.toml. */
const rootsSent = ({api}: World) =>
  api.requests
    .filter(({method, path}) => /^(POST|PUT)$/.test(method) && path.startsWith(DEPLOYMENTS))
    .map(
      ({body}) =>
        /^root = "(.*)"$/m.exec(JSON.stringify(body).replaceAll('\\n', '\n').replaceAll('\\"', '"'))?.[1],
    );

const DIAL = ['buildctl', 'dial-stdio'];
const runBuildOn = (world: World) => Object.assign(serveBuildkit(world), {otherBuilds: 1});

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
  seeRefused(world, await world.tiltbuild(['builder', ...args]), exitCode, ...words);
  expect(changes(world)).to.deep.equal([]);
}

describeCommand('builder ls', (world) => {
  it('shows each builder of the namespace in a line', async () => {
    addBuilder(world.api.state, {kind: 'plugin', name: 'older'});
    addBuilder(world.api.state, {kind: 'ours', name: 'elsewhere', namespace: 'team'});
    const {stdout} = await expectDone(world, ['ls']);
    const cells = stdout.split('\n').map((line) => line.replace(/\d+s/, 'AGE').split(/ {3,}/));
    expect(cells).to.deep.equal([
      ['NAME', 'RUNTIME', 'IMAGE', 'BUILDKIT', 'READY', 'AGE', 'NODES', 'RUN', 'STATE'],
      ['buildkit', 'containerd', IMAGE, 'v0.32.2', '1/1', 'AGE', 'kind-control-plane', 'works', 'working'],
      [
        'older',
        'containerd',
        PLUGIN_IMAGE,
        'v0.32.2',
        '1/1',
        'AGE',
        'kind-control-plane',
        'broken',
        'plugin-made',
      ],
      [''],
    ]);
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

  it('does not wait for the version of a builder whose pod does not answer', async () => {
    world.api.state.exec = () => ({pipe: new PassThrough()});
    const {stdout} = await expectDone(world, ['ls']);
    expect(stdout)
      .to.match(/buildkit .* working/)
      .and.not.to.contain(' v0.32.2');
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
    await expectRefused(world, 4, ['ls'], 'cannot list resource "deployments"');
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

  it('takes its name from BUILDX_BUILDER', async () => {
    await expectDone(world, ['create'], {BUILDX_BUILDER: 'mine'});
    const names = world.api.state.deployments.map(({metadata}) => metadata.name);
    expect(names).to.deep.equal(['buildkit', 'mine']);
  });

  it('leaves one alone that is there, and recreates it with --replace', async () => {
    await expectRefused(world, 4, ['create'], 'already', '--replace');
    await expectDone(world, ['create', '--replace', '--image', 'mirror.example/buildkit:v0.32.2']);
    expect(changes(world)).to.deep.equal([`PATCH ${CONFIG_MAPS}/buildkit`, `PUT ${DEPLOYMENTS}/buildkit`]);
    const {containers} = world.api.state.deployments[0]?.spec.template.spec ?? {};
    expect(containers[0].image).to.equal('mirror.example/buildkit:v0.32.2');
  });

  it('restarts the pods with --replace, even if the manifest is the same, and waits for the new ones', async () => {
    world.api.state.builder.terminateMs = 400;
    const names = new Set<string>();
    for (let round = 0; round < 3; round += 1) {
      for (const {metadata} of world.api.state.pods) names.add(metadata.name);
      expect(names).to.have.length(round + 1);
      await expectDone(world, ['create', '--replace']);
      expect(world.api.state.pods).to.have.length(1);
    }
  });

  it('does not replace it while a build runs on it, but with --force', async () => {
    runBuildOn(world);
    await expectRefused(world, 4, ['create', '--replace'], 'A build is running', '--force');
    expect(commandsRun(world)).to.deep.equal([DIAL]);
    await expectDone(world, ['create', '--replace', '--force']);
    expect(changes(world)).to.include(`PUT ${DEPLOYMENTS}/buildkit`);
  });

  it('takes every setting', async () => {
    const labels = {'kubernetes.io/arch': 'amd64', pool: 'build'};
    world.connect({namespace: 'team-a'});
    world.api.state.nodes = ['one', 'two', 'three'].map((name) => node({name, labels}));
    const {stdout} = await expectDone(world, [
      ...['create', 'team-builder', '--dry-run', '--replicas', 'nodes', '--allow', 'network.host'],
      ...['--image', 'registry.example.com/mirror/buildkit:v0.32.2'],
      ...['--request-cpu', '500m', '--request-memory', '1Gi', '--limit-cpu', '4', '--limit-memory', '8Gi'],
      ...['--max-parallelism', '4', '--containerd-snapshotter', 'native', '--service-account', 'builds'],
      ...['--priority-class', 'low', '--image-pull-secret', 'mirror', '--image-pull-secret', 'other'],
      ...['--label', 'team=a', '--label', 'sidecar.istio.io/inject=true'],
      ...['--annotation', 'example.com/owner=team a', '--pod-annotation', 'example.com/Scrape='],
      ...['--pod-annotation', 'karpenter.sh/do-not-disrupt=false'],
      ...['--node-selector', 'kubernetes.io/arch=amd64,pool=build'],
      ...['--toleration', 'dedicated=build:NoSchedule', '--toleration', ':NoExecute'],
      ...['--env', 'NO_PROXY=10.0.0.0/8', '--env', 'HTTPS_PROXY=http://proxy.example.com:3128'],
    ]);
    expect(parseAll(stdout)).to.deep.equal(readBuilderFixture('all-settings'));
    expect(changes(world)).to.deep.equal([]);
  });

  it('keeps the settings of the builder with --replace, and forgets them with --reset', async () => {
    removeBuilders(world);
    const settings = async () =>
      JSON.parse((await expectDone(world, ['ls', '-o', 'json'])).stdout)[0].settings;
    await expectDone(world, ['create', '--env', 'A=1', '--limit-cpu', '2', '--service-account', 'builds']);
    await expectDone(world, ['create', '--replace', '--env', 'B=2', '--limit-memory', '4Gi']);
    const all = {
      ...{env: {A: '1', B: '2'}, limits: {cpu: '2', memory: '4Gi'}, serviceAccount: 'builds'},
      replicas: 'nodes',
    };
    expect(await settings()).to.deep.equal(all);
    const {spec} = world.api.state.deployments[0]?.spec.template ?? {};
    expect(spec).to.deep.include({serviceAccountName: 'builds'});
    expect(spec.containers[0].resources).to.deep.equal({limits: all.limits});
    const {stdout} = await expectDone(world, ['create', '--replace', '--dry-run']);
    expect(parseAll(stdout)[1].spec.template.spec).to.deep.include({serviceAccountName: 'builds'});
    const tooMuch = await world.tiltbuild(['builder', 'create', '--replace', '--request-memory', '5Gi']);
    seeRefused(world, tooMuch, 2, '"5Gi" is more than');
    await expectDone(world, ['create', '--replace', '--reset', '--limit-cpu', '1']);
    expect(await settings()).to.deep.equal({limits: {cpu: '1'}, replicas: 'nodes'});
  });

  it('has a directory of its own in each of the clusters on a node, and keeps the one that it has', async () => {
    removeBuilders(world);
    await expectDone(world, ['create']);
    world.api.state.clusterId = 'c-1';
    await expectDone(world, ['create', '--replace']);
    await expectDone(world, ['create', 'second']);
    world.api.state.clusterId = 'c-2';
    await expectDone(world, ['create', 'third']);
    await expectDone(world, ['create', 'fourth', '--rootless']);
    const parent = '/var/lib/buildkit/default_';
    const roots = [
      STATE,
      STATE,
      `${parent}second_c-1`,
      `${parent}third_c-2`,
      '/home/user/.local/share/buildkit',
    ];
    expect(rootsSent(world)).to.deep.equal(roots);
  });

  for (const through of WAYS) {
    it(`counts and selects among all nodes, however many pages they take (${through})`, async () => {
      world.connect({through});
      const labels = (index: number) => ({pool: index === 619 ? 'build' : 'other'});
      const names = Array.from({length: 620}, (_, index) => `node-${index}`);
      world.api.state.nodes = names.map((name, index) => node({name, labels: labels(index)}));
      world.api.state.expiredTokens = 1;
      const replicas = async (...args: readonly string[]) => {
        const {stdout} = await expectDone(world, ['create', '--dry-run', '--replicas', ...args]);
        return parseAll(stdout)[1].spec.replicas;
      };
      expect(await replicas('nodes')).to.equal(1);
      expect(await replicas('580')).to.equal(580);
      expect(await replicas('nodes', '--node-selector', 'pool=build')).to.equal(1);
      await expectRefused(world, 2, ['create', 'b', '--replicas', '621'], 'only 620 can hold one');
    });
  }

  it('creates a rootless one with --rootless, even without permission to list nodes', async () => {
    world.api.state.forbidden.add('nodes');
    const {stdout} = await expectDone(world, ['create', '--dry-run', '--rootless']);
    expect(parseAll(stdout)).to.deep.equal(readBuilderFixture('rootless'));
  });

  it('refuses k3d by its nodes', async () => {
    world.connect({names: PLAIN_NAMES});
    world.api.state.nodes = [node({name: 'k3d-demo-server-0', providerID: 'k3s://k3d-demo-server-0'})];
    await expectRefused(world, 3, ['create', 'second'], 'k3d', 'kind create cluster', '--allow-k3d');
    await expectRefused(world, 3, ['create', 'buildkit', '--replace'], 'k3d');
    for (const flag of ['--allow-k3d', '--rootless'])
      await expectDone(world, ['create', `by${flag}`, '--dry-run', flag]);
  });

  it('refuses what cannot be meant, before any request', async () => {
    await expectRefused(world, 2, ['create', '--toleration', 'x=y'], 'x=y');
    await expectRefused(world, 2, ['create', 'No_Name'], 'No_Name');
    await expectRefused(world, 2, ['create', '--limit-memory', '4GB'], '--limit-memory', '4GB', '4Gi');
    await expectRefused(world, 2, ['create', '--service-account', 'A'], '--service-account');
    await expectRefused(world, 2, ['create', '--reset'], '--replace');
    await expectRefused(world, 2, ['create', '--rootless', '--containerd-snapshotter', 'x'], 'containerd');
    await expectRefused(world, 2, ['create', 'one', '--', 'more'], 'at most one NAME');
    expect(world.api.requests).to.deep.equal([]);
  });
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

  it('empties its cache first, and says what that freed', async () => {
    const ended = await expectDone(world, ['rm', 'buildkit', '--yes']);
    expect(ended.stderr).to.contain('freed 7.80MB of build cache on node kind-control-plane');
    expect(commandsRun(world).at(-1)).to.deep.equal(['buildctl', 'prune', '--all']);
    const requests = world.api.requests.map(({method, command}) => `${method} ${command.join(' ')}`);
    expect(requests.findIndex((request) => request.startsWith('DELETE'))).to.be.above(
      requests.indexOf('GET buildctl prune --all'),
    );
  });

  it('removes it without its cache where that cannot be emptied, and says how to remove it later', async () => {
    const quiet = world.api.state.exec;
    world.api.state.exec = (command, pod) =>
      command.includes('prune') ? {exitCode: 1} : quiet(command, pod);
    const ended = await expectDone(world, ['rm', 'buildkit', '--yes']);
    expect(ended.stderr).to.contain('stays on the node').and.contain('builder rm buildkit --purge');
    expect(world.api.state.deployments).to.deep.equal([]);
  });

  it('removes with --purge what one left that is gone', async () => {
    removeBuilders(world);
    await expectRefused(world, 4, ['rm', 'buildkit', '--yes'], 'no builder "buildkit"');
    await expectRefused(world, 2, ['rm', 'buildkit', '--purge'], 'Nothing was removed', '--yes');
    const ended = await expectDone(world, ['rm', 'buildkit', '--yes', '--purge']);
    expect(ended.stderr).to.contain('creating one').and.contain('freed 7.80MB');
    expect(world.api.state.deployments).to.deep.equal([]);
    expect(changes(world)).to.include(`POST ${DEPLOYMENTS}`).and.include(`DELETE ${DEPLOYMENTS}/buildkit`);
  });

  it('removes with --purge what is in the directory of an earlier version as well', async () => {
    removeBuilders(world);
    world.api.state.clusterId = 'c-1';
    const ended = await expectDone(world, ['rm', 'buildkit', '--yes', '--purge']);
    expect(ended.stderr.match(/freed 7\.80MB/g)).to.have.length(2);
    expect(rootsSent(world)).to.deep.equal([STATE, `${STATE}_c-1`]);
    expect(world.api.state.deployments).to.deep.equal([]);
  });

  it('leaves a ConfigMap of that name that is not its own', async () => {
    const alike = {app: 'other', runtime: 'containerd', worker: 'containerd', rootless: 'false'};
    for (const labels of [undefined, alike]) {
      const {deployment} = addBuilder(world.api.state, {kind: 'plugin', name: 'older'});
      const {name, namespace} = deployment.metadata;
      const others = world.api.state.configmaps.filter(({metadata}) => metadata.name !== name);
      world.api.state.configmaps = [...others, {metadata: {name, namespace, ...(labels && {labels})}}];
      await expectDone(world, ['rm', 'older', '--yes']);
      expect(changes(world).filter((path) => path.startsWith('DELETE /api/'))).to.deep.equal([]);
    }
  });

  it('does not remove it while a build runs on it, but with --force', async () => {
    runBuildOn(world);
    await expectRefused(world, 4, ['rm', 'buildkit', '--yes'], 'A build is running', '--force');
    await expectDone(world, ['rm', 'buildkit', '--yes', '--force']);
    expect(world.api.state.deployments).to.deep.equal([]);
  });

  it('removes nothing where it cannot ask', async () => {
    await expectRefused(world, 2, ['rm', 'buildkit'], 'Nothing was removed', '--yes');
    expect(world.api.state.deployments).to.have.length(1);
  });

  it('takes no Deployment for a builder that is none', async () => {
    addBuilder(world.api.state, {kind: 'foreign', name: 'foreign'});
    await expectRefused(world, 4, ['rm', 'foreign', '--yes'], 'no builder "foreign"', 'buildkit');
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
    await expectRefused(world, 4, ['logs', 'nope'], 'no builder "nope"');
    const ended = await world.tiltbuild(['builder', 'du'], {env: {BUILDX_BUILDER: 'mine'}});
    seeRefused(world, ended, 4, 'no builder "mine"');
  });
});

describeCommand('builder', (world) => {
  it('knows no other command', async () => {
    await expectRefused(world, 2, ['stop'], 'no command "stop"', 'create, du, images, logs, ls, prune, rm');
    expect(world.api.requests).to.deep.equal([]);
  });

  it('keeps a token out of the command lines of what it starts, and out of sight', async () => {
    const kubectl = recordKubectl(world.sandbox.root);
    world.connect({auth: 'none'});
    const env = {PATH: [kubectl.directory, world.sandbox.env.PATH].join(delimiter)};
    for (const args of [['logs'], ['du'], ['create', 'second']]) {
      const ended = await expectDone(world, [...args, '--token', world.api.token], env);
      expect(ended.stderr + ended.stdout).not.to.contain(world.api.token);
    }
    expect(kubectl.argv().join('\n')).to.contain('exec').and.not.contain(world.api.token);
  });
});
