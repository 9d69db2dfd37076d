/** The main job: what kubectl build gets, and what comes out. */
import {existsSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect} from 'chai';
import {addBuilder} from '../helpers/api-server.ts';
import {
  BUILD,
  DIGEST,
  describeCommand,
  EXPORT,
  expectBuilt,
  KIND_NAMES,
  pinArgs,
  removeBuilders,
  withoutOwnPaths,
} from '../helpers/world.ts';

const RUNTIME_FILES: Readonly<Record<string, string>> = {
  '.env': 'KUBECONFIG=/nowhere\nPATH=/nowhere\nHTTPS_PROXY=http://127.0.0.1:9\n',
  'bunfig.toml': 'preload = ["./preload.ts"]\n',
  'preload.ts': 'console.error("code of the checkout has run");\nprocess.exit(9);\n',
  'tsconfig.json': '{"compilerOptions": {"paths": {"*": ["./preload.ts"]}}}\n',
  'package.json': '{"oclif": {"plugins": ["./preload.ts"]}, "imports": {"#x": "./preload.ts"}}\n',
};

describeCommand('a build', (world) => {
  const pinned = () => [...pinArgs(world.sandbox, KIND_NAMES), '--registry-secret', 'docker-registry'];
  const argv = () => withoutOwnPaths(world.delegated().argv, world.sandbox);

  it('prints the digest, passes on the pinned target, the secret and the fast export, and reads no secret', async () => {
    const ended = await world.tiltbuild(BUILD);
    expectBuilt(ended);
    expect(ended.stderr).to.contain('#8 naming to localhost/web:dev done');
    expect(argv()).to.deep.equal([...pinned(), '--tag', 'localhost/web:dev', ...EXPORT, '-']);
    expect(
      world.api.requests
        // During the build we watch the builder's pod.
        .filter(({path}) => path !== '/api/v1/namespaces/default/pods')
        .map(({method, path, accept}) => `${method} ${path} ${accept}`)
        .sort(),
    ).to.deep.equal([
      'GET /api/v1/namespaces/default/configmaps application/json',
      'GET /api/v1/namespaces/default/secrets/docker-registry application/json;as=Table;v=v1;g=meta.k8s.io',
      'GET /api/v1/nodes application/json',
      'GET /apis/apps/v1/namespaces/default/deployments application/json',
      'POST /apis/authorization.k8s.io/v1/selfsubjectrulesreviews application/json',
    ]);
  });

  it('passes flags on byte for byte', async () => {
    const values = [
      'A= two  spaces ',
      'B="quoted"',
      "C='$HOME'",
      'D=$(id)`id`',
      'E=line\nbreak',
      'F=ünï©ode 🚢',
      '-G=x',
      '--push',
      'H=',
      '%PATH%^&',
    ];
    const given = [
      ...values.flatMap((value) => ['--build-arg', value]),
      ...values.map((value) => `--label=${value}`),
    ];
    await world.tiltbuild(['-t', 'localhost/web:dev', '.', ...given, '--', '--target', ' verbatim ünï ']);
    expect(argv()).to.deep.equal([
      ...pinned(),
      '--tag',
      'localhost/web:dev',
      ...values.flatMap((value) => ['--build-arg', value]),
      ...values.flatMap((value) => ['--label', value]),
      ...EXPORT,
      '--target',
      ' verbatim ünï ',
      '-',
    ]);
  });

  it('passes on every build flag of docker', async () => {
    const flags = [
      ['--target', 'prod'],
      ['--ssh', 'default'],
      ['--network', 'host'],
      ['--add-host', 'db:10.0.0.1'],
      ['--allow', 'network.host'],
      ['--cache-from', 'type=registry,ref=ghcr.io/me/cache'],
      ['--cache-to', 'type=inline'],
      ['--no-cache'],
      ['--pull'],
      ['--frontend', 'docker/dockerfile:1'],
    ].flat();
    const ours = ['--progress', 'plain', '--builder', 'mine', '--engine', 'kubectl-build'];
    await world.tiltbuild([...ours, ...flags, '-f', 'Dockerfile', ...BUILD]);
    expect(argv()).to.deep.equal([
      ...pinned().toSpliced(6, 0, '--builder', 'mine'),
      ...['--tag', 'localhost/web:dev', '--file', 'Dockerfile', ...flags],
      // There is no builder "mine" yet, so the build creates one for containerd, which kind's nodes run.
      ...[...EXPORT, '--progress', 'plain', '-'],
    ]);
  });

  it('builds several tags, and prints them in full with --print ref', async () => {
    const tags = ['-t', 'localhost/web', '-t', 'docker.io/web:two'];
    const ended = await world.tiltbuild([...tags, '--print', 'ref', '.']);
    expect(ended).to.include({exitCode: 0, stdout: 'localhost/web:latest\ndocker.io/library/web:two\n'});
    expect(argv()).to.include.members(['localhost/web:latest', 'docker.io/library/web:two']);
  });

  it('prints everything as JSON, and nothing with --print none', async () => {
    const json = (file: string) => world.tiltbuild(['--print', 'json', '--metadata-file', file, ...BUILD]);
    const bad = await json('nowhere/meta.json');
    expect(bad.exitCode).to.equal(2);
    const {message} = JSON.parse(bad.stderr);
    expect(message).to.contain('--metadata-file "nowhere/meta.json" cannot be written');
    const good = await json('meta.json');
    expect(good.exitCode).to.equal(0);
    const {seconds, ...rest} = JSON.parse(good.stdout);
    expect(seconds).to.be.a('number');
    expect(rest).to.deep.equal({
      digest: DIGEST,
      reference: null,
      references: ['localhost/web:dev'],
      product: 'kind',
      context: 'kind-demo',
      namespace: 'default',
      builder: 'buildkit',
      node: null,
      nodes: [],
      engine: 'kubectl-build',
      engineReason: `found at ${join(world.sandbox.bin, 'kubectl-build')}`,
      pullSecret: 'docker-registry',
    });
    expect(readFileSync(join(world.sandbox.work, 'meta.json'), 'utf8')).to.equal(good.stdout);
    const none = await world.tiltbuild(['--print', 'none', ...BUILD]);
    expect(none).to.include({exitCode: 0, stdout: ''});
  });

  it('writes the image ID file without a newline, and removes an older one when the build fails', async () => {
    const file = join(world.sandbox.work, 'iid file.txt');
    const build = () => world.tiltbuild(['--iidfile', 'iid file.txt', ...BUILD]);
    expectBuilt(await build());
    expect(readFileSync(file, 'utf8')).to.equal(DIGEST);
    world.sandbox.setDelegate('run-fails');
    expect((await build()).exitCode).to.equal(1);
    expect(existsSync(file)).to.equal(false);
  });

  it('finds the digest in the progress with --platform, and shows every line of it', async () => {
    const ended = await world.tiltbuild(['--platform', 'linux/amd64', '--iidfile', 'iid', ...BUILD]);
    expect(ended.exitCode).to.equal(0);
    expect(ended.stdout).to.match(/^sha256:[0-9a-f]{64}\n$/);
    expect(readFileSync(join(world.sandbox.work, 'iid'), 'utf8')).to.equal(ended.stdout.trim());
    expect(ended.stderr).to.match(/^#1 \[internal\] load build definition[\s\S]*DONE 0.0s\n$/);
    expect(ended.stderr).to.contain(`exporting manifest ${ended.stdout.trim()} done`);
    expect(world.delegated().argv).to.deep.equal([
      ...pinned(),
      ...['--tag', 'localhost/web:dev', '--platform', 'linux/amd64', ...EXPORT, '--progress', 'plain', '-'],
    ]);
  });

  it('gives the digest of the manifest list where there are several platforms', async () => {
    const ended = await world.tiltbuild(['--platform', 'linux/amd64,linux/arm64', ...BUILD]);
    expect(ended).to.include({
      exitCode: 0,
      stdout: 'sha256:23d100106982601235dd2ecad949c6a430ef100f8353f340f3b0322eb4f96c8b\n',
    });
  });

  it('turns DOCKER_DEFAULT_PLATFORM into --platform, and removes it from the environment of kubectl build', async () => {
    const ended = await world.tiltbuild(BUILD, {env: {DOCKER_DEFAULT_PLATFORM: 'linux/arm64'}});
    expect(ended.exitCode).to.equal(0);
    expect(ended.stdout).to.match(/^sha256:[0-9a-f]{64}\n$/);
    expect(argv()).to.include.members(['--platform', 'linux/arm64']);
    expect(world.delegated().env).not.to.have.property('DOCKER_DEFAULT_PLATFORM');
  });

  it('pushes with the export of kubectl build', async () => {
    const ended = await world.tiltbuild(['-t', 'registry.example:5000/web:dev', '--push', '.']);
    expect(ended.exitCode).to.equal(0);
    expect(ended.stdout).to.match(/^sha256:[0-9a-f]{64}\n$/);
    expect(argv()).to.deep.equal([...pinned(), '--tag', 'registry.example:5000/web:dev', '--push', '-']);
  });

  it('passes --output on with an absolute path, and prints nothing for a local one, which has no digest', async () => {
    const ended = await world.tiltbuild(['-o', 'type=local,dest=out', '.']);
    expect(ended).to.include({exitCode: 0, stdout: ''});
    const out = `type=local,dest=${join(world.sandbox.work, 'out')}`;
    expect(world.delegated().argv).to.deep.equal([...pinned(), '--output', out, '-']);
    expect(existsSync(join(world.sandbox.work, 'out', 'index.html'))).to.equal(true);
  });

  it('chooses the export by --compression, and by the runtime of the builder', async () => {
    await world.tiltbuild(['--compression', 'zstd', ...BUILD]);
    await world.tiltbuild(['--compression', 'default', ...BUILD]);
    removeBuilders(world);
    addBuilder(world.api.state, {kind: 'ours', runtime: 'docker'});
    await world.tiltbuild(BUILD);
    expect(world.sandbox.invocations().map(({argv}) => argv[argv.indexOf('--output') + 1])).to.deep.equal([
      'type=image,unpack=true,compression=zstd',
      '--kubeconfig',
      '--kubeconfig',
    ]);
  });

  it('reads a context from standard input', async () => {
    const ended = await world.tiltbuild(['-t', 'localhost/web:dev', '-'], {stdin: 'FROM scratch\n'});
    expectBuilt(ended);
    expect(world.delegated().stdin?.toString()).to.equal('FROM scratch\n');
  });

  it('prints no progress with --quiet, unless the build fails', async () => {
    const good = await world.tiltbuild(['-q', ...BUILD]);
    expect(good).to.include({exitCode: 0, stdout: `${DIGEST}\n`, stderr: ''});
    world.sandbox.setDelegate('run-fails');
    const bad = await world.tiltbuild(['-q', ...BUILD]);
    expect(bad).to.include({exitCode: 1, stdout: ''});
    expect(bad.stderr).to.match(
      /^#1 \[internal\][\s\S]*did not complete successfully: exit code: 7\nerror: /,
    );
  });

  it('is not changed by files of a checkout that a runtime would read', async () => {
    for (const [name, text] of Object.entries(RUNTIME_FILES))
      writeFileSync(join(world.sandbox.work, name), text);
    const ended = await world.tiltbuild(BUILD);
    expectBuilt(ended);
    expect(ended.stderr).not.to.contain('code of the checkout');
  });

  it('shows with --verbose what it found and the command that it runs', async () => {
    const {stderr} = await world.tiltbuild(['-v', ...BUILD]);
    expect(stderr).to.contain('context "kind-demo", namespace "default"');
    expect(stderr).to.contain('product: kind (the cluster is called "kind-demo")');
    expect(stderr).to.contain('pull secret: ');
    expect(stderr).to.match(/runs: .*kubectl-build.* --tag localhost\/web:dev /);
  });

  it('accepts a context with spaces and letters outside ASCII, and one that looks like a command', async () => {
    for (const name of ['a dir ü', 'doctor']) {
      const directory = join(world.sandbox.work, name);
      mkdirSync(directory);
      writeFileSync(join(directory, 'Dockerfile'), 'FROM scratch\n');
      expect((await world.tiltbuild(['-t', 'localhost/web:dev', `./${name}`])).exitCode, name).to.equal(0);
    }
    expect(world.sandbox.invocations().map(({context}) => context)).to.deep.equal([
      ['./', 'Dockerfile'],
      ['./', 'Dockerfile'],
    ]);
  });
});
