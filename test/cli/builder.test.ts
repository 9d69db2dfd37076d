/** The builder before a build: looked at in the same round, used, waited for, created, replaced, warned of. */
import {expect} from 'chai';
import {addBuilder, node, runningPod} from '../helpers/api-server.ts';
import {serveBuildkit} from '../helpers/engines.ts';
import {
  BUILD,
  changedPaths,
  changes,
  describeCommand,
  EXPORT,
  expectRefused,
  expectBuilt as expectResult,
  PLAIN_NAMES,
  readBuilderFixture,
  removeBuilders,
  WAYS,
  type World,
} from '../helpers/world.ts';

const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments';
const CONFIG_MAP = '/api/v1/namespaces/default/configmaps/buildkit';
const PODS = '/api/v1/namespaces/default/pods';
const GKE = 'gke_my-project_europe-west1-b_demo';
const GKE_NAMES = {context: GKE, cluster: GKE, user: GKE};
const SELECTOR = 'rootless,runtime,worker';

function putBuilder(world: World, options: Parameters<typeof addBuilder>[1]) {
  removeBuilders(world);
  return addBuilder(world.api.state, options);
}

const bodyOf = (world: World, method: string) =>
  changes(world).find((request) => request.method === method)?.body as never;

async function expectBuilt(world: World, args: readonly string[] = BUILD) {
  const ended = await world.tiltbuild(args);
  expectResult(ended);
  world.delegated();
  return ended;
}

describeCommand('a builder that works', (world) => {
  /** The requests before the delegate, without kubectl's own discovery. */
  const asked = () =>
    world.api.requests
      .filter(({path}) => path !== PODS && !/^\/(openapi|apis?(\/v1|\/[^/]+\/v1)?$)/.test(path))
      .map(({method, path, query: {labelSelector}}) =>
        [method, path, ...(labelSelector ? [labelSelector] : [])].join(' '),
      )
      .sort();
  const round = [
    `GET /api/v1/namespaces/default/configmaps ${SELECTOR}`,
    'GET /api/v1/namespaces/default/secrets/docker-registry',
    'GET /api/v1/nodes',
    `GET ${DEPLOYMENTS} ${SELECTOR}`,
  ];

  it('costs one round of five requests, and nothing is changed', async () => {
    const ended = await expectBuilt(world);
    expect(asked()).to.deep.equal([...round, 'POST /apis/authorization.k8s.io/v1/selfsubjectrulesreviews']);
    // Its pods are looked at as the delegate runs, and not before.
    const paths = world.api.requests.map(({path}) => path);
    expect(paths.slice(0, 5)).not.to.include(PODS);
    expect(ended.stderr).not.to.match(/note:|builder/);
    expect(world.delegated().argv).to.include.members(EXPORT);
  });

  it('costs one round where kubectl asks, and nothing is changed', async () => {
    world.connect({through: 'kubectl'});
    const ended = await expectBuilt(world);
    expect(asked()).to.deep.equal(round);
    expect(changedPaths(world)).to.deep.equal([]);
    expect(ended.stderr).not.to.contain('note:');
  });

  it('is waited for where another one is just making it', async () => {
    const {deployment} = putBuilder(world, {kind: 'ours'});
    const status = {observedGeneration: 1, replicas: 1, updatedReplicas: 1, unavailableReplicas: 1};
    world.api.state.deployments = [{...deployment, status}];
    let ended = false;
    const building = expectBuilt(world).finally(() => {
      ended = true;
    });
    const looks = () => world.api.requests.filter(({path}) => path === `${DEPLOYMENTS}/buildkit`);
    while (looks().length < 2 && !ended) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(world.sandbox.invocations()).to.deep.equal([]);
    world.api.state.deployments = [deployment];
    await building;
    expect(changedPaths(world)).to.deep.equal([]);
  });
});

