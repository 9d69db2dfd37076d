/** The reference file: a tag made from the digest, in the node by a second build and in a file that Tilt reads. */
import {existsSync, mkdirSync, readFileSync, statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect} from 'chai';
import {
  DIGEST,
  describeCommand,
  EXPORT,
  expectBuilt,
  expectRefused,
  type World,
  withoutOwnPaths,
} from '../helpers/world.ts';

const TAG = `tilt-${DIGEST.slice('sha256:'.length, 'sha256:'.length + 16)}`;

/** The arguments of each run, without those that all have. */
function asked(world: World): readonly (readonly string[])[] {
  return world.sandbox
    .invocations()
    .map(({argv}) => withoutOwnPaths(argv, world.sandbox))
    .map((argv) => argv.slice(argv.indexOf('docker-registry') + 1));
}

describeCommand('a reference file', (world) => {
  const file = () => join(world.sandbox.root, 'refs', 'of web', 'ref.txt');
  const read = () => readFileSync(file(), 'utf8');
  const ref = () => ['--ref-file', file()];
  const named = (...more: readonly string[]) => ['--image', 'localhost/web', ...ref(), ...more, '.'];

  it('names the image by its digest, in the node and in the file', async () => {
    const ended = await world.tiltbuild(named());
    expectBuilt(ended);
    expect(read()).to.equal(`localhost/web:${TAG}`);
    expect(asked(world)).to.deep.equal([
      ['--output', `${EXPORT[1]},dangling-name-prefix=localhost/web`, '-'],
      ['--tag', `localhost/web:${TAG}`, ...EXPORT, '-'],
    ]);
    // The second pass is cached, and prints nothing.
    expect(ended.stderr.match(/load build definition/g)).to.have.length(1);
    if (process.platform !== 'win32') expect(statSync(join(file(), '..')).mode & 0o777).to.equal(0o700);
  });

  it('is the same for the same content, replaces the one before, and is gone after a build that fails', async () => {
    await world.tiltbuild(named());
    const before = read();
    writeFileSync(file(), 'localhost/web:old');
    await world.tiltbuild(named());
    expect(read()).to.equal(before);
    world.sandbox.setDelegate('run-fails');
    expect(await world.tiltbuild(named())).to.include({exitCode: 1, stdout: ''});
    expect(existsSync(file())).to.equal(false);
  });

  it('has the familiar name, and the node the canonical one, on kind as well', async () => {
    expect(await world.tiltbuild(['--image', 'web', ...ref(), '.'])).to.include({exitCode: 0});
    expect(read()).to.equal(`web:${TAG}`);
    expect(asked(world)[1]?.slice(0, 2)).to.deep.equal(['--tag', `docker.io/library/web:${TAG}`]);
  });

  it('works with tags, and with every other form of the result', async () => {
    const files = ['--iidfile', 'iid', '--metadata-file', 'meta.json'];
    const ended = await world.tiltbuild(named('-t', 'localhost/web:dev', ...files, '--print', 'ref'));
    const written = (name: string) => readFileSync(join(world.sandbox.work, name), 'utf8');
    expect(ended).to.include({exitCode: 0, stdout: `localhost/web:${TAG}\nlocalhost/web:dev\n`});
    expect(asked(world).map((argv) => argv.slice(0, 2))).to.deep.equal([
      ['--tag', 'localhost/web:dev'],
      ['--tag', `localhost/web:${TAG}`],
    ]);
    expect(written('iid')).to.equal(DIGEST);
    expect(JSON.parse(written('meta.json'))).to.deep.include({
      digest: DIGEST,
      reference: `localhost/web:${TAG}`,
      references: [`localhost/web:${TAG}`, 'localhost/web:dev'],
    });
  });

  it('is not needed to print the reference', async () => {
    const ended = await world.tiltbuild(['--image', 'localhost/web', '--print', 'ref', '-q', '.']);
    expect(ended).to.include({exitCode: 0, stdout: `localhost/web:${TAG}\n`, stderr: ''});
  });

  it('names several platforms by their manifest list, in the form of --tag-prefix and --tag-length', async () => {
    const form = ['--tag-prefix', 'v', '--tag-length', '10'];
    const ended = await world.tiltbuild(named('--platform', 'linux/amd64,linux/arm64', ...form));
    expect(ended.exitCode).to.equal(0);
    expect(read()).to.equal('localhost/web:v23d1001069');
  });

  it('pushes under the name that Tilt expects in its registry', async () => {
    const env = {EXPECTED_REGISTRY: 'localhost:5000'};
    const pushed = `localhost:5000/gcr.io_me_web:${TAG}`;
    const ended = await world.tiltbuild(['--image', 'gcr.io/me/web', ...ref(), '--push', '.'], {env});
    expect(ended).to.include({exitCode: 0});
    expect(read()).to.equal(pushed);
    // kubectl build refuses to push an image without a tag.
    expect(asked(world)).to.deep.equal([['-'], ['--tag', pushed, '--push', '-']]);
    expect(ended.stderr).to.contain(`pushing manifest for ${pushed}`);
  });

  it('takes the second pass from the cache', async () => {
    await world.tiltbuild(named('--no-cache', '--pull', '--cache-to', 'type=local,dest=c'));
    const [first, second] = asked(world);
    expect(first).to.include.members(['--no-cache', '--pull', '--cache-to']);
    expect(second).to.include('--pull').and.not.include('--no-cache').and.not.include('--cache-to');
  });

  it('reads standard input once for both passes', async () => {
    const archive = Buffer.alloc(1024);
    archive.write('ustar', 257);
    const context = named().with(-1, '-');
    expect((await world.tiltbuild(context, {stdin: archive})).exitCode).to.equal(0);
    const read = world.sandbox.invocations();
    expect(read.map(({stdin}) => stdin?.equals(archive))).to.deep.equal([true, true]);
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
    expectRefused(world, ended, 2, '--ref-file', 'it is a directory');
    writeFileSync(join(world.sandbox.root, 'plain'), '');
    const below = join(world.sandbox.root, 'plain', 'x');
    expectRefused(world, await world.tiltbuild(['--image', 'a', '--ref-file', below, '.']), 2);
  });

  for (const [args, words] of [
    [['--ref-file', 'r', '-t', 'localhost/a:1', '.'], '--ref-file needs --image'],
    [['--image', 'localhost/a:1', '.'], 'has a tag'],
    [['--image', 'a', '--output', 'type=registry', '.'], '--image and --output cannot be used together'],
  ] as const) {
    it(`refuses ${args.join(' ')}`, async () => {
      expectRefused(world, await world.tiltbuild(args), 2, words);
    });
  }
});
