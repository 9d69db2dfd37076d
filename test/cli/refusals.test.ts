/** Covers what is refused before a build: k3d, and names that no pod would find. */
import {expect} from 'chai';
import {addBuilder, node} from '../helpers/api-server.ts';
import {installCredentialPlugin} from '../helpers/credential-plugin.ts';
import type {Ended} from '../helpers/programs.ts';
import {
  BUILD,
  describeCommand,
  EXPORT,
  expectBuilt,
  expectRefused,
  KIND_NAMES,
  PLAIN_NAMES,
  removeBuilders,
  WAYS,
  type World,
} from '../helpers/world.ts';

const K3D_NODE = {name: 'k3d-demo-server-0', providerID: 'k3s://k3d-demo-server-0'};
const UNMARKED_NODE = {name: 'worker-1', providerID: 'metal://worker-1'};
const MINIKUBE_NAMES = {context: 'minikube', cluster: 'minikube', user: 'minikube'};

/** The tags that the delegate got. */
function tags(world: World): readonly string[] {
  const {argv} = world.delegated();
  return argv.filter((_, index) => argv[index - 1] === '--tag');
}

const notes = ({stderr}: Ended) => stderr.split('\n').filter((line) => line.startsWith('note:'));
const flags = (given: readonly string[]) => given.flatMap((tag) => ['-t', tag]);

/** Connects with a login plugin; returns whether it was started. */
function connectByPlugin(world: World, names: typeof PLAIN_NAMES): () => boolean {
  const {exec, runs} = installCredentialPlugin(world.sandbox.root, {tokens: world.api.token});
  world.connect({auth: 'none', names, userFields: {exec}});
  return () => runs() > 0;
}

describeCommand('k3d', (world) => {
  for (const names of [
    {...PLAIN_NAMES, cluster: 'k3d-demo'},
    {...PLAIN_NAMES, user: 'admin@k3d-demo'},
  ]) {
    it(`is refused by its names, before any request or program (${Object.values(names)})`, async () => {
      const pluginStarted = connectByPlugin(world, names);
      const ended = await world.tiltbuild(BUILD);
      expectRefused(world, ended, 3, /is called ".*k3d-demo"/, 'kind create cluster', 'k3d image import');
      expect(ended.stderr).to.contain('--context');
      expect(world.api.requests).to.deep.equal([]);
      expect(pluginStarted()).to.equal(false);
    });
  }

  it('is not any cluster with a similar name', async () => {
    const pluginStarted = connectByPlugin(world, {context: 'my-k3d', cluster: 'k3domain', user: 'k3d'});
    expectBuilt(await world.tiltbuild(BUILD));
    // So the plugin would have been started in the cases above, too.
    expect(pluginStarted()).to.equal(true);
  });

  for (const through of WAYS) {
    it(`is refused by its nodes where all names are different (${through})`, async () => {
      world.connect({through, names: PLAIN_NAMES});
      world.api.state.nodes = [node(K3D_NODE)];
      expectRefused(world, await world.tiltbuild(BUILD), 3, 'node "k3d-demo-server-0"', 'k3d image import');
    });
  }

  for (const names of [{...PLAIN_NAMES, cluster: 'k3d-demo'}, PLAIN_NAMES]) {
    it(`is tried with --allow-k3d, and said not to be supported (${names.cluster})`, async () => {
      world.connect({names});
      world.api.state.nodes = [node(K3D_NODE)];
      const ended = await world.tiltbuild(['--allow-k3d', ...BUILD]);
      expectBuilt(ended);
      expect(ended.stderr).to.match(/^note: +k3d is not supported/m);
    });

    it(`is no obstacle to what a rootless builder does without its node (${names.cluster})`, async () => {
      world.connect({names});
      world.api.state.nodes = [node(K3D_NODE)];
      removeBuilders(world);
      addBuilder(world.api.state, {kind: 'ours', runtime: 'rootless'});
      const pushed = await world.tiltbuild(['--push', '-t', 'ghcr.io/me/web:dev', '.']);
      expectBuilt(pushed);
      expect(pushed.stderr).not.to.contain('k3d');
      expect((await world.tiltbuild(BUILD)).exitCode).to.equal(3);
    });
  }

  it('is refused with --qualify, --push and without a tag', async () => {
    world.connect({names: {...PLAIN_NAMES, cluster: 'k3d-demo'}});
    for (const args of [['--qualify', '-t', 'web'], ['--push', '-t', 'ghcr.io/me/web:dev'], []])
      expectRefused(world, await world.tiltbuild([...args, '.']), 3, 'k3d');
  });
});