describeCommand('no builder', (world) => {
  beforeEach(() => removeBuilders(world));

  for (const through of WAYS) {
    it(`is made up for by one of ours, which is waited for and used (${through})`, async () => {
      world.connect({through});
      const ended = await expectBuilt(world);
      expect(ended.stderr).to.contain('there is no builder "buildkit" in namespace "default" yet');
      expect(changedPaths(world)).to.deep.equal([`PATCH ${CONFIG_MAP}`, `POST ${DEPLOYMENTS}`]);
      expect(changes(world).map(({body}) => body)).to.deep.equal(readBuilderFixture('kind-containerd'));
      for (const {query} of changes(world)) expect(query.fieldManager).to.equal('kubectl-tiltbuild');
      expect(world.delegated().argv).to.include.members(EXPORT);
    });
  }

  for (const [fixture, facts] of [
    ['k3s-containerd', {name: 'server', providerID: 'k3s://server', kubeletVersion: 'v1.36.2+k3s1'}],
    ['docker', {name: 'minikube', providerID: '', containerRuntimeVersion: 'docker://28.0.1'}],
  ] as const) {
    it(`is made up for by what fits the nodes: ${fixture}`, async () => {
      world.connect({names: {...PLAIN_NAMES, ...(fixture === 'docker' && {cluster: 'minikube'})}});
      world.api.state.nodes = [node(facts)];
      await expectBuilt(world);
      expect(changes(world).map(({body}) => body)).to.deep.equal(readBuilderFixture(fixture));
    });
  }

  for (const through of WAYS) {
    it(`is made up for by one on the nodes with pods of the namespace, among 120 nodes (${through})`, async () => {
      world.connect({through});
      world.api.state.nodes = Array.from({length: 120}, (_, index) => node({name: `node-${index}`}));
      world.api.state.pods = ['node-7', 'node-99', 'node-7', 'gone'].map((on, index) =>
        runningPod({name: `web-${index}`, namespace: 'default', node: on, image: 'web'}),
      );
      const ended = await world.tiltbuild(['--builder-timeout', '1ms', ...BUILD]);
      const {spec} = bodyOf(world, 'POST') as ReturnType<typeof node>;
      expect(spec.replicas).to.equal(2);
      expect(spec.template.spec.affinity).to.have.property('podAffinity');
      expect(ended.stderr).to.contain('120 nodes can hold a builder').and.contain('Spegel');
    });
  }

  it('is made up for from --builder-image, one on every node with --builder-replicas nodes', async () => {
    world.api.state.nodes = [node({name: 'one'}), node({name: 'two'})];
    const buildkit = serveBuildkit(world);
    const flags = ['--builder-image', 'mirror.example/buildkit:v0.32.2', '--builder-replicas', 'nodes'];
    expectResult(await world.tiltbuild([...flags, '--builder', 'mine', ...BUILD]));
    const {metadata, spec} = bodyOf(world, 'POST') as ReturnType<typeof node>;
    expect({
      name: metadata.name,
      replicas: spec.replicas,
      image: spec.template.spec.containers[0].image,
    }).to.deep.equal({
      name: 'mine',
      replicas: 2,
      image: 'mirror.example/buildkit:v0.32.2',
    });
    expect(buildkit.solves).to.have.length(1);
  });

  it('is made up for by one that grants network.host where the build asks for it', async () => {
    const ended = await world.tiltbuild(['--network', 'host', ...BUILD]);
    // The stand-in grants it never.
    expect(ended.exitCode).to.equal(1);
    const {binaryData} = bodyOf(world, 'PATCH') as ReturnType<typeof node>;
    const toml = Buffer.from(binaryData['buildkitd.toml'], 'base64').toString();
    expect(toml).to.contain('insecure-entitlements = ["network.host"]');
  });

  it('is left to kubectl build with --builder-policy check, with a warning, and never, without a word', async () => {
    const checked = await world.tiltbuild(['--builder-policy', 'check', ...BUILD]);
    expectResult(checked);
    expect(checked.stderr).to.contain('does not exist').and.contain('tiltbuild builder create buildkit');
    const left = await world.tiltbuild(['--builder-policy', 'never', ...BUILD]);
    expectResult(left);
    expect(left.stderr).not.to.contain('note:');
    expect(changedPaths(world)).to.deep.equal([]);
  });

  for (const through of WAYS) {
    it(`ends the run where there is not even the namespace (${through})`, async () => {
      world.connect({through});
      const ended = await world.tiltbuild(['--namespace', 'nowhere', ...BUILD]);
      expectRefused(world, ended, 4, 'no namespace "nowhere"');
      expect(changedPaths(world)).to.deep.equal([]);
    });
  }
});

