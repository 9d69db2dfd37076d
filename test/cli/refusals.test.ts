/** Covers what is refused before a build: k3d, and names that no pod would find; and how the product is identified. */
import {expect} from 'chai';
import {node} from '../helpers/api-server.ts';
import {installCredentialPlugin} from '../helpers/credential-plugin.ts';
import type {Ended} from '../helpers/programs.ts';
import {describeCommand, KIND_NAMES, PLAIN_NAMES, WAYS, type World} from '../helpers/world.ts';

const K3D_NODE = {name: 'k3d-demo-server-0', providerID: 'k3s://k3d-demo-server-0'};
const UNMARKED_NODE = {name: 'worker-1', providerID: 'metal://worker-1'};
const MINIKUBE_NAMES = {context: 'minikube', cluster: 'minikube', user: 'minikube'};
const DESKTOP_NAMES = {context: 'docker-desktop', cluster: 'docker-desktop', user: 'docker-desktop'};

function expectRefused(world: World, ended: Ended, exitCode: 2 | 3, ...words: readonly string[]): void {
  expect(ended, ended.stderr).to.include({exitCode, stdout: ''});
  for (const word of words) expect(ended.stderr).to.contain(word);
  expect(world.sandbox.invocations()).to.deep.equal([]);
}

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
  const k3dNames: readonly (readonly [string, typeof PLAIN_NAMES, string])[] = [
    ['its cluster', {...PLAIN_NAMES, cluster: 'k3d-demo'}, 'the cluster is called "k3d-demo"'],
    ['its context', {...PLAIN_NAMES, context: 'k3d-demo'}, 'the context is called "k3d-demo"'],
    ['its user', {...PLAIN_NAMES, user: 'admin@k3d-demo'}, 'the user is called "admin@k3d-demo"'],
    [
      'its cluster, with a context that is named like one of kind',
      {...KIND_NAMES, cluster: 'k3d-demo'},
      'k3d-demo',
    ],
  ];
  for (const [title, names, why] of k3dNames) {
    it(`is refused by the name of ${title}, before any request or program`, async () => {
      const pluginStarted = connectByPlugin(world, names);
      const ended = await world.tiltbuild(['-t', 'localhost/web:dev', '.']);
      expectRefused(world, ended, 3, 'k3d', why, 'kind create cluster', 'k3d image import', '--context');
      expect(world.api.requests).to.deep.equal([]);
      expect(pluginStarted()).to.equal(false);
    });
  }

  it('is not any cluster with a similar name', async () => {
    const pluginStarted = connectByPlugin(world, {
      context: 'my-k3d',
      cluster: 'k3domain',
      user: 'k3d',
    });
    expect((await world.tiltbuild(['-t', 'localhost/web:dev', '.'])).exitCode).to.equal(0);
    // So the plugin would have been started in the cases above, too.
    expect(pluginStarted()).to.equal(true);
  });

  for (const through of WAYS) {
    it(`is refused by its nodes where all names are different (${through})`, async () => {
      world.connect({through, names: PLAIN_NAMES});
      world.api.state.nodes = [node(K3D_NODE)];
      const ended = await world.tiltbuild(['-t', 'localhost/web:dev', '.']);
      expectRefused(world, ended, 3, 'k3d', 'node "k3d-demo-server-0"', 'k3d image import');
    });
  }

  it('is refused with --qualify, --push and without a tag', async () => {
    world.connect({names: {...PLAIN_NAMES, cluster: 'k3d-demo'}});
    for (const args of [['--qualify', '-t', 'web'], ['--push', '-t', 'ghcr.io/me/web:dev'], []]) {
      expectRefused(world, await world.tiltbuild([...args, '.']), 3, 'k3d');
    }
  });
});

