/** An image on every node of a builder: what travels to each, and what becomes of a node that cannot get it. */
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect} from 'chai';
import {GrpcCode, GrpcError} from '../../src/wire/grpc/status.ts';
import type {ApiObject} from '../helpers/api-samples.ts';
import {runningPod} from '../helpers/api-server.ts';
import type {ContainerdStandIn} from '../helpers/containerd-stand-in.ts';
import {digestOf} from '../helpers/containerd-stand-in-store.ts';
import {describeEngine} from '../helpers/engines.ts';
import type {Ended} from '../helpers/programs.ts';
import {type SeveralNodes, serveSeveralNodes} from '../helpers/several-nodes.ts';
import {WAYS} from '../helpers/world.ts';

const NAMES = ['one', 'two', 'three'];
const DEV = 'localhost/web:dev';
const WEB = ['--image', 'localhost/web', '.'];

describeEngine('an image for several nodes', 'builtin', (engine) => {
  const {world, tiltbuild} = engine;
  let several: SeveralNodes;
  beforeEach(() => {
    several = serveSeveralNodes(world, engine.buildkit, NAMES);
  });
  const nodeOf = (name: string) => several.nodes.get(name) as ContainerdStandIn;
  const held = (name: string) => [...nodeOf(name).images.keys()].sort();
  const targets = (name: string) => [...nodeOf(name).images.values()].map(({target}) => target?.digest);
  const statesOf = (ended: Ended) => {
    expect(ended.exitCode, ended.stderr).to.equal(0);
    const {nodes} = JSON.parse(ended.stdout) as {nodes: {name: string; state: string; bytes: number}[]};
    return Object.fromEntries(nodes.map(({name, state}) => [name, state]));
  };
  const build = (...args: readonly string[]) => tiltbuild(['--print', 'json', ...args]);
  const countLists = () => world.api.requests.filter(({path}) => path.endsWith('/pods')).length;
  /** The nodes where it is not built, which is found out by building something else. */
  const findOthers = async () => {
    const states = statesOf(await build('-t', 'localhost/first:dev', '.'));
    return Object.keys(states).filter((name) => states[name] !== 'built') as [string, string];
  };

  for (const through of WAYS) {
    it(`gets there under every name, and is whole there, asked ${through}`, async () => {
      world.connect({through});
      const states = statesOf(await build('-t', DEV, '-t', 'localhost/also:dev', ...WEB));
      expect(Object.values(states).sort()).to.deep.equal(['built', 'copied', 'copied']);
      const [built = ''] = engine.buildkit.solves.map(({node}) => node);
      // It is held, and its manifest and configuration are read, once for both of the others.
      const asked = nodeOf(built).calls.filter((call) => ['Read', 'AddResource'].includes(call));
      expect(asked.toSorted()).to.deep.equal(['AddResource', ...Array(2 + 2 * 2).fill('Read')]);
      for (const name of NAMES) {
        expect(held(name), name).to.deep.equal(held(built)).and.to.have.length(3);
        expect(new Set(targets(name)), name).to.deep.equal(new Set(targets(built)));
        for (const digest of nodeOf(built).store.blobs.keys())
          expect(nodeOf(name).store.blobs.has(digest)).to.equal(true);
        expect(nodeOf(name).store.leases.size).to.equal(0);
        const labelled = [...nodeOf(name).images.values()].filter(({labels}) => labels.size > 0);
        expect(labelled.map((image) => image.name)).to.deep.equal(
          held(name).filter((tag) => tag.includes(':tilt-')),
        );
      }
      expect(engine.buildkit.solves).to.have.length(1);
    });
  }

  it('gets there 30 times in a row, with what has changed alone', async function () {
    this.timeout(300_000);
    for (let change = 1; change <= 30; change += 1) {
      several.layers.splice(1, 1, `code ${change}`);
      const ended = await build(...WEB, '--ref-file', join(world.sandbox.root, 'ref'));
      const states = statesOf(ended);
      const {reference, nodes} = JSON.parse(ended.stdout);
      expect(readFileSync(join(world.sandbox.root, 'ref'), 'utf8')).to.equal(reference);
      for (const name of NAMES) expect(held(name), name).to.include(reference);
      const others = NAMES.filter((name) => states[name] === 'copied');
      expect(others).to.have.length(2);
      for (const name of others) {
        const {written} = nodeOf(name).store;
        // The layer, the configuration and the manifest, and at first the other layer.
        expect([...written.keys()]).to.have.length(1 + 3 * change);
        expect(written.get(digestOf(`code ${change}`))).to.equal(`code ${change}`.length);
        const [{bytes}] = nodes.filter((node: {name: string}) => node.name === name);
        const digests = [...written.keys()].slice(change === 1 ? 0 : -3);
        expect(bytes).to.equal(digests.reduce((sum, digest) => sum + (written.get(digest) ?? 0), 0));
      }
      expect(held('one').length).to.be.at.most(10);
    }
    for (const name of NAMES) expect(held(name), name).to.have.length(10);
  });

  it('has the pods listed once, and once more to connect again to a node', async () => {
    // Nobody watches the pods, which takes a list from time to time.
    const unwatched = ['--builder-policy', 'never', ...WEB];
    await build(...unwatched);
    expect(countLists()).to.equal(1);
    several.layers.push('changed code');
    several.refuse = (name) => (name === 'two' || name === 'three' ? {exitCode: 1} : undefined);
    await build(...unwatched);
    expect(countLists()).to.equal(3);
  });

  it('is not copied to a node of another architecture, which is named with -v alone', async () => {
    const {nodes} = world.api.state;
    const other = nodes.find(({metadata}) => metadata.name === 'three');
    Object.assign(other?.status.nodeInfo, {architecture: 'arm64'});
    const ended = await build('-v', '--spread', 'strict', '-t', DEV, '.');
    expect(Object.keys(statesOf(ended)).sort()).to.deep.equal(['one', 'two']);
    expect(ended.stderr).to.contain('node three: does not need the image: it is for linux/amd64');
    expect(held('three')).to.deep.equal([]);
  });

  for (const [what, args, calls] of [
    ['a tag', ['-t', DEV, '.'], ['Get']],
    // Once the result is there, the labels are renewed and old images looked for.
    ['a tag made from its content', WEB, ['Get', 'Get', 'List', 'Update']],
  ] as const) {
    it(`is not copied where it is, by ${what}, and such a node is asked once`, async () => {
      await build(...args);
      for (const name of NAMES) nodeOf(name).calls.length = 0;
      const states = statesOf(await build(...args));
      expect(Object.values(states).sort()).to.deep.equal(['built', 'present', 'present']);
      for (const name of NAMES)
        if (states[name] === 'present') expect(nodeOf(name).calls.toSorted()).to.deep.equal(calls);
    });
  }

  describe('of which one cannot get it', () => {
    let bad: string;
    let good: string;
    let over: PromiseWithResolvers<void>;
    beforeEach(async () => {
      over = Promise.withResolvers();
      [bad, good] = await findOthers();
      several.layers.splice(1, 1, 'changed code');
    });
    const refuse = () => {
      several.refuse = (name) => (name === bad ? {exitCode: 1, stderr: 'dial unix: no socket\n'} : undefined);
    };
    const onWrite = (act: () => unknown) => () => {
      nodeOf(bad).store.onWrite = act;
    };
    const FAULTS = [
      ['does not let us in', refuse, 'dial unix: no socket'],
      ['does not answer', () => nodeOf(bad).faults.set('Get', 'stalled'), 'no answer within 5 s'],
      ['never starts the program', () => (several.refuse = hang), 'no answer within 5 s'],
      [
        'has a full disk',
        onWrite(() => {
          throw new GrpcError(GrpcCode.UNKNOWN, 'write ingest/data: no space left on device');
        }),
        'no space left on device',
      ],
      [
        'is stopped in mid-copy',
        onWrite(() => {
          refuse();
          nodeOf(bad).disconnect();
        }),
        'no socket',
      ],
      ['stops answering in mid-copy', onWrite(() => over.promise), 'no progress'],
    ] as const;
    type Exec = typeof world.api.state.exec;
    const hangOn =
      (names: readonly string[], exec: Exec): Exec =>
      (command, pod) =>
        names.includes(pod.spec.nodeName) ? new Promise<never>(() => undefined) : exec(command, pod);
    const hang = (name: string) => (name === bad ? new Promise<never>(() => undefined) : undefined);

    for (const [what, act, why] of FAULTS) {
      it(`is built and noted where a node ${what}, and gets there with the next build`, async () => {
        act();
        const ended = await build('-t', DEV, '.');
        expect(statesOf(ended)).to.include({[bad]: 'failed', [good]: 'copied'});
        expect(ended.stderr).to.match(
          new RegExp(`^note: +the image is not on node "${bad}" \\(.*${why}`, 'm'),
        );
        expect(held(good)).to.include(DEV);
        expect(held(bad)).not.to.include(DEV);
        over.resolve();
        several.refuse = () => undefined;
        nodeOf(bad).faults.clear();
        nodeOf(bad).store.onWrite = () => undefined;
        expect(statesOf(await build('-t', DEV, '.'))).to.include({[bad]: 'copied', [good]: 'present'});
        expect(held(bad)).to.include(DEV);
      });
    }

    const podOn = (name: string) => world.api.state.pods.find(({spec}) => spec.nodeName === name);
    const nodeObject = (name: string) => world.api.state.nodes.find(({metadata}) => metadata.name === name);
    const setReady = (object: ApiObject | undefined, status: string) => {
      const conditions: {type: string; status: string}[] = structuredClone(object?.status.conditions);
      for (const one of conditions) if (one.type === 'Ready') one.status = status;
      Object.assign(object as ApiObject, {status: {...object?.status, conditions}});
    };
    for (const [what, makeUnready] of [
      ['its pod', (name: string) => setReady(podOn(name), 'False')],
      ['itself', (name: string) => setReady(nodeObject(name), 'Unknown')],
    ] as const) {
      it(`is never asked where it is not ready, by ${what}, whether it would build or only get it`, async () => {
        const [sticky = ''] = engine.buildkit.solves.map(({node}) => node);
        const unready = [bad, sticky];
        for (const name of unready) makeUnready(name);
        world.api.state.exec = hangOn(unready, world.api.state.exec);
        const before = world.api.requests.length;
        const ended = await build(...WEB);
        expect(statesOf(ended)).to.deep.equal({[bad]: 'failed', [sticky]: 'failed', [good]: 'built'});
        for (const name of unready)
          expect(ended.stderr).to.contain(`"${name}" (Node "${name}" is not ready)`);
        const asked = world.api.requests.slice(before).filter(({path}) => path.endsWith('/exec'));
        // Its BuildKit, and its containerd.
        expect(asked).to.have.length(2);
      });
    }

    it('gets there through a pod that is stopping, where no other one is', async () => {
      const pod = podOn(bad) as ApiObject;
      Object.assign(pod.metadata, {deletionTimestamp: new Date(0).toISOString()});
      expect(statesOf(await build('-t', DEV, '.'))).to.include({[bad]: 'copied', [good]: 'copied'});
      // It never stops there.
      setReady(nodeObject(bad), 'Unknown');
      expect(statesOf(await build('-t', DEV, '.'))).not.to.have.property(bad);
    });

    it('is left out of the images where its pod is not ready, without being asked', async () => {
      setReady(podOn(bad), 'False');
      several.refuse = hang;
      const {exitCode, stderr} = await tiltbuild(['builder', 'images']);
      expect(exitCode, stderr).to.equal(0);
      expect(stderr).to.contain(`note:  node "${bad}" is left out: Node "${bad}" is not ready.`);
    });

    it('fails with --spread strict, and says where and why', async () => {
      refuse();
      const ended = await tiltbuild(['--spread', 'strict', '--iidfile', 'iid', '-t', DEV, '.']);
      expect(ended).to.include({exitCode: 5, stdout: ''});
      expect(ended.stderr).to.contain(
        `error: The image was built, but node "${bad}" does not have it: dial unix: no socket.`,
      );
      expect(ended.stderr).to.contain('kubectl get nodes').and.contain('--spread auto');
      expect(held(good)).to.include(DEV);
    });

    it('is left alone with --spread none, as all others are', async () => {
      nodeOf(good).calls.length = 0;
      refuse();
      const ended = await build('--spread', 'none', '-t', DEV, '.');
      expect(Object.values(statesOf(ended))).to.deep.equal(['built']);
      expect(ended.stderr).not.to.contain('note:');
      expect(nodeOf(good).calls).to.deep.equal([]);
    });
  });

  it('is built a second time where it is no longer whole', async () => {
    const {make} = engine.buildkit;
    engine.buildkit.make = (solve) => {
      const digest = make(solve);
      if (engine.buildkit.solves.length === 1) nodeOf(solve.node).store.blobs.delete(digestOf('code'));
      return digest;
    };
    expect(Object.values(statesOf(await build('-t', DEV, ...WEB))).sort()).to.deep.equal([
      'built',
      'copied',
      'copied',
    ]);
    const [first, second] = engine.buildkit.solves;
    expect(second?.node).to.equal(first?.node);
    expect(second?.exporter.attributes.get('name')?.split(',')).to.include(DEV).and.have.length(2);
    for (const name of NAMES) {
      const [tag] = [...nodeOf(name).images.values()].filter((image) => image.name !== DEV);
      expect([...(tag?.labels.keys() ?? [])], name).to.include('kubectl-tiltbuild.io/name');
    }
  });

  for (const [what, args] of [
    ['is pushed', ['--push', '-t', 'registry.example/web:dev', '.']],
    ['is written to a file', ['-o', 'type=oci,dest=image.tar', '-t', DEV, '.']],
    ['is asked for as an output', ['-o', 'type=image', '-t', DEV, '.']],
  ] as const) {
    it(`goes to no node if it ${what}`, async () => {
      const ended = await build(...args);
      expect(Object.keys(statesOf(ended))).to.deep.equal([]);
      for (const name of NAMES) expect(nodeOf(name).calls).to.deep.equal([]);
    });
  }

  it('is listed for each node, and removed from all that can be reached', async () => {
    const {reference} = JSON.parse((await build(...WEB)).stdout);
    const images = (...args: readonly string[]) => tiltbuild(['builder', 'images', ...args]);
    const rows = JSON.parse((await images('-o', 'json')).stdout) as {name: string; node: string}[];
    expect(rows.map(({name, node}) => `${node} ${name}`).sort()).to.deep.equal(
      NAMES.map((name) => `${name} ${reference}`).sort(),
    );
    several.refuse = (name) => (name === 'two' ? {exitCode: 1, stderr: 'dial unix: no socket\n'} : undefined);
    const ended = await images('rm', reference);
    expect(ended, ended.stderr).to.include({exitCode: 0, stdout: `${reference}\n`});
    expect(ended.stderr).to.match(
      /^note: {2}node "two" is left out: containerd on two could not be asked: dial unix: no socket\.$/m,
    );
    expect(NAMES.map(held)).to.deep.equal([[], [reference], []]);
  });

  it('makes room on each node by what pods use there', async () => {
    const {reference: first} = JSON.parse((await build(...WEB)).stdout);
    const pod = runningPod({name: 'web', namespace: 'apps', node: 'two', image: first});
    world.api.state.pods.push(pod);
    several.layers.push('more');
    const {reference} = JSON.parse((await build('--keep-images', '1', ...WEB)).stdout);
    expect(NAMES.map(held)).to.deep.equal([[reference], [first, reference].sort(), [reference]]);
  });

  for (const through of WAYS) {
    it(`is cancelled at once while it is copied, by a signal or the time limit, asked ${through}`, async () => {
      world.connect({through});
      for (const name of NAMES) nodeOf(name).store.onWrite = () => new Promise(() => undefined);
      const signalWhen = {stderrContains: 'copying to', signals: ['SIGINT']} as const;
      expect(await tiltbuild(['-t', DEV, '.'], {signalWhen})).to.include({exitCode: 130, stdout: ''});
      expect(await tiltbuild(['--timeout', '2s', '-t', DEV, '.'])).to.include({exitCode: 124, stdout: ''});
      for (const name of NAMES)
        for (const {labels} of nodeOf(name).store.leases.values())
          expect(labels.get('containerd.io/gc.expire')).to.match(/^\d{4}-/);
    });
  }

  it('is shown while it is copied, and reported with -v and as JSON', async () => {
    const ended = await build('-v', '-t', DEV, '.');
    const {nodes} = JSON.parse(ended.stdout);
    const [{name: built}, ...others] = nodes;
    expect(nodes[0]).to.deep.equal({name: built, state: 'built', bytes: 0});
    for (const {name, state, bytes} of others) {
      expect({state, isSome: bytes > 0}).to.deep.equal({state: 'copied', isSome: true});
      // After the steps of the build.
      expect(ended.stderr).to.match(new RegExp(`^#[34] copying to ${name}$`, 'm'));
      expect(ended.stderr).to.match(new RegExp(`^node ${name}: got [\\d.]+k?B in 4 blobs$`, 'm'));
    }
    expect((await tiltbuild(['-q', '-t', 'localhost/web:2', '.'])).stderr).to.equal('');
  });
});