describeCommand('a builder that is broken', (world) => {
  it("is replaced on kind where it is the plugin's own", async () => {
    putBuilder(world, {kind: 'plugin'});
    const ended = await expectBuilt(world);
    expect(ended.stderr).to.contain('harms its node at every start').and.contain('; replacing it.');
    expect(changedPaths(world)).to.deep.equal([`PATCH ${CONFIG_MAP}`, `PUT ${DEPLOYMENTS}/buildkit`]);
    const {metadata, ...rest}: {metadata: {resourceVersion: string}} = bodyOf(world, 'PUT');
    // With it, somebody else's change meanwhile would win.
    const {resourceVersion, ...sent} = metadata;
    expect(resourceVersion).to.match(/^\d+$/);
    const expected = readBuilderFixture('kind-containerd')[1] as ReturnType<typeof node>;
    expected.spec.template.metadata.annotations['kubectl-tiltbuild/replaces'] = resourceVersion;
    expect({metadata: sent, ...rest}).to.deep.equal(expected);
    expect(world.api.state.deployments[0]?.metadata).to.include({generation: 2});
    expect(world.delegated().argv).to.include.members(EXPORT);
  });

  it('keeps the image of the old one where the nodes cannot pull ours', async () => {
    putBuilder(world, {kind: 'plugin'});
    world.api.state.builder.outcome = 'stuck-image';
    const puts = () => world.api.requests.filter(({method}) => method === 'PUT');
    const watching = setInterval(() => {
      if (puts().length > 1) world.api.state.builder.outcome = 'ready';
    }, 10);
    const ended = await expectBuilt(world).finally(() => clearInterval(watching));
    expect(ended.stderr).to.contain('cannot be pulled').and.contain('Keeping the image of the old builder');
    const images = puts().map(({body}) => JSON.stringify(body).match(/"image":"([^"]+)"/)?.[1]);
    expect(images).to.deep.equal([
      'docker.io/moby/buildkit:v0.32.2',
      'docker.io/moby/buildkit:buildx-stable-1',
    ]);
  });

  for (const [title, arrange, why] of [
    ['on a cluster that is not local', () => world.connect({names: GKE_NAMES}), 'not a local development'],
    [
      'while a build runs on it',
      () => Object.assign(serveBuildkit(world), {otherBuilds: 1}),
      'a build is running on it',
    ],
  ] as const) {
    it(`is only warned of ${title}, with the command that repairs it`, async () => {
      putBuilder(world, {kind: 'plugin'});
      arrange();
      const ended = await expectBuilt(world);
      expect(ended.stderr).to.contain('harms its node').and.contain(why);
      expect(ended.stderr).to.contain('builder create buildkit --replace --namespace default');
      expect(changedPaths(world)).to.deep.equal([]);
    });
  }
});

describeCommand('a missing permission', (world) => {
  it('is named before anything is started', async () => {
    world.api.state.forbidden.add('get deployments').add('create pods/exec');
    const ended = await world.tiltbuild(BUILD);
    expectRefused(world, ended, 4, 'get deployments.apps', 'create pods/exec', 'kubectl auth can-i');
    expect(changedPaths(world)).to.deep.equal([]);
  });

  it('is named where a builder has to be created', async () => {
    removeBuilders(world);
    world.api.state.forbidden.add('create deployments').add('patch configmaps');
    const ended = await world.tiltbuild(BUILD);
    expectRefused(world, ended, 4, /create\b.*\bdeployments/, /patch\b.*\bconfigmaps/);
    expect(world.api.state.deployments).to.deep.equal([]);
  });

  for (const through of WAYS) {
    it(`to touch Deployments at all is named (${through})`, async () => {
      world.connect({through});
      world.api.state.forbidden.add('deployments');
      const ended = await world.tiltbuild(BUILD);
      expectRefused(world, ended, 4, 'list deployments.apps', 'cannot list resource "deployments"');
    });

    it(`to read ConfigMaps speaks neither for nor against a builder (${through})`, async () => {
      world.connect({through});
      world.api.state.forbidden.add('configmaps');
      expect((await expectBuilt(world)).stderr).not.to.contain('cannot run RUN');
      expect(changedPaths(world)).to.deep.equal([]);
    });

    it(`to list nodes is named where a builder has to be created (${through})`, async () => {
      world.connect({through});
      removeBuilders(world);
      world.api.state.forbidden.add('nodes');
      expectRefused(world, await world.tiltbuild(BUILD), 4, 'permission to list nodes');
      expect(world.api.state.deployments).to.deep.equal([]);
    });
  }
});

describeCommand('a builder that does not start', (world) => {
  for (const [outcome, ...words] of [
    ['stuck-image', 'docker.io/moby/buildkit:v0.32.2', 'cannot be pulled', '--replace --image IMAGE'],
    ['stuck-podsecurity', 'Pod Security standard', 'pod-security.kubernetes.io/enforce=privileged'],
    ['stuck-crash', 'flag provided but not defined', 'builder create buildkit --replace'],
    ['never', 'is not ready after 2 s', 'kubectl describe pods'],
  ] as const) {
    it(`is given up with its cause and what to do: ${outcome}`, async () => {
      removeBuilders(world);
      world.api.state.builder.outcome = outcome;
      const timeout = outcome === 'never' ? '2s' : '30s';
      expectRefused(world, await world.tiltbuild(['--builder-timeout', timeout, ...BUILD]), 4, ...words);
    });
  }
});