describeCommand('kind', (world) => {
  const bad: readonly (readonly [string, string])[] = [
    ['web', 'docker.io/library/web:latest'],
    ['web:dev', 'docker.io/library/web:dev'],
    ['library/web:dev', 'docker.io/library/web:dev'],
    ['myorg/app:dev', 'docker.io/myorg/app:dev'],
    ['my.org', 'docker.io/library/my.org:latest'],
  ];

  it('refuses tags without a registry host, shows their full names, and starts nothing', async () => {
    const pluginStarted = connectByPlugin(world, KIND_NAMES);
    const ended = await world.tiltbuild([...flags(bad.map(([given]) => given)), '.']);
    expectRefused(world, ended, 3, 'kind', '--qualify');
    for (const [given, canonical] of bad) {
      expect(ended.stderr).to.match(new RegExp(`^ *${given} +-> +${canonical}$`, 'm'));
    }
    expect(world.api.requests).to.deep.equal([]);
    expect(pluginStarted()).to.equal(false);
  });

  it('refuses all tags for a bad one, and names only that one', async () => {
    const ended = await world.tiltbuild([
      ...flags(['localhost/web:dev', 'web:dev', 'ghcr.io/me/web:dev']),
      '.',
    ]);
    expectRefused(world, ended, 3, '"web:dev"', 'docker.io/library/web:dev');
    expect(ended.stderr).not.to.match(/localhost|ghcr/);
  });

  it('completes them with --qualify, with a note', async () => {
    const ended = await world.tiltbuild([
      '--qualify',
      '-t',
      'localhost/a:1',
      ...flags(bad.map(([given]) => given)),
      '.',
    ]);
    expect(ended.exitCode, ended.stderr).to.equal(0);
    expect(tags(world)).to.deep.equal(['localhost/a:1', ...new Set(bad.map(([, canonical]) => canonical))]);
    expect(notes(ended).join('\n')).to.contain('"web" is built as docker.io/library/web:latest');
    expect(notes(ended).join('\n')).to.contain('"myorg/app:dev" is built as docker.io/myorg/app:dev');
    expect(notes(ended).join('\n')).not.to.contain('localhost');
  });

  it('keeps names with a host as they are, without a note', async () => {
    const good = [
      'localhost/a:1',
      'localhost:5000/a:1',
      'ghcr.io/me/a:1',
      '127.0.0.1:5000/a:1',
      'docker.io/library/a:1',
    ];
    const ended = await world.tiltbuild([...flags(good), '.']);
    expect(ended.exitCode, ended.stderr).to.equal(0);
    expect(tags(world)).to.deep.equal(good);
    expect(notes(ended)).to.deep.equal([]);
  });

  it('makes the names of Docker Hub canonical', async () => {
    const ended = await world.tiltbuild([
      ...flags([
        'docker.io/web:dev',
        'index.docker.io/web:two',
        'index.docker.io/me/web:dev',
        'docker.io/library/web:dev',
      ]),
      '.',
    ]);
    expect(ended.exitCode, ended.stderr).to.equal(0);
    expect(tags(world)).to.deep.equal([
      'docker.io/library/web:dev',
      'docker.io/library/web:two',
      'docker.io/me/web:dev',
    ]);
    expect(notes(ended)).to.have.length(3);
  });

  it("completes Tilt's own reference without a note", async () => {
    const tag = 'myorg/web:tilt-build-1764000000';
    const ended = await world.tiltbuild(['-t', tag, '.'], {env: {EXPECTED_REF: tag}});
    expect(ended.exitCode, ended.stderr).to.equal(0);
    expect(tags(world)).to.deep.equal([`docker.io/${tag}`]);
    expect(notes(ended)).to.deep.equal([]);
  });

  it("refuses a tag that is not Tilt's own reference", async () => {
    const env = {EXPECTED_REF: 'myorg/web:tilt-build-1764000000'};
    expectRefused(world, await world.tiltbuild(['-t', 'myorg/web:dev', '.'], {env}), 3, '"myorg/web:dev"');
    const both = await world.tiltbuild([...flags([env.EXPECTED_REF, 'web:dev']), '.'], {env});
    expectRefused(world, both, 3, '"web:dev"');
    expect(both.stderr).not.to.contain('tilt-build');
    expectRefused(world, await world.tiltbuild(['-t', 'web', '.'], {env: {EXPECTED_REF: ''}}), 3, '"web"');
  });

  for (const through of WAYS) {
    it(`is identified by its nodes as well (${through})`, async () => {
      world.connect({through, names: PLAIN_NAMES});
      world.api.state.nodes = [node()];
      expectRefused(world, await world.tiltbuild(['-t', 'web:dev', '.']), 3, 'docker.io/library/web:dev');
      expect((await world.tiltbuild(['-t', 'localhost/web:dev', '.'])).exitCode).to.equal(0);
    });
  }
});

