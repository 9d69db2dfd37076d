/** The reference file: a tag made from the digest, in the node and in a file that Tilt reads. */
import {existsSync, mkdirSync, readFileSync, statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect} from 'chai';
import {runningPod} from '../helpers/api-server.ts';
import {DIGEST, describeCommand, type World, withoutOwnPaths} from '../helpers/world.ts';

const TAG = `tilt-${DIGEST.slice('sha256:'.length, 'sha256:'.length + 16)}`;
const MULTI = '23d1001069826012';
const EXPORT = ['--output', 'type=image,unpack=true,compression=uncompressed'];

/** The arguments of each run, without those that all have. */
function asked(world: World): readonly (readonly string[])[] {
  return world.sandbox
    .invocations()
    .map(({argv}) => withoutOwnPaths(argv, world.sandbox))
    .map((argv) => argv.slice(argv.indexOf('docker-registry') + 1));
}

function runs(world: World, image: string): void {
  const {state} = world.api;
  const nodeName = state.nodes[0]?.metadata.name as string;
  state.pods.push(runningPod({name: 'web', namespace: 'apps', node: nodeName, image}));
}

describeCommand('a reference file', (world) => {
  const file = () => join(world.sandbox.root, 'refs', 'of web', 'ref.txt');
  const read = () => readFileSync(file(), 'utf8');
  const named = (...more: readonly string[]) => [
    '--image',
    'localhost/web',
    '--ref-file',
    file(),
    ...more,
    '.',
  ];

  it('names the image by its digest, in the node and in the file', async () => {
    const ended = await world.tiltbuild(named());
    expect(ended).to.include({exitCode: 0, stdout: `${DIGEST}\n`});
    expect(read()).to.equal(`localhost/web:${TAG}`);
    expect(asked(world)).to.deep.equal([
      [...EXPORT, '.'],
      ['--tag', `localhost/web:${TAG}`, ...EXPORT, '.'],
    ]);
    // The second pass is cached, and prints nothing.
    expect(ended.stderr.match(/load build definition/g)).to.have.length(1);
    if (process.platform !== 'win32') expect(statSync(join(file(), '..')).mode & 0o777).to.equal(0o700);
  });

  it('is the same for the same content, and replaces the one before', async () => {
    await world.tiltbuild(named());
    const before = read();
    writeFileSync(file(), 'localhost/web:old');
    await world.tiltbuild(named());
    expect(read()).to.equal(before);
  });

  it('does not exist after a build that fails', async () => {
    await world.tiltbuild(named());
    world.sandbox.setDelegate('run-fails');
    expect(await world.tiltbuild(named())).to.include({exitCode: 1, stdout: ''});
    expect(existsSync(file())).to.equal(false);
  });

  it("saves the second pass where a container on the builder's node runs from the image", async () => {
    runs(world, `localhost/web:${TAG}`);
    expect(await world.tiltbuild(named())).to.include({exitCode: 0, stdout: `${DIGEST}\n`});
    expect(read()).to.equal(`localhost/web:${TAG}`);
    expect(asked(world)).to.deep.equal([[...EXPORT, '.']]);
  });

  it('does not save it for another content, or another name of the same', async () => {
    runs(world, 'localhost/web:tilt-0000000000000000');
    runs(world, `localhost/other:${TAG}`);
    await world.tiltbuild(named());
    expect(asked(world)).to.have.length(2);
  });

  it('lists only the pods of the namespace in a shared cluster', async () => {
    const gke = 'gke_project_zone_shared';
    world.connect({names: {context: gke, cluster: gke, user: gke}});
    expect(await world.tiltbuild(named())).to.include({exitCode: 0});
    expect(asked(world)).to.have.length(2);
    expect(world.api.requests.map(({path}) => path)).to.not.include('/api/v1/pods');
  });

  it('has the familiar name, and the node the canonical one, on kind as well', async () => {
    expect(await world.tiltbuild(['--image', 'web', '--ref-file', file(), '.'])).to.include({exitCode: 0});
    expect(read()).to.equal(`web:${TAG}`);
    expect(asked(world)[1]?.slice(0, 2)).to.deep.equal(['--tag', `docker.io/library/web:${TAG}`]);
  });

  it('works with tags, and with every other form of the result', async () => {
    const [iid, metadata] = ['iid', 'meta.json'].map((name) => join(world.sandbox.work, name)) as [
      string,
      string,
    ];
    const flags = [
      '-t',
      'localhost/web:dev',
      '--iidfile',
      iid,
      '--metadata-file',
      metadata,
      '--print',
      'ref',
    ];
    const ended = await world.tiltbuild(named(...flags));
    expect(ended).to.include({exitCode: 0, stdout: `localhost/web:${TAG}\nlocalhost/web:dev\n`});
    expect(asked(world).map((argv) => argv.slice(0, 2))).to.deep.equal([
      ['--tag', 'localhost/web:dev'],
      ['--tag', `localhost/web:${TAG}`],
    ]);
    expect(readFileSync(iid, 'utf8')).to.equal(DIGEST);
    expect(JSON.parse(readFileSync(metadata, 'utf8'))).to.deep.include({
      digest: DIGEST,
      reference: `localhost/web:${TAG}`,
      references: [`localhost/web:${TAG}`, 'localhost/web:dev'],
    });
  });

  it('is not needed to print the reference', async () => {
    const ended = await world.tiltbuild(['--image', 'localhost/web', '--print', 'ref', '-q', '.']);
    expect(ended).to.include({exitCode: 0, stdout: `localhost/web:${TAG}\n`, stderr: ''});
  });

  it('has the tag in the form of --tag-prefix and --tag-length', async () => {
    await world.tiltbuild(named('--tag-prefix', 'v', '--tag-length', '10'));
    expect(read()).to.equal(`localhost/web:v${DIGEST.slice(7, 17)}`);
  });

  it('names several platforms by their manifest list', async () => {
    const ended = await world.tiltbuild(named('--platform', 'linux/amd64,linux/arm64'));
    expect(ended.exitCode).to.equal(0);
    expect(read()).to.equal(`localhost/web:tilt-${MULTI}`);
  });

  it('pushes under the name that Tilt expects in its registry', async () => {
    const env = {EXPECTED_REGISTRY: 'localhost:5000'};
    const pushed = `localhost:5000/gcr.io_me_web:${TAG}`;
    const ended = await world.tiltbuild(['--image', 'gcr.io/me/web', '--ref-file', file(), '--push', '.'], {
      env,
    });
    expect(ended).to.include({exitCode: 0});
    expect(read()).to.equal(pushed);
    // kubectl build refuses to push an image without a tag.
    expect(asked(world)).to.deep.equal([['.'], ['--tag', pushed, '--push', '.']]);
    expect(ended.stderr).to.contain(`pushing manifest for ${pushed}`);
  });

  it('leaves the name as it is without --push, whatever registry Tilt has', async () => {
    await world.tiltbuild(named(), {env: {EXPECTED_REGISTRY: 'localhost:5000'}});
    expect(read()).to.equal(`localhost/web:${TAG}`);
  });

  it('takes the second pass from the cache', async () => {
    await world.tiltbuild(named('--no-cache', '--pull', '--cache-to', 'type=local,dest=c'));
    const [first, second] = asked(world);
    expect(first).to.include.members(['--no-cache', '--pull', '--cache-to']);
    expect(second).to.include('--pull').and.not.include('--no-cache').and.not.include('--cache-to');
  });

  it('reads standard input once for both passes', async () => {
    const text = 'FROM scratch\n';
    const dockerfile = await world.tiltbuild(named('--file', '-'), {stdin: text});
    expect(dockerfile.exitCode).to.equal(0);
    expect(world.sandbox.invocations().map((run) => run.dockerfile?.content)).to.deep.equal([text, text]);

    const archive = Buffer.alloc(1024);
    archive.write('ustar', 257);
    const context = named().with(-1, '-');
    expect((await world.tiltbuild(context, {stdin: archive})).exitCode).to.equal(0);
    expect(
      world.sandbox
        .invocations()
        .slice(2)
        .map(({stdin}) => stdin?.equals(archive)),
    ).to.deep.equal([true, true]);
  });

  it('gives both passes the secrets of the environment', async () => {
    await world.tiltbuild(named('--secret', 'id=npm,env=NPM_TOKEN'), {env: {NPM_TOKEN: 's3cret'}});
    expect(world.sandbox.invocations().map(({secrets}) => secrets[0]?.content)).to.deep.equal([
      's3cret',
      's3cret',
    ]);
  });

  it('is not written where the image is different every time, and the error says so', async () => {
    world.sandbox.setDelegate('changes');
    const ended = await world.tiltbuild(named());
    expect(ended).to.include({exitCode: 5, stdout: ''});
    expect(ended.stderr).to.contain('is different every time it is built');
    expect(existsSync(file())).to.equal(false);
  });

  it('is checked before anything is built', async () => {
    mkdirSync(file(), {recursive: true});
    const ended = await world.tiltbuild(named());
    expect(ended).to.include({exitCode: 2});
    expect(ended.stderr).to.contain('--ref-file').and.contain('it is a directory');
    writeFileSync(join(world.sandbox.root, 'plain'), '');
    const below = await world.tiltbuild([
      '--image',
      'a',
      '--ref-file',
      join(world.sandbox.root, 'plain', 'x'),
      '.',
    ]);
    expect(below).to.include({exitCode: 2});
    expect(world.sandbox.invocations()).to.deep.equal([]);
  });

  for (const [args, words] of [
    [['--ref-file', 'r', '-t', 'localhost/a:1', '.'], '--ref-file needs --image'],
    [['--tag-prefix', 'v', '.'], '--tag-prefix needs --image'],
    [['--image', 'localhost/a:1', '.'], 'has a tag'],
    [['--image', 'Local Host', '.'], '^'],
    [['--image', 'a', '--tag-length', '3', '.'], '8 to 64'],
    [['--image', 'a', '--output', 'type=registry', '.'], '--image and --output cannot be used together'],
  ] as const) {
    it(`refuses ${args.join(' ')}`, async () => {
      const ended = await world.tiltbuild(args);
      expect(ended).to.include({exitCode: 2, stdout: ''});
      expect(ended.stderr).to.contain(words);
      expect(world.sandbox.invocations()).to.deep.equal([]);
    });
  }
});
