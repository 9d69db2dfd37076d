/** Covers copying an image between real containerds, with their own client as a second opinion. */
import {mkdtempSync, readFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {Duplex} from 'node:stream';
import {expect} from 'chai';
import {openCopy} from '../../src/node/copy-image.ts';
import type {CopyOptions} from '../../src/node/copy-outcome.ts';
import {NodeImages} from '../../src/node/node-images.ts';
import {type Containerd, fileOf, startContainerd, whyNoContainerd} from './containerd.ts';

const NAME = 'docker.io/library/web';
/** Long enough that something can happen while it is copied. */
const LARGE = 'large'.repeat(8_000_000);

describe('copying an image between containerds', () => {
  let a: Containerd;
  let b: Containerd;
  let small: Containerd;
  const streams: Duplex[] = [];
  before(async function () {
    if (whyNoContainerd() !== undefined) this.skip();
    [a, b, small] = await Promise.all([startContainerd(), startContainerd(), startContainerd({disk: 32})]);
  });
  after(async () => {
    for (const containerd of [a, b, small]) await containerd?.stop();
  });
  afterEach(() => {
    for (const stream of streams.splice(0)) stream.destroy();
  });
  const connect = (name: string, containerd: Containerd) => {
    const stream = containerd.connect().on('error', () => undefined);
    streams.push(stream);
    return {name, images: new NodeImages(stream), stream};
  };
  /** As a process of its own does it. */
  const copy = async (tag: string, to: Containerd, options: CopyOptions = {}) => {
    const [from, node] = [connect('a', a), connect('b', to)];
    const found = await from.images.find(`${NAME}:${tag}`);
    if (found === undefined) throw new Error(`there is no image ${tag}`);
    const image = {names: [found.name], target: found.target, labels: new Map()};
    const copy = openCopy(from, image, options);
    const copied = copy.to(node).finally(copy.close);
    return {copied, from, node};
  };
  const check = (tag: string) => b.ctr('images', 'check', `name==${NAME}:${tag}`);
  const leases = (containerd: Containerd) => containerd.ctr('leases', 'list', '--quiet').trim();
  /** What a container of the image sees. */
  const readFiles = (tag: string, texts: readonly string[]) => {
    const at = mkdtempSync(join(tmpdir(), 'mount-'));
    b.ctr('images', 'mount', `${NAME}:${tag}`, at);
    try {
      return texts.map((text) => readFileSync(join(at, fileOf(text)), 'utf8'));
    } finally {
      b.ctr('images', 'unmount', '--rm', at);
    }
  };

  it('brings it whole and unpacked, and after that what changed', async () => {
    for (const [tag, blobs] of [
      ['1', 5],
      ['2', 3],
    ] as const) {
      const texts = ['base', 'packages', `app ${tag}`];
      a.importImage(`${NAME}:${tag}`, ...texts);
      expect(await (await copy(tag, b)).copied)
        .to.include({kind: 'copied', blobs})
        .and.not.have.property('packed');
      expect(check(tag)).to.match(/complete \(4\/4\).* true/);
      expect(readFiles(tag, texts)).to.deep.equal(texts);
      expect(await (await copy(tag, b)).copied).to.deep.equal({kind: 'had'});
      expect([leases(a), leases(b)]).to.deep.equal(['', '']);
    }
    expect(b.ctr('content', 'list')).to.contain('containerd.io/uncompressed=sha256:');
  });

  it('loses nothing to garbage collection in the middle of it, on either side', async () => {
    for (const containerd of [a, b]) containerd.importImage(`${NAME}:other`, 'shared', 'other');
    a.importImage(`${NAME}:collected`, LARGE, 'shared');
    let times = 0;
    const onSent = () => {
      if (times++ !== 20) return;
      a.ctr('images', 'remove', '--sync', `${NAME}:collected`);
      for (const containerd of [a, b]) containerd.ctr('images', 'remove', '--sync', `${NAME}:other`);
    };
    expect(await (await copy('collected', b, {onSent})).copied).to.have.property('kind', 'copied');
    expect(times).to.be.above(20);
    b.importImage(`${NAME}:gone`, 'gone');
    b.ctr('images', 'remove', '--sync', `${NAME}:gone`);
    expect(check('collected')).to.match(/complete \(3\/3\).* true/);
  });

  it('goes on where it ended if the process is killed, of which only a lease with an expiry is left', async () => {
    a.importImage(`${NAME}:killed`, `${LARGE}killed`, 'app');
    let bytes = 0;
    const {copied, from, node} = await copy('killed', b, {
      onSent: (_, more) => {
        bytes += more;
        if (bytes < 20_000_000) return;
        for (const {stream} of [from, node]) stream.destroy();
      },
    });
    expect(await copied).to.have.property('kind', 'failed');
    expect(b.ctr('images', 'list', '--quiet')).to.not.contain('killed');
    for (const containerd of [a, b]) {
      const [, ...left] = containerd.ctr('leases', 'list').trim().split('\n');
      expect(left).to.have.lengthOf(1);
      expect(left[0]).to.match(/containerd\.io\/gc\.expire=\d{4}-\d\d-\d\dT/);
    }
    const again = await (await copy('killed', b)).copied;
    expect(again)
      .to.have.property('bytes')
      .below(LARGE.length - 10_000_000);
    expect(check('killed')).to.match(/complete \(3\/3\).* true/);
    for (const containerd of [a, b]) containerd.ctr('leases', 'remove', leases(containerd));
  });

  it('brings every blob once if two copies write it at the same time', async () => {
    a.importImage(`${NAME}:one`, `${LARGE}both`, 'one');
    a.importImage(`${NAME}:other`, `${LARGE}both`, 'other');
    const outcomes = await Promise.all(
      ['one', 'other'].map(async (tag) => await (await copy(tag, b)).copied),
    );
    const bytes = outcomes.map((outcome) => (outcome?.kind === 'copied' ? outcome.bytes : 0));
    expect(Math.min(...bytes)).to.be.within(1, 10_000);
    for (const tag of ['one', 'other']) expect(check(tag)).to.match(/complete \(3\/3\).* true/);
  });

  it('reports a disk that is full, and gives back what it took', async () => {
    a.importImage(`${NAME}:full`, `${LARGE}full`);
    const outcome = await (await copy('full', small)).copied;
    if (outcome?.kind !== 'failed') return expect.fail(outcome?.kind);
    expect(outcome.error).to.include({fault: 'full', node: 'b'});
    expect(outcome.error.message).to.match(
      /^node "b" has no space for blob sha256:.*no space left on device/,
    );
    expect(small.ctr('content', 'active').trim().split('\n')).to.have.lengthOf(1);
    expect(leases(small)).to.equal('');
  });
});