describeCommand('kind', (world) => {
  it('refuses tags without a registry host, shows their full names, and starts nothing', async () => {
    const pluginStarted = connectByPlugin(world, KIND_NAMES);
    const given = ['localhost/web:dev', 'web', 'myorg/app:dev', 'ghcr.io/me/web:dev'];
    const ended = await world.tiltbuild([...flags(given), '.']);
    expectRefused(world, ended, 3, 'kind', '--qualify', /^ *web +-> +docker\.io\/library\/web:latest$/m);
    expect(ended.stderr)
      .to.match(/^ *myorg\/app:dev +-> +docker\.io\/myorg\/app:dev$/m)
      .and.not.match(/localhost|ghcr/);
    expect(world.api.requests).to.deep.equal([]);
    expect(pluginStarted()).to.equal(false);
  });

  it('completes them with --qualify, and a note for each', async () => {
    const ended = await world.tiltbuild(['--qualify', ...flags(['localhost/a:1', 'web', 'my/app:dev']), '.']);
    expectBuilt(ended);
    expect(tags(world)).to.deep.equal([
      'localhost/a:1',
      'docker.io/library/web:latest',
      'docker.io/my/app:dev',
    ]);
    const [first, second, third, ...others] = notes(ended);
    expect(first).to.contain('"web" is built as docker.io/library/web:latest');
    expect(second).to.contain('"my/app:dev" is built as docker.io/my/app:dev');
    expect(third).to.contain('pods pull docker.io/library/web:latest');
    expect(others).to.deep.equal([]);
  });

  it("completes Tilt's own reference without a note, and refuses another tag beside it", async () => {
    const own = 'myorg/web:tilt-build-1764000000';
    const env = {EXPECTED_REF: own};
    const both = await world.tiltbuild([...flags([own, 'web:dev']), '.'], {env});
    expectRefused(world, both, 3, '"web:dev"');
    expect(both.stderr).not.to.contain('tilt-build');
    const ended = await world.tiltbuild(['-t', own, '.'], {env});
    expectBuilt(ended);
    expect(tags(world)).to.deep.equal([`docker.io/${own}`]);
    expect(notes(ended)).to.deep.equal([]);
  });

  for (const through of WAYS) {
    it(`is identified by its nodes as well (${through})`, async () => {
      world.connect({through, names: PLAIN_NAMES});
      expectRefused(world, await world.tiltbuild(['-t', 'web:dev', '.']), 3, 'docker.io/library/web:dev');
      expectBuilt(await world.tiltbuild(BUILD));
    });
  }
});

describeCommand('any other cluster', (world) => {
  for (const [names, product] of [
    [MINIKUBE_NAMES, 'minikube'],
    [PLAIN_NAMES, 'unknown'],
  ] as const) {
    it(`completes familiar names, with a note for each (${product})`, async () => {
      world.connect({names});
      world.api.state.nodes = [node(UNMARKED_NODE)];
      const given = ['myorg/app:dev', 'localhost/web:dev', 'index.docker.io/web'];
      const ended = await world.tiltbuild([...flags(given), '--print', 'json', '.']);
      expect(ended.exitCode, ended.stderr).to.equal(0);
      expect(JSON.parse(ended.stdout)).to.include({product});
      expect(tags(world)).to.deep.equal([
        'docker.io/myorg/app:dev',
        'localhost/web:dev',
        'docker.io/library/web:latest',
      ]);
      expect(notes(ended)).to.have.length(3);
    });
  }

  for (const through of WAYS) {
    it(`is unknown without permission to list nodes, which is no error (${through})`, async () => {
      world.connect({through, names: PLAIN_NAMES});
      world.api.state.forbidden.add('nodes');
      const ended = await world.tiltbuild(['-t', 'web:dev', '--print', 'json', '.']);
      expect(ended.exitCode, ended.stderr).to.equal(0);
      expect(JSON.parse(ended.stdout)).to.include({product: 'unknown', pullSecret: 'docker-registry'});
      // The builder is read nevertheless.
      expect(world.delegated().argv).to.include.members(EXPORT);
    });
  }
});

describeCommand('a tag that is no image reference', (world) => {
  it('is rejected with a caret, before k3d is, and before any request', async () => {
    world.connect({names: {...PLAIN_NAMES, cluster: 'k3d-demo'}});
    const ended = await world.tiltbuild(['--tag=localhost/Web:dev', ...BUILD]);
    expectRefused(world, ended, 2, 'lower case', /^ +\^$/m);
    expect(world.api.requests).to.deep.equal([]);
  });
});
