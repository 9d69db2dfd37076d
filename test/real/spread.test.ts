/** Covers whole commands that bring an image to real containerds, with their own client as a second opinion. */
import {readFileSync} from 'node:fs';
import type {Socket} from 'node:net';
import {join} from 'node:path';
import {expect} from 'chai';
import type {SeenSolve} from '../helpers/buildkit-stand-in.ts';
import {describeEngine} from '../helpers/engines.ts';
import type {Ended} from '../helpers/programs.ts';
import {serveSeveralNodes} from '../helpers/several-nodes.ts';
import {type Containerd, startContainerd, whyNoContainerd} from './containerd.ts';

const NAMES = ['one', 'two', 'three'];
/** Long enough that something can happen while it is copied. */
const LARGE = 'large'.repeat(3_000_000);

interface NodeReport {
  readonly name: string;
  readonly state: string;
  readonly bytes: number;
}

describeEngine('an image for several real containerds', 'builtin', (engine) => {
  const {world, tiltbuild} = engine;
  const containerds = new Map<string, Containerd>();
  /** What is built. */
  let layers: string[];
  /** Called while a node is sent something, with the bytes so far. */
  let onSent: (node: string, bytes: number) => void;
  const unreachable = new Set<string>();
  const timers: NodeJS.Timeout[] = [];

  before(async function () {
    if (whyNoContainerd() !== undefined) this.skip();
    const started = await Promise.all(NAMES.map(() => startContainerd()));
    for (const [index, containerd] of started.entries()) {
      containerds.set(NAMES[index] as string, containerd);
      containerd.importImage('kept', 'kept');
    }
  });
  beforeEach(() => {
    layers = ['base', 'packages', 'code'];
    onSent = () => undefined;
    const several = serveSeveralNodes(world, engine.buildkit, NAMES);
    several.refuse = (name) =>
      unreachable.has(name)
        ? {exitCode: 1, stderr: 'dial unix: connection refused\n'}
        : {pipe: watch(name, containerdOf(name).connect())};
    engine.buildkit.make = exportImage;
  });
  afterEach(() => {
    for (const timer of timers.splice(0)) clearInterval(timer);
  });
  after(async () => {
    await Promise.all([...containerds.values()].map((containerd) => containerd.stop()));
  });

  const containerdOf = (name: string) => containerds.get(name) as Containerd;
  const watch = (name: string, socket: Socket) => {
    timers.push(setInterval(() => onSent(name, socket.bytesWritten), 5));
    return socket.on('error', () => undefined);
  };
  /** As BuildKit's exporter leaves it in containerd: unpacked, under all names or one with the digest. */
  const exportImage = ({node, exporter: {attributes}}: SeenSolve) => {
    const containerd = containerdOf(node);
    const digest = containerd.importImage('exported', ...layers);
    containerd.ctr('snapshots', 'unpack', digest);
    const given = attributes.get('name')?.split(',') ?? [];
    const names = given.length > 0 ? given : [`${attributes.get('dangling-name-prefix')}@${digest}`];
    for (const name of names) containerd.ctr('images', 'tag', '--force', 'exported', name);
    return digest;
  };

  const list = (node: string, ...args: readonly string[]) =>
    containerdOf(node)
      .ctr(...args)
      .trim()
      .split('\n')
      .filter(Boolean)
      .sort();
  const namesOf = (node: string, image: string) =>
    list(node, 'images', 'list', '--quiet').filter((name) => name.startsWith(image));
  const blobsOf = (node: string) => list(node, 'content', 'list', '--quiet');
  const leasesOf = (node: string) => list(node, 'leases', 'list', '--quiet');
  /** All but the labels. */
  const stateOf = (node: string) => [
    list(node, 'images', 'list', '--quiet'),
    blobsOf(node),
    list(node, 'snapshots', 'list'),
    leasesOf(node),
  ];
  /** Returns when containerd has removed all that nothing needs. */
  const collect = (node: string) => {
    containerdOf(node).ctr('images', 'tag', 'kept', 'removed');
    containerdOf(node).ctr('images', 'remove', '--sync', 'removed');
  };
  const expectWhole = (node: string, names: readonly string[]) => {
    const filters = names.map((name) => `name==${name}`);
    const [, ...rows] = containerdOf(node)
      .ctr('images', 'check', ...filters)
      .trim()
      .split('\n');
    expect(rows).to.have.length(names.length);
    const count = layers.length + 1;
    for (const row of rows) expect(row, node).to.match(new RegExp(`complete \\(${count}/${count}\\).* true`));
  };
  const read = (ended: Ended) => {
    expect(ended.exitCode, ended.stderr).to.equal(0);
    const result = JSON.parse(ended.stdout) as {nodes: readonly NodeReport[]; reference: string};
    return {...result, others: result.nodes.filter(({state}) => state !== 'built')};
  };
  const build = async (...args: readonly string[]) =>
    read(await tiltbuild(['--print', 'json', ...args, '.']));

  for (const [what, image, args, count] of [
    ['the tags that it is given', 'localhost/tags', ['-t', 'localhost/tags:a', '-t', 'localhost/tags:b'], 2],
    ['the tag of its content', 'localhost/content', ['--image', 'localhost/content', '--ref-file', 'ref'], 1],
  ] as const) {
    it(`is complete and unpacked on each under ${what}, and is left alone if nothing has changed`, async () => {
      const {others, reference} = await build(...args);
      expect(others.map(({state}) => state)).to.deep.equal(['copied', 'copied']);
      if (reference !== null)
        expect(readFileSync(join(world.sandbox.work, 'ref'), 'utf8')).to.equal(reference);
      for (const node of NAMES) {
        const names = namesOf(node, image);
        expect(names).to.have.length(count);
        if (reference !== null) expect(names).to.deep.equal([reference]);
        collect(node);
        expectWhole(node, names);
        expect(leasesOf(node)).to.deep.equal([]);
      }
      const before = NAMES.map(stateOf);
      const again = await build(...args);
      expect(again.others.map(({state, bytes}) => [state, bytes])).to.deep.equal([
        ['present', 0],
        ['present', 0],
      ]);
      for (const node of NAMES) collect(node);
      expect(NAMES.map(stateOf)).to.deep.equal(before);
    });
  }

  it('is sent with what has changed alone, ten times, of which three are kept', async () => {
    layers = ['base', 'x'.repeat(1_000_000), 'code'];
    const references: string[] = [];
    const args = ['--keep-images', '3', '--image', 'localhost/changed'];
    const first = await build(...args);
    expect(first.others.map(({bytes}) => bytes > 1_000)).to.deep.equal([true, true]);
    const blobs = new Map(NAMES.map((node) => [node, blobsOf(node)]));
    for (let change = 1; change <= 10; change += 1) {
      layers.splice(2, 1, `code ${change}`);
      const {others, reference} = await build(...args);
      references.push(reference);
      for (const {name, state, bytes} of others) {
        expect([state, bytes < 2_000]).to.deep.equal(['copied', true]);
        const [before, now] = [blobs.get(name), blobsOf(name)];
        expect(now.filter((digest) => !before?.includes(digest))).to.have.length(3);
        blobs.set(name, now);
      }
    }
    for (const node of NAMES) {
      collect(node);
      expect(namesOf(node, 'localhost/changed')).to.deep.equal(references.slice(-3).sort());
      expectWhole(node, references.slice(-3));
    }
  });

  const brokenBuild = async (act: (name: string) => unknown, image: string, ...args: readonly string[]) => {
    // The first layer is not compressed.
    layers = [LARGE + image, 'code'];
    let bad: string | undefined;
    let isCollected = false;
    onSent = (name, bytes) => {
      if (bytes < 3_000_000) return;
      if (bad === undefined) {
        bad = name;
        act(name);
      } else if (name !== bad && !isCollected) {
        isCollected = true;
        for (const node of NAMES) if (node !== bad) collect(node);
      }
    };
    const ended = await tiltbuild(['--print', 'json', '-t', `${image}:dev`, ...args, '.']);
    expect(isCollected).to.equal(true);
    return {ended, bad: String(bad)};
  };
  const expectRecovered = async (bad: string, image: string) => {
    await containerdOf(bad).revive();
    unreachable.clear();
    const {others} = await build('-t', `${image}:dev`);
    for (const {name, state, bytes} of others) {
      expect(state).to.equal(name === bad ? 'copied' : 'present');
      if (name === bad) expect(bytes).to.be.within(1_000, LARGE.length - 2_000_000);
    }
    for (const node of NAMES) {
      collect(node);
      expectWhole(node, [`${image}:dev`]);
      // Of what was broken off there is one until it expires.
      expect(leasesOf(node)).to.have.length(node === bad ? 1 : 0);
    }
    containerdOf(bad).ctr('leases', 'remove', ...leasesOf(bad));
  };

  it('is noted where containerd is killed in mid-copy, and gets there after it is back', async () => {
    const image = 'localhost/killed';
    const {ended, bad} = await brokenBuild((name) => {
      unreachable.add(name);
      void containerdOf(name).crash();
    }, image);
    const {others} = read(ended);
    for (const {name, state} of others) expect(state).to.equal(name === bad ? 'failed' : 'copied');
    expect(ended.stderr).to.match(new RegExp(`^note: +the image is not on node "${bad}" `, 'm'));
    await expectRecovered(bad, image);
  });

  it('is missed with --spread strict where containerd hangs in mid-copy, and gets there later', async () => {
    const image = 'localhost/hung';
    const freeze = (name: string) => containerdOf(name).freeze();
    const {ended, bad} = await brokenBuild(freeze, image, '--spread', 'strict');
    expect(ended, ended.stderr).to.include({exitCode: 5, stdout: ''});
    expect(ended.stderr).to.contain(`node \\"${bad}\\" does not have it: `);
    await expectRecovered(bad, image);
  });
});
