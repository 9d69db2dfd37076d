/** A registry that the cluster announces: images are pushed to it under the name that pods know, by builders that know it. */
import {expect} from 'chai';
import {parse} from 'smol-toml';
import {describeEngines, serveBuildkit} from '../helpers/engines.ts';
import {BUILD, changedPaths, describeCommand, removeBuilders, WAYS, type World} from '../helpers/world.ts';

const PUSH = ['--push', '-t', 'localhost:5001/web:dev', '.'];
const IN_CLUSTER = 'registry.dev:5000';
const CHANGES = [
  'PUT /apis/apps/v1/namespaces/default/deployments/buildkit',
  'PATCH /api/v1/namespaces/default/configmaps/buildkit',
];

function announce({api}: World): void {
  const text = `host: "localhost:5001"\nhostFromClusterNetwork: "${IN_CLUSTER}"\n`;
  api.state.configmaps.push({
    ...{kind: 'ConfigMap', apiVersion: 'v1'},
    metadata: {name: 'local-registry-hosting', namespace: 'kube-public'},
    data: {'localRegistryHosting.v1': text},
  });
}

const registriesOf = ({api}: World) =>
  parse(
    api.state.deployments[0]?.spec.template.metadata.annotations['kubectl-tiltbuild/buildkitd.toml'] ?? '',
  ).registry;
const asks = ({api}: World) => api.requests.filter(({path}) => path.includes('kube-public'));

describeEngines('an image for the registry that the cluster announces', (engine) => {
  const {world} = engine;

  it('is pushed under the name that pods know, and reported under its own', async () => {
    announce(world);
    const ended = await engine.tiltbuild(['--print', 'json', ...PUSH]);
    expect(ended.exitCode, ended.stderr).to.equal(0);
    expect(engine.names()).to.deep.equal([[`${IN_CLUSTER}/web:dev`]]);
    expect(JSON.parse(ended.stdout).references).to.deep.equal(['localhost:5001/web:dev']);
  });

  it('has the name that pods know in an output, and so have caches', async () => {
    announce(world);
    const output = ['--output', 'type=image,push=true,name=localhost:5001/web:dev'];
    const caches = [
      '--cache-from',
      'localhost:5001/cache',
      '--cache-to',
      'type=registry,ref=localhost:5001/cache',
    ];
    await engine.tiltbuild([...output, ...caches, '.']);
    // The stand-in of BuildKit does not show caches.
    const sent = engine.engine === 'builtin' ? engine.names().flat() : world.delegated().argv;
    expect(sent.filter((word) => word.includes(`${IN_CLUSTER}/`))).to.have.length(
      engine.engine === 'builtin' ? 1 : 3,
    );
    expect(sent.join()).not.to.contain('localhost:5001');
  });

  it('keeps its name in the node where only a cache is in that registry', async () => {
    announce(world);
    await engine.tiltbuild([
      '--cache-to',
      'type=registry,ref=localhost:5001/cache',
      '-t',
      'localhost:5001/web:dev',
      '.',
    ]);
    expect(engine.names()).to.deep.equal([['localhost:5001/web:dev']]);
  });

  it('keeps its name where the cluster announces none', async () => {
    const ended = await engine.tiltbuild(PUSH);
    expect(ended.exitCode, ended.stderr).to.equal(0);
    expect(engine.names()).to.deep.equal([['localhost:5001/web:dev']]);
  });
});

describeCommand('a builder, and the registry that the cluster announces', (world) => {
  beforeEach(() => {
    announce(world);
    serveBuildkit(world);
  });
  const build = async (...args: readonly string[]) => {
    const ended = await world.tiltbuild(args);
    expect(ended.exitCode, ended.stderr).to.equal(0);
    return ended;
  };

  for (const through of WAYS) {
    it(`is configured with a note, and keeps the rest (${through})`, async () => {
      world.connect({through});
      const [before] = world.api.state.deployments;
      const {stderr} = await build(...PUSH);
      expect(stderr).to.contain(`has no settings for the cluster's registry ${IN_CLUSTER}`);
      expect(changedPaths(world)).to.deep.equal(CHANGES);
      expect(registriesOf(world)).to.deep.equal({
        [IN_CLUSTER]: {http: true},
        'localhost:5001': {mirrors: [IN_CLUSTER]},
      });
      const {template, ...spec} = world.api.state.deployments[0]?.spec ?? {};
      const {template: old, ...others} = before?.spec ?? {};
      expect([spec, template.spec]).to.deep.equal([others, old.spec]);
      expect((await build(...PUSH)).stderr).not.to.contain('settings');
      expect(changedPaths(world)).to.deep.equal(CHANGES);
    });
  }

  it('keeps its annotations', async () => {
    removeBuilders(world);
    await build('builder', 'create', '--annotation', 'example.com/owner=a');
    announce(world);
    await build(...PUSH);
    const {deployments, configmaps} = world.api.state;
    for (const {metadata} of [
      ...deployments,
      ...configmaps.filter((one) => one.metadata.name === 'buildkit'),
    ])
      expect(metadata.annotations).to.include({'example.com/owner': 'a'});
  });

  it('is left as it is, and the cluster is not asked, by a build that does not push', async () => {
    await build(...BUILD);
    expect(asks(world)).to.deep.equal([]);
    expect(changedPaths(world)).to.deep.equal([]);
  });

  it('is left as it is by a build for another registry', async () => {
    await build('--push', '-t', 'ghcr.io/me/web:dev', '.');
    expect(changedPaths(world)).to.deep.equal([]);
  });

  it('is only warned of while a build runs on it, or if somebody else made it', async () => {
    Object.assign(serveBuildkit(world), {otherBuilds: 1});
    expect((await build(...PUSH)).stderr).to.match(/a build is running on it. To repair it: .* --replace/);
    Object.assign(world.api.state.deployments[0]?.metadata.labels ?? {}, {
      'app.kubernetes.io/managed-by': 'Helm',
    });
    expect((await build(...PUSH)).stderr).to.contain('kubectl tiltbuild did not create it');
    expect(changedPaths(world)).to.deep.equal([]);
  });

  it('knows it from the start', async () => {
    for (const command of [['builder', 'create'], BUILD]) {
      removeBuilders(world);
      announce(world);
      await build(...command);
      expect(registriesOf(world)).to.have.property(IN_CLUSTER).that.deep.equals({http: true});
    }
    const {stdout} = await build('builder', 'create', '--dry-run');
    expect(stdout).to.contain(`[registry."${IN_CLUSTER}"]`);
  });

  it('is configured by a dry run in words alone', async () => {
    const {stdout} = await build('--dry-run', ...PUSH);
    expect(stdout).to.contain(`would add the registry ${IN_CLUSTER}`).and.contain(`${IN_CLUSTER}/web:dev`);
    expect(changedPaths(world)).to.deep.equal([]);
  });
});
