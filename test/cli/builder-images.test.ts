/** `kubectl tiltbuild builder images …`: the images that builds named in the nodes, and their removal. */
import {expect} from 'chai';
import {runningPod} from '../helpers/api-server.ts';
import {type ContainerdStandIn, serveContainerd} from '../helpers/containerd-stand-in.ts';
import type {Ended} from '../helpers/programs.ts';
import {BUILD, DIGEST, describeCommand} from '../helpers/world.ts';

const NAME = 'localhost/web';
const name = (day: number) => `${NAME}:tilt-${String(day).padStart(16, '0')}`;
const digest = (day: number) => `sha256:${String(day).padStart(64, '0')}`;

function expectEnded(ended: Ended, exitCode: number, ...words: readonly string[]): void {
  expect(ended, ended.stderr).to.include({exitCode, stdout: ''});
  for (const word of words) expect(ended.stderr).to.contain(word);
}

describeCommand('builder images', (world) => {
  let containerd: ContainerdStandIn;
  beforeEach(() => {
    containerd = serveContainerd(world);
  });
  const node = () => world.api.state.nodes[0]?.metadata.name as string;
  const run = (...args: readonly string[]) => world.tiltbuild(['builder', 'images', ...args]);
  const held = () => [...containerd.images.keys()].sort();
  /** As builds leave them, the oldest with the highest number: layers of 1 MB, one of them shared. */
  async function build(...days: readonly number[]) {
    containerd.add(`${NAME}@${DIGEST}`, DIGEST);
    expect((await world.tiltbuild(['--image', NAME, '.'])).exitCode).to.equal(0);
    const [first] = containerd.images.values();
    const labels = Object.fromEntries(first?.labels ?? []);
    containerd.images.clear();
    containerd.ids.clear();
    for (const day of days) {
      const built = new Date(Date.now() - day * 86_400_000).toISOString();
      containerd.add(name(day), digest(day), {
        ...labels,
        'kubectl-tiltbuild.io/built': built,
      });
      containerd.addManifest(digest(day), [`layer ${day}`, 'shared layer'], 1_000_000);
    }
  }
  const use = (day: number) =>
    world.api.state.pods.push(runningPod({name: 'web', namespace: 'apps', node: node(), image: name(day)}));

  it('are listed with their sizes and the pods that use them, the newest first', async () => {
    await build(3, 1);
    containerd.add('docker.io/library/alpine:3', DIGEST);
    use(3);
    const {stdout, exitCode} = await run();
    expect(exitCode).to.equal(0);
    expect(stdout.split('\n').map((line) => line.split(/ {3,}/))).to.deep.equal([
      ['NAME', 'TAG', 'DIGEST', 'BUILT', 'SIZE', 'OWN', 'NODE', 'IN USE BY'],
      [NAME, 'tilt-0000000000000001', '000000000000', '24h ago', '2.00MB', '1.00MB', node()],
      [NAME, 'tilt-0000000000000003', '000000000000', '3d ago', '2.00MB', '1.00MB', node(), 'apps/web'],
      [''],
    ]);
    const [newest, ...others] = JSON.parse((await run('-o', 'json')).stdout);
    expect(others).to.have.length(1);
    expect(newest).to.include({name: name(3), digest: digest(3), node: node()});
    expect(newest.usedBy).to.deep.equal(['apps/web']);
    expect(newest.ownSize).to.be.above(1_000_000).and.below(newest.size);
  });

  it('are none at first', async () => {
    for (const args of [[], ['ls']]) expectEnded(await run(...args), 0, 'was built with --image');
  });

  it('are removed by name, by tag, and by the start of the digest', async () => {
    await build(1, 2, 3, 4);
    const ended = await run(
      'rm',
      name(1),
      'web:tilt-0000000000000002',
      digest(3).slice(0, 71),
      '--builder',
      'buildkit',
    );
    expect(ended).to.include({exitCode: 0, stdout: [1, 2, 3].map((day) => `${name(day)}\n`).join('')});
    expect(ended.stderr).to.match(/^note: {2}freed 3\.00MB of image content on node /m);
    expect(held()).to.deep.equal([name(4)]);
    expect(containerd.ids.size).to.equal(1);
  });

  it('are not removed by the end of a name that several have', async () => {
    await build(1);
    const other = `ghcr.io/${name(1)}`;
    containerd.add(other, digest(2), Object.fromEntries(containerd.images.get(name(1))?.labels ?? []));
    expectEnded(await run('rm', 'web:tilt-0000000000000001'), 2, `${name(1)}, ${other}`, 'the whole name');
    expect((await run('rm', name(1))).stdout).to.equal(`${name(1)}\n`);
    expect(held()).to.deep.equal([other]);
  });

  it('are not removed while a pod uses them, unless it is forced', async () => {
    await build(1, 2);
    use(1);
    expectEnded(await run('rm', name(2), name(1)), 2, 'apps/web', '--force');
    expect(held()).to.deep.equal([name(1), name(2)]);
    expect((await run('rm', '--force', name(1))).exitCode).to.equal(0);
    expect(held()).to.deep.equal([name(2)]);
  });

  it('are only those that a build named', async () => {
    await build(1);
    containerd.add('docker.io/library/alpine:3', DIGEST);
    expectEnded(await run('rm', 'docker.io/library/alpine:3'), 2, 'builder images');
    expectEnded(await run('rm', NAME), 2, `A name needs its tag, for example ${name(1)}.`);
    expectEnded(await run('rm'), 2, 'at least one IMAGE');
    expect(held()).to.include('docker.io/library/alpine:3');
  });

  it('are pruned to the newest that no pod uses, by number and age', async () => {
    await build(1, 2, 3, 4, 5, 6);
    use(4);
    const shown = await run('prune', '--keep', '2', '--older-than', '84h', '--dry-run');
    expect(shown.stdout.match(/tilt-\S+/g)).to.deep.equal(['tilt-0000000000000005', 'tilt-0000000000000006']);
    expect(held()).to.have.length(6);
    const ended = await run('prune', '--keep', '2', '--older-than', '84h');
    expect(ended).to.include({exitCode: 0, stdout: `${name(5)}\n${name(6)}\n`});
    expect((await run('prune', '--keep', '1')).stdout).to.equal(`${name(2)}\n${name(3)}\n`);
    expect(held()).to.deep.equal([name(1), name(4)]);
  });

  it('are pruned of build contexts in this directory, or of all', async () => {
    await build(1, 2);
    const elsewhere = {cwd: world.sandbox.root.concat('/home')};
    const prune = (...args: readonly string[]) =>
      world.tiltbuild(['builder', 'images', 'prune', '--keep', '0', ...args], elsewhere);
    const ended = await prune();
    expect(ended).to.include({exitCode: 0, stdout: ''});
    expect(ended.stderr).to.contain('--all-projects');
    expect((await prune('--all-projects')).stdout).to.equal(`${name(1)}\n${name(2)}\n`);
    const above = await world.tiltbuild(['builder', 'images', 'prune'], {cwd: world.sandbox.root});
    expect(above.stderr).to.contain('there is nothing to remove');
  });

  it('need permission to see what uses them', async () => {
    await build(1);
    world.api.state.forbidden.add('list all pods');
    expect((await run()).stdout).to.match(/ \?$/m);
    for (const args of [
      ['rm', name(1)],
      ['prune', '--keep', '0'],
    ])
      expectEnded(await run(...args), 4, 'You do not have permission to list the pods of all namespaces');
    expect(held()).to.deep.equal([name(1)]);
  });

  it('are counted by builder du, beside the cache', async () => {
    await build(1, 2);
    const ended = await world.tiltbuild(['builder', 'du']);
    expect(ended.stdout).to.match(
      /^ID\t[\s\S]*\nImages built with --image on node \S+: 2, 2\.00MB that no other image has\n$/,
    );
  });

  it('need a builder on containerd that answers', async () => {
    world.api.state.exec = () => ({exitCode: 1, stderr: 'dial unix: no such file or directory'});
    expectEnded(await run(), 4, 'could not be asked: dial unix: no such file or directory.');
    world.api.state.forbidden.add('list pods');
    expectEnded(await run(), 4, 'You do not have permission to list pods in namespace "default".');
    expectEnded(await world.tiltbuild(['builder', 'du']), 4, 'You do not have permission to list pods');
  });

  it('leave a directory of that name to a build', async () => {
    expect((await world.tiltbuild([...BUILD.slice(0, -1), 'images'])).stderr).to.contain('images');
  });
});