describeCommand('any other cluster', (world) => {
  for (const names of [MINIKUBE_NAMES, DESKTOP_NAMES, PLAIN_NAMES]) {
    it(`completes familiar names, with a note for each (${names.context})`, async () => {
      world.connect({names});
      world.api.state.nodes = [node(UNMARKED_NODE)];
      const ended = await world.tiltbuild([...flags(['myorg/app:dev', 'localhost/web:dev', 'web']), '.']);
      expect(ended.exitCode, ended.stderr).to.equal(0);
      expect(tags(world)).to.deep.equal([
        'docker.io/myorg/app:dev',
        'localhost/web:dev',
        'docker.io/library/web:latest',
      ]);
      const [first, second, ...others] = notes(ended);
      expect(first).to.contain('"myorg/app:dev" is built as docker.io/myorg/app:dev');
      expect(second).to.contain('"web" is built as docker.io/library/web:latest');
      expect(others).to.deep.equal([]);
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
      expect(world.delegated().argv).to.include('type=image,unpack=true,compression=uncompressed');
    });
  }

  it('is identified by names: the cluster before the context before the user', async () => {
    world.api.state.nodes = [node(UNMARKED_NODE)];
    const table: readonly (readonly [Partial<typeof PLAIN_NAMES>, string])[] = [
      [{cluster: 'kind-demo', context: 'k3d-old'}, 'kind'],
      [{cluster: 'minikube', context: 'kind-old'}, 'minikube'],
      [{context: 'orbstack'}, 'orbstack'],
      [{user: 'rancher-desktop'}, 'rancher-desktop'],
      [{cluster: 'mankind-prod', context: 'kinder', user: 'minikube-2'}, 'unknown'],
    ];
    for (const [names, product] of table) {
      world.connect({names: {...PLAIN_NAMES, ...names}});
      const ended = await world.tiltbuild(['-t', 'localhost/web:dev', '--print', 'json', '.']);
      expect(ended.exitCode, ended.stderr).to.equal(0);
      expect(JSON.parse(ended.stdout).product, JSON.stringify(names)).to.equal(product);
    }
  });
});

describeCommand('a tag that is no image reference', (world) => {
  const digest = `sha256:${'a'.repeat(64)}`;
  const invalid: readonly (readonly [string, string])[] = [
    ['localhost/Web:dev', 'lower case'],
    ['localhost/web dev', 'white space'],
    ['', 'empty'],
    [`localhost/web:dev@${digest}`, 'Leave the digest out: localhost/web:dev'],
  ];
  for (const [tag, words] of invalid) {
    it(`is rejected with a caret, before any request: ${JSON.stringify(tag.slice(0, 40))}`, async () => {
      world.connect({names: {...PLAIN_NAMES, cluster: 'k3d-demo'}});
      const ended = await world.tiltbuild(['-t', 'localhost/good:dev', `--tag=${tag}`, '.']);
      expectRefused(world, ended, 2, words);
      expect(ended.stderr).to.match(/^ +\^$/m);
      expect(world.api.requests).to.deep.equal([]);
    });
  }
});
