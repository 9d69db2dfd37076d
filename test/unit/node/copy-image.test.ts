/** Covers copying an image from one node to others, with stand-ins of their containerd. */
import {expect} from 'chai';
import fc from 'fast-check';
import {openCopy} from '../../../src/node/copy-image.ts';
import type {CopyNode, CopyOptions, CopyOutcome} from '../../../src/node/copy-outcome.ts';
import {NodeImages} from '../../../src/node/node-images.ts';
import {findChainIds} from '../../../src/node/unpack-image.ts';
import {GrpcCode, GrpcError} from '../../../src/wire/grpc/status.ts';
import {ContainerdStandIn} from '../../helpers/containerd-stand-in.ts';
import {digestOf} from '../../helpers/containerd-stand-in-store.ts';
import {storeImage, storeIndex} from '../../helpers/image-samples.ts';

const NAME = 'docker.io/library/web:tilt-1';
const LAYERS = ['base', 'packages'.repeat(1000), 'app'];
const NEVER = new Promise(() => undefined);

describe('openCopy', () => {
  const open: CopyNode[] = [];
  const connect = (name: string, node: ContainerdStandIn, platform?: string): CopyNode => {
    const connected = {name, images: new NodeImages(node.connect()), platform};
    open.push(connected);
    return connected;
  };
  afterEach(() => {
    for (const {images} of open.splice(0)) images.close();
  });

  const three = () => [new ContainerdStandIn(), new ContainerdStandIn(), new ContainerdStandIn()] as const;
  const targetOf = (digest: string) => ({mediaType: 'manifest', digest, size: 1n, annotations: new Map()});
  /** Over connections of its own, as a process that is started again. */
  const copy = async (
    [a, ...others]: readonly ContainerdStandIn[],
    digest: string,
    {platform, names = [NAME], ...options}: CopyOptions & {platform?: string; names?: string[]} = {},
  ): Promise<readonly CopyOutcome[]> => {
    const from = connect('a', a as ContainerdStandIn);
    const to = others.map((node, index) => connect('bc'.charAt(index), node, platform));
    const image = {names, target: targetOf(digest), labels: new Map([['k', 'v']])};
    const copied = openCopy(from, image, options);
    try {
      return await Promise.all(to.map(copied.to));
    } finally {
      await copied.close();
    }
  };
  /** How it failed, and that nothing of it is named. */
  const failure = async (nodes: readonly ContainerdStandIn[], digest: string, options: CopyOptions = {}) => {
    const [outcome] = await copy(nodes, digest, options);
    if (outcome?.kind !== 'failed') throw new Error(`it was ${outcome?.kind}`);
    expect(nodes[1]?.images.has(NAME)).to.equal(false);
    const {fault, node, message} = outcome.error;
    return {fault, node, message};
  };
  const bytesOf = ({store}: ContainerdStandIn) =>
    [...store.blobs.values()].reduce((sum, {data}) => sum + data.length, 0);
  const digests = ({store}: ContainerdStandIn) => [...store.blobs.keys()].sort();

  it('brings all of an image to every node, unpacked and named, and leaves no lease', async () => {
    const [a, b, c] = three();
    const digest = storeImage(a, LAYERS);
    const kept: number[] = [];
    b.store.onWrite = () => kept.push(a.store.leases.size);
    const outcomes = await copy([a, b, c], digest, {names: [NAME, 'localhost/web:dev']});
    for (const outcome of outcomes)
      expect(outcome).to.deep.equal({kind: 'copied', blobs: 5, bytes: bytesOf(a)});
    for (const node of [b, c]) {
      expect(digests(node)).to.deep.equal(digests(a));
      expect([...node.store.snapshots.keys()]).to.deep.equal(findChainIds(LAYERS.map(digestOf)));
      expect([...node.images.keys()]).to.have.members([NAME, 'localhost/web:dev']);
      expect(node.images.get(NAME)).to.nested.include({'target.digest': digest});
      node.store.collect([digest]);
      expect(digests(node), 'kept by the name alone').to.deep.equal(digests(a));
    }
    for (const node of [a, b, c]) expect(node.store.leases).to.have.property('size', 0);
    expect(kept).to.include(1).and.not.include(0);
  });

  it('asks a node that has everything once, and changes nothing', async () => {
    const [a, b] = three();
    const digest = storeImage(a, LAYERS);
    await copy([a, b], digest);
    b.calls.length = 0;
    expect(await copy([a, b], digest)).to.deep.equal([{kind: 'had'}]);
    expect(new Set(b.calls)).to.deep.equal(new Set(['Info', 'Get']));
  });

  it('sends of an image with a changed layer that layer, the configuration and the manifest', async () => {
    const [a, b] = three();
    await copy([a, b], storeImage(a, LAYERS));
    const before = bytesOf(a);
    const changed = storeImage(a, [...LAYERS.slice(0, -1), 'app, changed']);
    b.store.written.clear();
    const bytes = bytesOf(a) - before;
    expect(await copy([a, b], changed)).to.deep.equal([{kind: 'copied', blobs: 3, bytes}]);
    expect([...b.store.written.values()].reduce((sum, length) => sum + length)).to.equal(bytes);
  });

  it('completes an image that a node has with this name, and not all of it', async () => {
    const [a, b] = three();
    const digest = storeImage(a, LAYERS);
    await copy([a, b], digest);
    b.store.blobs.delete(digestOf('app'));
    expect(await copy([a, b], digest)).to.deep.equal([{kind: 'copied', blobs: 1, bytes: 3}]);
  });

  it('keeps what a node has already, even if it was written without references', async () => {
    const [a, b] = three();
    const digest = storeImage(a, LAYERS);
    for (const {data} of a.store.blobs.values()) b.store.add(data);
    b.add(NAME, digest);
    expect((await copy([a, b], digest))[0]).to.include({kind: 'copied', blobs: 0});
    b.store.collect([digest]);
    expect(digests(b)).to.deep.equal(digests(a));
  });

  it('unpacks each layer once, upon those below it', async () => {
    const [a, b] = three();
    for (const layers of [LAYERS, [...LAYERS, 'more']]) await copy([a, b], storeImage(a, layers));
    const [first, second, ...rest] = findChainIds([...LAYERS, 'more'].map(digestOf));
    expect([...b.store.snapshots.entries()].slice(0, 2)).to.deep.equal([
      [first, ''],
      [second, first],
    ]);
    expect([...b.store.snapshots.keys()].slice(2)).to.deep.equal(rest);
    expect(b.calls.filter((call) => call === 'Apply')).to.have.lengthOf(4);
  });

  it('loses nothing to garbage collection at any moment of it, on either side', async () => {
    const [a, b] = three();
    const digest = storeImage(a, LAYERS);
    // It was named otherwise before, and nobody needs it any more.
    b.store.add('base');
    const collect = () => {
      for (const {store} of [a, b]) store.collect([]);
    };
    b.store.onWrite = collect;
    a.store.onRead = () => a.store.leases.size > 0 && collect();
    expect((await copy([a, b], digest))[0]).to.have.property('kind', 'copied');
    b.store.collect([digest]);
    expect(digests(b)).to.deep.equal(digests(a));
  });

  const large = LAYERS[1] ?? '';
  it('goes on where it was when the connection to the node ended, and the source is read from there', async () => {
    const [a, b] = three();
    const digest = storeImage(a, LAYERS);
    b.store.onWrite = (ref, offset) => {
      if (ref.endsWith(digestOf(large)) && offset >= 5_000) b.disconnect();
      return new Promise(setImmediate);
    };
    expect(await failure([a, b], digest)).to.include({fault: 'lost', node: 'b'});
    b.store.onWrite = () => undefined;
    const offsets: number[] = [];
    a.store.onRead = (read, offset) => read === digestOf(large) && offsets.push(offset);
    const [outcome] = await copy([a, b], digest);
    expect(offsets[0]).to.be.within(5_000, 6_000);
    expect(outcome).to.have.property('kind', 'copied');
    expect(b.store.written.get(digestOf(large))).to.equal(large.length);
    expect(b.store.blobs.get(digestOf(large))?.data.toString()).to.equal(large);
  });

  it('goes on where it was when a blob went in the middle of it, and came again', async () => {
    const [a, b] = three();
    const digest = storeImage(a, LAYERS);
    a.store.onRead = (read, offset) => {
      if (read === digestOf(large) && offset >= 3_000) a.store.blobs.delete(read);
    };
    expect(await failure([a, b], digest)).to.deep.equal({
      fault: 'missing',
      node: 'a',
      message: `node "a" does not have blob ${digestOf(large)} any more: content ${digestOf(large)}: not found`,
    });
    a.store.onRead = () => undefined;
    a.store.add(large);
    expect((await copy([a, b], digest))[0]).to.have.property('kind', 'copied');
    expect(b.store.written.get(digestOf(large))).to.equal(large.length);
  });

  it('fails without an image that the source does not have, or not all of', async () => {
    const [a, b] = three();
    const digest = storeImage(a, LAYERS);
    a.store.blobs.delete(digestOf('app'));
    expect(await failure([a, b], digest)).to.deep.include({fault: 'missing', node: 'a'});
    expect(await failure([a, b], digestOf('none'))).to.include({
      message: `node "a" does not have ${digestOf('none')}`,
    });
  });

  for (const failing of ['a layer', 'the manifest']) {
    it(`does not bring the rest of other layers if ${failing} fails`, async () => {
      const [a, b] = three();
      const other = 'other'.repeat(200_000);
      const digest = storeImage(a, [other, ...LAYERS]);
      const bad = failing === 'a layer' ? digestOf('app') : digest;
      b.store.onWrite = async (ref, offset) => {
        await new Promise(setImmediate);
        // Others have begun.
        if (ref.endsWith(bad) && offset > 0) throw new GrpcError(GrpcCode.PERMISSION_DENIED, 'no');
      };
      a.store.onRead = () => new Promise(setImmediate);
      expect(await failure([a, b], digest)).to.have.property('fault', 'refused');
      expect(b.store.written.get(digestOf(other)) ?? 0).to.be.below(other.length);
      expect(b.store.blobs.has(digestOf(other))).to.equal(false);
    });
  }

  it('does not take a blob with other content, and keeps nothing of it', async () => {
    const [a, b] = three();
    const digest = storeImage(a, LAYERS);
    a.store.blobs.set(digestOf(large), {data: Buffer.from(large.toUpperCase()), labels: new Map()});
    const {fault, message} = await failure([a, b], digest);
    expect({fault, message}).to.have.property('fault', 'spoilt');
    expect(message).to.contain(`blob ${digestOf(large)} arrived at node "b" with other content`);
    expect([...b.store.ingests.keys()].join()).to.not.contain(digestOf(large));
  });

  for (const [what, content] of [
    ['shorter', large.slice(0, 5000)],
    ['longer', large.toUpperCase().repeat(100)],
  ] as const) {
    it(`takes no more than there should be of a blob that turns out ${what}`, async () => {
      const [a, b] = three();
      const digest = storeImage(a, LAYERS);
      a.store.onRead = (read, offset) => {
        if (read === digestOf(large) && offset > 0)
          a.store.blobs.set(read, {data: Buffer.from(content), labels: new Map()});
      };
      expect(await failure([a, b], digest)).to.have.property('fault', 'spoilt');
      expect(b.store.written.get(digestOf(large))).to.be.within(1, large.length);
    });
  }

  it('begins again with a blob of which other content was there', async () => {
    const [a, b] = three();
    const digest = storeImage(a, LAYERS);
    const ref = `kubectl-tiltbuild-${digestOf(large)}`;
    b.store.ingests.set(ref, {data: Buffer.from('of something else'), isHeld: false});
    expect((await copy([a, b], digest))[0]).to.have.property('kind', 'copied');
    expect(b.store.blobs.get(digestOf(large))?.data.toString()).to.equal(large);
  });

  it('reports a full disk, and gives back what it took', async () => {
    const [a, b] = three();
    const digest = storeImage(a, LAYERS);
    b.store.onWrite = (ref) => {
      const words = 'write /var/lib/containerd/ingest/data: no space left on device';
      if (ref.endsWith(digestOf(large))) throw new GrpcError(GrpcCode.UNKNOWN, words);
    };
    const {fault, node, message} = await failure([a, b], digest);
    expect({fault, node}).to.deep.equal({fault: 'full', node: 'b'});
    expect(message).to.contain(`node "b" has no space for blob ${digestOf(large)}`);
    expect(
      b.store.leases.size + [...b.store.ingests.keys()].filter((ref) => ref.includes(digestOf(large))).length,
    ).to.equal(0);
  });

  for (const [what, at, stall] of [
    [
      'a node that takes no more',
      'b',
      (_: ContainerdStandIn, b: ContainerdStandIn) => (b.store.onWrite = () => NEVER),
    ],
    [
      'a node that takes no more of a layer',
      'b',
      (_: ContainerdStandIn, b: ContainerdStandIn) => (b.store.onWrite = (_, offset) => offset > 0 && NEVER),
    ],
    [
      'a source that gives no more of a layer',
      'a',
      (a: ContainerdStandIn) => (a.store.onRead = (_, offset) => offset > 1_000_000 && NEVER),
    ],
    [
      'a node that does not answer',
      'b',
      (_: ContainerdStandIn, b: ContainerdStandIn) => b.faults.set('Info', 'stalled'),
    ],
    ['a source that does not answer', 'a', (a: ContainerdStandIn) => a.faults.set('AddResource', 'stalled')],
  ] as const) {
    it(`gives up ${what}`, async () => {
      const [a, b] = three();
      // More than may be under way.
      const digest = storeImage(a, [...LAYERS, 'more'.repeat(500_000)]);
      a.store.piece = 100_000;
      stall(a, b);
      expect(await failure([a, b], digest, {patience: 2_000})).to.include({fault: 'stalled', node: at});
    });
  }

  it('does not give up a node of which anything comes', async () => {
    const [a, b] = three();
    const digest = storeImage(a, ['slow', 'steady'.repeat(5_000)]);
    const wait = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
    a.store.onRead = (read) => wait(read === digestOf('slow') ? 1_800 : read === digest ? 0 : 80);
    expect((await copy([a, b], digest, {patience: 600}))[0]).to.have.property('kind', 'copied');
  });

  it('serves a node while another one stalls, and one that is gone', async () => {
    const [a, b, c] = three();
    const digest = storeImage(a, LAYERS);
    b.store.onWrite = () => NEVER;
    const kinds = (await copy([a, b, c], digest, {patience: 3_000})).map(({kind}) => kind);
    expect(kinds).to.deep.equal(['failed', 'copied']);
  });

  it('serves a node while another one stalls in layers that are larger than all that is read ahead', async () => {
    const [a, b, c] = three();
    a.store.piece = 500_000;
    const digest = storeImage(
      a,
      Array.from({length: 5}, (_, index) => String(index).repeat(6_000_000)),
    );
    b.store.onWrite = (_, offset) => (offset > 0 && offset % 500_000 === 0 ? NEVER : undefined);
    const kinds = (await copy([a, b, c], digest, {patience: 4_000})).map(({kind}) => kind);
    expect(kinds).to.deep.equal(['failed', 'copied']);
  });

  it('brings every blob once if two copies write it at the same time', async () => {
    const [a, b] = three();
    const [one, other] = [storeImage(a, LAYERS), storeImage(a, [...LAYERS, 'more'])];
    let pieces = 0;
    // Both have begun before either is done.
    a.store.onRead = () => new Promise((resolve) => setTimeout(resolve, pieces++ < 3 ? 50 : 0));
    const outcomes = await Promise.all([copy([a, b], one), copy([a, b], other)]);
    for (const [outcome] of outcomes) expect(outcome).to.have.property('kind', 'copied');
    expect(b.store.written.get(digestOf(large))).to.equal(large.length);
  });

  it('gives up waiting for another copy that does not go on', async () => {
    const [a, b] = three();
    const digest = storeImage(a, LAYERS);
    b.store.ingests.set(`kubectl-tiltbuild-${digestOf(large)}`, {data: Buffer.from('x'), isHeld: true});
    expect(await failure([a, b], digest, {patience: 2_000})).to.include({fault: 'stalled', node: 'b'});
  });

  it('leaves an image packed where it cannot be unpacked, and says why', async () => {
    const [a, b] = three();
    const digest = storeImage(a, LAYERS);
    b.faults.set('Prepare', new GrpcError(GrpcCode.NOT_FOUND, 'snapshotter stargz was not found'));
    const [outcome] = await copy([a, b], digest);
    expect(outcome).to.include({kind: 'copied', packed: 'snapshotter stargz was not found'});
    expect(b.images.has(NAME)).to.equal(true);
  });

  it('rejects with the reason of a signal, and gives its leases back', async () => {
    const [a, b] = three();
    const digest = storeImage(a, LAYERS);
    const stop = new AbortController();
    const reason = new Error('stop');
    b.store.onWrite = () => stop.abort(reason);
    expect(await copy([a, b], digest, {signal: stop.signal}).catch((error) => error)).to.equal(reason);
    for (const node of [a, b]) expect(node.store.leases).to.have.property('size', 0);
  });

  it('gives leases an expiry, by which a process that is killed leaves nothing for ever', async () => {
    const [a, b] = three();
    const digest = storeImage(a, LAYERS);
    b.store.onWrite = () => b.disconnect();
    await failure([a, b], digest, {wallClock: () => 0});
    const [lease] = b.store.leases.values();
    expect(lease?.labels).to.deep.equal(new Map([['containerd.io/gc.expire', '1970-01-02T00:00:00.000Z']]));
  });

  describe('of an index', () => {
    const setUp = () => {
      const [a, b] = three();
      const own = storeImage(a, LAYERS);
      const foreign = storeImage(a, ['arm'], ['linux', 'arm64']);
      const attestation = storeImage(a, ['provenance'], ['unknown', 'unknown']);
      const elsewhere = digestOf('not in this node');
      return {a, b, own, foreign, attestation, index: storeIndex(a, [own, elsewhere, foreign, attestation])};
    };

    it("brings what a node's platform needs, with attestations, and unpacks it", async () => {
      const {a, b, own, foreign, attestation, index} = setUp();
      expect((await copy([a, b], index, {platform: 'linux/amd64'}))[0]).to.not.have.property('packed');
      expect(digests(b)).to.include.members([index, own, attestation]).and.not.include(foreign);
      expect(b.store.snapshots.has(findChainIds(LAYERS.map(digestOf)).at(-1) ?? '')).to.equal(true);
      b.store.collect([index]);
      expect(digests(b)).to.include.members([index, own, attestation, digestOf('provenance')]);
      // Another node's build may need the rest later.
      const [more] = await copy([a, b], index, {platform: 'linux/arm64'});
      expect(more).to.have.property('blobs', 3);
      b.store.collect([index]);
      expect(digests(b)).to.deep.equal(digests(a));
    });

    it('brings what is there where the platform is not known', async () => {
      const {a, b, index} = setUp();
      const [outcome] = await copy([a, b], index);
      expect(outcome).to.include({kind: 'copied', packed: 'the image is for several platforms'});
      expect(digests(b)).to.deep.equal(digests(a));
    });

    it('brings nothing to a node that runs no platform of it', async () => {
      const {a, b, index} = setUp();
      const [outcome] = await copy([a, b], index, {platform: 'linux/s390x'});
      expect(outcome).to.deep.equal({kind: 'foreign', platforms: ['linux/amd64', 'linux/arm64']});
      expect([...b.store.blobs.keys(), ...b.images.keys()]).to.deep.equal([]);
    });

    it('brings what the processor of a node runs besides, or what does not say for which one it is', async () => {
      for (const [platform, node] of [
        [['linux', 'arm'], 'linux/arm64'],
        [['linux', '386'], 'linux/amd64'],
        [['', ''], 'linux/amd64'],
      ] as const) {
        const [a, b] = three();
        const digest = storeImage(a, LAYERS, platform);
        expect((await copy([a, b], digest, {platform: node}))[0]).to.have.property('kind', 'copied');
      }
    });

    it('leaves out a platform that the source has only in part', async () => {
      const {a, b, foreign, index} = setUp();
      a.store.blobs.delete(digestOf('arm'));
      expect((await copy([a, b], index))[0]).to.have.property('kind', 'copied');
      expect(digests(b)).to.not.include(foreign);
    });
  });

  it('fails on content that no image has, however much there is of it', async () => {
    const [a, b] = three();
    const self = digestOf('self');
    const add = (digest: string, value: unknown) =>
      a.store.blobs.set(digest, {data: Buffer.from(JSON.stringify(value)), labels: new Map()});
    const many = (count: number) =>
      Array.from({length: count}, (_, at) => ({digest: digestOf(`${at}`), size: 1}));
    const config = {digest: a.store.add('{}'), size: 2};
    const long = (megabytes: number) =>
      a.store.add(`{"manifests": [{}]}${' '.repeat(megabytes * 1_000_000)}`);
    a.store.piece = 1_000_000;
    for (const [value, words] of [
      [{manifests: [{digest: self}]}, 'an index within an index'],
      [{manifests: Array(6000).fill({digest: self})}, 'more than 5000 blobs'],
      [{config, layers: many(6000)}, 'more than 5000 blobs'],
      [{config, layers: [{digest: 'sha256:../..'}]}, 'a blob without a digest'],
      [{layers: []}, 'a blob without a digest'],
      ['no object', 'a blob without a digest'],
      [{manifests: [6, 7, 8].map((size) => ({digest: long(size)}))}, 'more than 16777216 bytes'],
    ] as const) {
      add(self, value);
      const {message} = await failure([a, b], self);
      expect(message).to.contain(words);
    }
  });

  it('brings any images whole, whatever a node has of them', async () => {
    const layers = fc.uniqueArray(fc.string({minLength: 1, maxLength: 3000}), {maxLength: 4});
    const images = fc.array(layers, {minLength: 1, maxLength: 3});
    await fc.assert(
      fc.asyncProperty(images, fc.boolean(), fc.infiniteStream(fc.boolean()), async (all, isIndex, there) => {
        const [a, b] = three();
        const manifests = all.map((one) => storeImage(a, one));
        const targets = isIndex ? [storeIndex(a, manifests)] : manifests;
        for (const [digest, blob] of a.store.blobs) if (there.next().value) b.store.blobs.set(digest, blob);
        for (const target of targets) expect((await copy([a, b], target))[0]).to.not.have.property('error');
        b.store.collect(targets);
        a.store.collect(targets);
        expect(digests(b)).to.deep.equal(digests(a));
        expect(bytesOf(b)).to.equal(bytesOf(a));
      }),
      {numRuns: 20},
    );
  });
});
