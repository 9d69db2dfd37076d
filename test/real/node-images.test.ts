/** Covers images in a real containerd, with its own client as a second opinion. */
import {createHash} from 'node:crypto';
import {posix} from 'node:path';
import {expect} from 'chai';
import {measureImages} from '../../src/node/image-content.ts';
import {hashPlaces, readOrigin, withParents, writeLabels} from '../../src/node/image-labels.ts';
import {NodeImages} from '../../src/node/node-images.ts';
import {type Containerd, startContainerd, whyNoContainerd} from './containerd.ts';
import {until} from './real-build.ts';

const NAME = 'docker.io/library/web';

describe('images in containerd', () => {
  let containerd: Containerd;
  let images: NodeImages;
  before(async function () {
    if (whyNoContainerd() !== undefined) this.skip();
    containerd = await startContainerd();
    images = new NodeImages(containerd.connect());
  });
  after(async () => {
    images?.close();
    await containerd?.stop();
  });
  const names = () => containerd.ctr('images', 'list', '--quiet').trim().split('\n').filter(Boolean).sort();
  const blobs = () => containerd.ctr('content', 'list', '--quiet').trim().split('\n').filter(Boolean);
  /** As the CRI plugin names it, though that takes the configuration's digest. */
  const idOf = (digest: string) => `sha256:${createHash('sha256').update(digest).digest('hex')}`;
  const labels = (built = 0) => writeLabels({name: NAME, project: ['p']}, built);

  it('are found as containerd has them, or not at all', async () => {
    const digest = containerd.importImage(`${NAME}:1`, 'one');
    const found = await images.find(`${NAME}:1`);
    expect(found?.target.digest).to.equal(digest);
    expect(Math.abs(Date.now() - (found?.createdAt ?? 0))).to.be.below(60_000);
    expect(await images.find(`${NAME}:none`)).to.equal(undefined);
  });

  it('get a name, which moves from one image to another, and keeps the labels of others', async () => {
    const [one, two] = ['one', 'two'].map((text) => containerd.importImage(`${NAME}:${text}`, text));
    const targetOf = async (text: string) => (await images.find(`${NAME}:${text}`))?.target;
    const tag = async (text: string, built: number) => {
      const target = await targetOf(text);
      if (target !== undefined) await images.tag(`${NAME}:tilt`, target, labels(built));
    };
    await tag('one', 1000);
    expect((await targetOf('tilt'))?.digest).to.equal(one);
    containerd.ctr('images', 'label', `${NAME}:tilt`, 'io.cri-containerd.image=managed');
    await tag('two', 2000);
    expect((await targetOf('tilt'))?.digest).to.equal(two);
    const row = containerd.ctr('images', 'list', `name==${NAME}:tilt`);
    expect(row).to.contain(two).and.contain('io.cri-containerd.image=managed');
    expect(row).to.contain('kubectl-tiltbuild.io/built=1970-01-01T00:00:02.000Z');
    expect(row).to.contain(`kubectl-tiltbuild.io/name=${NAME}`);
  });

  it('get a name in a project of any depth', async () => {
    const target = (await images.find(`${NAME}:one`))?.target;
    if (target === undefined) throw new Error('there is no image');
    const project = hashPlaces(withParents('/d'.repeat(300), posix.dirname), 'machine');
    await images.tag('localhost/deep:1', target, writeLabels({name: 'deep', project}, 0));
    const [deep] = await images.list('kubectl-tiltbuild.io/name', 'deep');
    expect(deep && readOrigin(deep).project.at(-1)).to.equal(project.at(-1));
  });

  it('are listed by a label, and only those', async () => {
    const target = (await images.find(`${NAME}:one`))?.target;
    if (target === undefined) throw new Error('there is no image');
    await images.tag(
      'localhost/odd:1',
      target,
      new Map([['kubectl-tiltbuild.io/name', 'a "quoted"\\ name']]),
    );
    expect((await images.list('kubectl-tiltbuild.io/name', NAME)).map(({name}) => name)).to.deep.equal([
      `${NAME}:tilt`,
    ]);
    const odd = await images.list('kubectl-tiltbuild.io/name', 'a "quoted"\\ name');
    expect(odd.map(({name}) => name)).to.deep.equal(['localhost/odd:1']);
  });

  it('are measured with what only they have, and what others have as well', async () => {
    containerd.importImage(`${NAME}:alone`, 'alone');
    const all = await images.listAll();
    const sizes = await measureImages(all, images);
    const sizeOf = (name: string) => {
      const image = all.find((one) => one.name === name);
      return image && sizes.get(image);
    };
    const alone = sizeOf(`${NAME}:alone`);
    expect(alone?.own).to.be.above(0);
    // Two names of one image have all of it in common.
    expect(sizeOf(`${NAME}:two`))
      .to.deep.equal(sizeOf(`${NAME}:tilt`))
      .and.include({own: 0});
    expect(await images.measure()).to.be.at.least((alone?.own ?? 0) + (alone?.shared ?? 0));
  });

  it('are not read where they lead to something else than a manifest', async () => {
    const read = async (digest: string) => (await images.read(digest))?.toString();
    const big = containerd.importImage(`${NAME}:big`, 'x'.repeat(9 * 1024 * 1024));
    const [layer] = JSON.parse((await read(big)) ?? '').layers;
    expect(await read(layer.digest)).to.equal(undefined);
    expect(await read(big)).to.contain(layer.digest);
  });

  it('go, and their content with the last name', async () => {
    expect(blobs()).to.not.deep.equal([]);
    const all = await images.listAll();
    for (const {target} of all) await images.tag(idOf(target.digest), target, new Map());
    // A name leaves the ID to the others.
    const [one, two] = ['two', 'tilt'].map((tag) => all.find(({name}) => name === `${NAME}:${tag}`));
    if (one === undefined || two === undefined) throw new Error('the image does not have two names');
    await images.removeImage(one);
    expect(names()).to.include(idOf(two.target.digest));
    for (const image of all) await images.removeImage(image);
    await images.remove(`${NAME}:none`);
    expect(names()).to.deep.equal([]);
    await until(() => blobs().length === 0);
    expect(await images.measure()).to.equal(0);
  });

  it('are many, and answered at once', async () => {
    containerd.importImage(`${NAME}:1`, 'one');
    const target = (await images.find(`${NAME}:1`))?.target;
    if (target === undefined) throw new Error('there is no image');
    const all = Array.from({length: 500}, (_, index) => `${NAME}:tilt-${index}`);
    await Promise.all(all.map((name) => images.tag(name, target, labels())));
    const listed = await images.list('kubectl-tiltbuild.io/name', NAME);
    expect(listed.map(({name}) => name).sort()).to.deep.equal(all.sort());
    await Promise.all(all.map((name) => images.remove(name)));
    expect(names()).to.deep.equal([`${NAME}:1`]);
  });
});
