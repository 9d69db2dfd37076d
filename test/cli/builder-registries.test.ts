/** The registries of a builder, and the rest of its buildkitd.toml: given, kept, shown and refused. */
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect} from 'chai';
import {parse} from 'smol-toml';
import {makeCertificateAuthority} from '../helpers/certificates.ts';
import {changedPaths, describeCommand, expectRefused, removeBuilders, type World} from '../helpers/world.ts';

const KEYS = '-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n';

async function create(world: World, ...args: readonly string[]) {
  const ended = await world.tiltbuild(['builder', 'create', ...args]);
  expect(ended.exitCode, ended.stderr).to.equal(0);
  return ended;
}

function podsOf({api}: World): Readonly<Record<string, string>> {
  return api.state.deployments[0]?.spec.template.metadata.annotations;
}

const tomlOf = (world: World) => parse(podsOf(world)['kubectl-tiltbuild/buildkitd.toml'] ?? '');
const write = ({sandbox}: World, name: string, text: string) => writeFileSync(join(sandbox.work, name), text);

describeCommand('the registries of a builder', (world) => {
  beforeEach(() => removeBuilders(world));

  it('come from flags, and their certificates are files of its pods, without the keys beside them', async () => {
    const {certificate} = await makeCertificateAuthority();
    write(world, 'ca.pem', `# Ours\n${KEYS}${certificate}\n`);
    await create(
      world,
      ...['--registry-http', 'kind-registry:5000', '--registry-insecure', 'old.example'],
      ...['--registry-ca', 'a.example:5000=ca.pem', '--registry-mirror', 'docker.io=a.example:5000/hub'],
    );
    expect(tomlOf(world).registry).to.deep.equal({
      'kind-registry:5000': {http: true},
      'old.example': {insecure: true},
      'a.example:5000': {ca: ['/etc/buildkit/ca.a.example_5000.pem']},
      'docker.io': {mirrors: ['a.example:5000/hub']},
    });
    expect(podsOf(world)['kubectl-tiltbuild/ca.a.example_5000.pem']).to.equal(`${certificate.trim()}\n`);
    expect(JSON.stringify(world.api.state)).not.to.contain('PRIVATE');
    const [volume] = world.api.state.deployments[0]?.spec.template.spec.volumes ?? [];
    expect(volume.downwardAPI.items.map(({path}: {path: string}) => path)).to.deep.equal([
      'buildkitd.toml',
      'ca.a.example_5000.pem',
    ]);
  });

  it('stay when it is recreated, together with new ones and the file, until they are dropped', async () => {
    const {certificate} = await makeCertificateAuthority();
    write(world, 'ca.pem', certificate);
    write(world, 'buildkitd.toml', '# Ours\n[dns]\nnameservers = ["10.0.0.10"]\n');
    await create(world, '--registry-ca', 'a.example=ca.pem', '--config', 'buildkitd.toml');
    await create(world, '--replace');
    await create(world, '--replace', '--registry-http', 'b.example');
    expect(tomlOf(world)).to.deep.include({
      dns: {nameservers: ['10.0.0.10']},
      registry: {'a.example': {ca: ['/etc/buildkit/ca.a.example.pem']}, 'b.example': {http: true}},
    });
    expect(podsOf(world)).to.include.keys('kubectl-tiltbuild/ca.a.example.pem');
    const {stdout} = await world.tiltbuild(['builder', 'ls', '-o', 'json']);
    expect(JSON.parse(stdout)[0]).to.deep.include({
      registries: tomlOf(world).registry,
      config: '# Ours\n[dns]\nnameservers = ["10.0.0.10"]\n',
    });
    await create(world, '--replace', '--registry-reset', '--config=');
    expect(tomlOf(world)).not.to.have.any.keys('dns', 'registry');
    expect(podsOf(world)).not.to.include.keys('kubectl-tiltbuild/ca.a.example.pem');
  });

  it("come from the node's containerd, stay when it is recreated, and are dropped with the rest", async () => {
    const {exec} = world.api.state;
    const certs = '/etc/containerd/certs.d';
    const hosts = {
      'docker.io': 'server = "https://registry-1.docker.io"\n[host."http://hub.example:5000"]',
      'quay.io': '[host."http://127.0.0.1:30020"]',
      'reg.example': 'ca = "ca.crt"',
      'own.example': '[host."https://elsewhere.example"]',
    };
    const paths = Object.keys(hosts).map((host) => `${certs}/${host}/hosts.toml`);
    const lines = Object.values(hosts).flatMap((text, at) =>
      text.split('\n').map((line) => `${paths[at]}:${line}`),
    );
    const answers: Readonly<Record<string, readonly string[]>> = {
      'find -L /etc/containerd -type f': [
        '/etc/containerd/config.toml',
        ...paths,
        `${certs}/reg.example/ca.crt`,
      ],
      [`grep -H  ${paths.join(' ')}`]: lines,
    };
    world.api.state.exec = (command, pod) => {
      const answer = answers[command.join(' ')];
      return answer === undefined ? exec(command, pod) : {stdout: `${answer.join('\n')}\n`};
    };
    const flag = '--registry-mirrors-from-node';
    const manifest = await world.tiltbuild(['builder', 'create', '--dry-run', flag]);
    expect(manifest.stderr).to.contain('the manifest has no mirrors of the nodes');

    const {stderr} = await create(world, flag, '--registry-http', 'own.example');
    const expected = {
      'own.example': {http: true},
      'docker.io': {mirrors: ['hub.example:5000']},
      'hub.example:5000': {http: true},
      'reg.example': {ca: [`${certs}/reg.example/ca.crt`]},
    };
    expect(tomlOf(world).registry).to.deep.include(expected);
    expect(stderr).to.contain('quay.io: http://127.0.0.1:30020/ is not used').and.to.contain('docker.io');
    const restarts = () => changedPaths(world).filter((path) => path.startsWith('PUT ')).length;
    const before = restarts();
    await create(world, '--replace', '--limit-cpu', '4');
    expect(restarts() - before).to.equal(1);
    const {stdout} = await world.tiltbuild(['builder', 'ls', '-o', 'json']);
    const [row] = JSON.parse(stdout);
    expect(row.registries).to.deep.include(expected);
    expect(row.settings).to.deep.include({registryMirrorsFromNode: true});
    await create(world, '--replace', '--registry-reset');
    expect(tomlOf(world)).not.to.have.any.keys('registry');
    expect(podsOf(world)).not.to.include.keys('kubectl-tiltbuild/settings');
  });

  for (const [what, files, args, ...words] of [
    ['a file that is not there', {}, ['--config', 'nope.toml'], 'there is no file "nope.toml"'],
    ['a file that is no TOML', {'x.toml': '[a\nb'}, ['--config', 'x.toml'], 'is not a buildkitd.toml', '1:'],
    [
      'a file that breaks the builder',
      {'x.toml': '[worker.containerd]\nnamespace = "x"'},
      ['--config', 'x.toml'],
      '--config, line 2: worker.containerd.namespace = "x"',
      'the builder: worker.containerd.namespace = "k8s.io"',
    ],
    [
      'a key as a certificate',
      {'ca.pem': KEYS},
      ['--registry-ca', 'x=ca.pem'],
      'has no certificate',
      'openssl',
    ],
    [
      'a certificate that is none',
      {'ca.pem': KEYS.replaceAll('PRIVATE KEY', 'CERTIFICATE')},
      ['--registry-ca', 'x=ca.pem'],
      'has no certificate',
    ],
    ['an address', {}, ['--registry-http', 'http://x:5000'], 'is not the host of a registry'],
    [
      "the node's of a builder that is not on its containerd",
      {},
      ['--rootless', '--registry-mirrors-from-node'],
      "builders that use the nodes' containerd",
    ],
  ] as const) {
    it(`are refused with ${what}`, async () => {
      for (const [name, text] of Object.entries(files)) write(world, name, text);
      const ended = await world.tiltbuild(['builder', 'create', ...args]);
      expectRefused(world, ended, 2, ...words);
      expect(changedPaths(world)).to.deep.equal([]);
    });
  }
});
