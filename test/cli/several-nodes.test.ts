/** Builders with a pod on each of several nodes: which of them builds, and what becomes of those that cannot. */
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect} from 'chai';
import type {ApiObject} from '../helpers/api-samples.ts';
import {type ApiServer, node} from '../helpers/api-server.ts';
import {describeEngine} from '../helpers/engines.ts';
import {changedPaths, DIGEST, PLAIN_NAMES, removeBuilders, spreadBuilder} from '../helpers/world.ts';

// Where an image goes after it was built is the subject of other tests.
const WEB = ['-t', 'localhost/web:dev', '--spread', 'none', '.'];
const NODES = ['a', 'b', 'c'];

const podOn = ({state}: ApiServer, name: string) =>
  state.pods.find(({spec}) => spec.nodeName === name)?.metadata.name ?? '';

describeEngine('a builder with pods on several nodes', 'builtin', (engine) => {
  const {world, tiltbuild, behave} = engine;
  beforeEach(() =>
    spreadBuilder(
      world,
      NODES.map((name) => node({name})),
    ),
  );

  /** Builds, and gives the node on which that was. */
  const build = async (...args: readonly string[]) => {
    const ended = await tiltbuild(['--print', 'json', '-v', '--spread', 'none', ...args, ...WEB]);
    expect(ended.exitCode, ended.stderr).to.equal(0);
    const {node: on, digest} = JSON.parse(ended.stdout);
    expect(digest).to.equal(DIGEST);
    expect(engine.buildkit.solves.at(-1)?.node).to.equal(on);
    return {on: on as string, stderr: ended.stderr};
  };
  const others = (than: string) => NODES.filter((name) => name !== than);

  it('builds a project on the same node every time, also on a new pod there', async () => {
    const {on, stderr} = await build();
    expect(stderr).not.to.match(/^note:/m);
    const old = podOn(world.api, on);
    world.api.killPod(old, 'deleted');
    while (podOn(world.api, on) === old || podOn(world.api, on) === '')
      await new Promise((resolve) => setTimeout(resolve, 20));
    expect((await build()).on).to.equal(on);
  });

  it('builds on another node as long as the pod of its own is not ready', async () => {
    const {on} = await build();
    world.api.state.builder.outcomes = {[on]: 'stuck-crash'};
    world.api.state.pods = [];
    spreadBuilder(
      world,
      NODES.map((name) => node({name})),
    );
    expect((await build()).on).to.be.oneOf(others(on));
  });

  it('names in a dry run the node on which it builds', async () => {
    for (const project of ['one', 'two']) {
      const file = join(world.sandbox.work, project);
      writeFileSync(file, 'FROM scratch\n');
      const dry = await tiltbuild(['--dry-run', '--print', 'json', '-f', file, ...WEB]);
      const {builder} = JSON.parse(dry.stdout);
      expect((await build('-f', file)).on).to.equal(builder.node);
      expect(builder.description).to.match(new RegExp(`; a build would use it, on node ${builder.node}$`));
    }
  });

  for (const [what, answer] of [
    ['refuses the connection', {failure: 'dial tcp 10.0.0.7:10250: connect: connection refused'}],
    ['has no buildctl', {failure: 'exec: "buildctl": executable file not found in $PATH'}],
    ['hangs', undefined],
  ] as const) {
    it(`builds on the next node if the pod ${what}, and notes it`, async () => {
      const {on} = await build();
      const {exec} = world.api.state;
      world.api.state.exec = (command, pod) => {
        if (pod.spec.nodeName !== on) return exec(command, pod);
        return answer ?? new Promise(() => undefined);
      };
      const second = await build();
      expect(second.on).to.be.oneOf(others(on));
      expect(second.stderr).to.contain(
        `pod on node "${on}" does not answer; building on node "${second.on}"`,
      );
    });
  }

  it('fails with what the last of them said if none answers', async () => {
    world.api.state.exec = () => ({failure: 'connect: connection refused'});
    const ended = await tiltbuild(WEB);
    expect(ended).to.include({exitCode: 1, stdout: ''});
    expect(ended.stderr).to.contain('connection refused');
  });

  it('builds again on another node if the pod is deleted in the middle of a build', async () => {
    const {on} = await build();
    behave('slow');
    const building = tiltbuild(['--print', 'json', ...WEB]);
    while (engine.buildkit.solves.length < 2) await new Promise((resolve) => setTimeout(resolve, 20));
    await new Promise((resolve) => setTimeout(resolve, 1500));
    engine.buildkit.behaviour = 'builds';
    world.api.state.builder.outcomes = {[on]: 'never'};
    world.api.killPod(podOn(world.api, on), 'deleted');
    const ended = await building;
    expect(ended.exitCode, ended.stderr).to.equal(0);
    expect(ended.stderr).to.contain('retrying once');
    expect(JSON.parse(ended.stdout).node).to.be.oneOf(others(on));
  });

  it('goes on if a pod is lost that it does not build on', async () => {
    const {on} = await build();
    behave('slow');
    const building = tiltbuild(WEB);
    while (engine.buildkit.solves.length < 2) await new Promise((resolve) => setTimeout(resolve, 20));
    await new Promise((resolve) => setTimeout(resolve, 1500));
    world.api.killPod(podOn(world.api, others(on)[0] as string), 'deleted');
    await new Promise((resolve) => setTimeout(resolve, 2000));
    expect(engine.buildkit.cancelled).to.equal(0);
    world.api.killPod(podOn(world.api, on), 'deleted');
    engine.buildkit.behaviour = 'builds';
    expect((await building).exitCode).to.equal(0);
  });

  it('builds for one architecture, that of most nodes or the one that is asked for', async () => {
    spreadBuilder(
      world,
      NODES.map((name) => node({name, architecture: name === 'a' ? 'arm64' : 'amd64'})),
    );
    for (const project of ['one', 'two', 'three', 'four']) {
      expect((await build('-f', 'Dockerfile', '--build-arg', `P=${project}`)).on).to.be.oneOf(['b', 'c']);
    }
    expect((await build('--platform', 'linux/arm64')).on).to.equal('a');
  });
});

describeEngine('a cluster of several nodes', 'builtin', ({world, tiltbuild}) => {
  const usual = (name: string) => node({name});
  const cordoned = (name: string) => ({...node({name}), spec: {unschedulable: true}});
  const taints = [{key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule'}];
  const tainted = (name: string) => ({...node({name}), spec: {taints}});
  const replicas = () => world.api.state.deployments[0]?.spec.replicas;
  const nodesOfPods = () => world.api.state.pods.map(({spec}) => spec.nodeName).toSorted();
  const build = async (...args: readonly string[]) => {
    const ended = await tiltbuild([...args, ...WEB]);
    expect(ended.exitCode, ended.stderr).to.equal(0);
    return ended.stderr;
  };

  it('gets a builder with a pod on each of its nodes, which is noted once', async () => {
    removeBuilders(world);
    world.api.state.nodes = [tainted('control'), usual('a'), usual('b')];
    const first = await build('-v');
    expect(nodesOfPods()).to.deep.equal(['a', 'b']);
    expect(first).to.contain('builder "buildkit" has a pod on 2 nodes (a, b)');
    expect(first).to.contain('node control: no builder, because it has the taint');
    expect(await build()).not.to.contain('note:');
  });

  it('gets one pod where it is not a local cluster, unless more are asked for', async () => {
    removeBuilders(world);
    world.connect({names: PLAIN_NAMES});
    world.api.state.nodes = ['a', 'b'].map((name) => node({name, providerID: ''}));
    await build();
    expect(nodesOfPods()).to.have.length(1);
  });

  for (const args of [
    ['--engine', 'kubectl-build', ...WEB],
    [...WEB, '--', '--allow', 'x'],
  ]) {
    it(`gets one pod where only kubectl build will do: ${args.join(' ')}`, async () => {
      removeBuilders(world);
      world.api.state.nodes = [usual('a'), usual('b')];
      const ended = await world.tiltbuild(args);
      expect(ended.exitCode, ended.stderr).to.equal(0);
      expect(nodesOfPods()).to.have.length(1);
    });
  }

  it('gives a node that has joined a pod at the next build, and leaves the others alone', async () => {
    spreadBuilder(world, [usual('a')]);
    const [pod] = world.api.state.pods;
    world.api.state.nodes.push(usual('b'), cordoned('c'));
    const said = await build('-v');
    expect(said).to.contain('has fewer pods than there are nodes for it; adding 1.');
    expect(said).to.contain('has a pod on 2 nodes (a, b)').and.contain('node c: no builder');
    expect(nodesOfPods()).to.deep.equal(['a', 'b']);
    expect(world.api.state.pods).to.deep.include(pod);
    expect(changedPaths(world)).to.deep.equal(['PUT /apis/apps/v1/namespaces/default/deployments/buildkit']);
    expect(world.api.state.deployments[0]?.spec.strategy).to.have.property('type', 'RollingUpdate');
  });

  it('gives a node that takes the place of a cordoned one a pod, while that still has its own', async () => {
    spreadBuilder(world, [usual('a'), usual('b')]);
    world.api.state.nodes = [usual('a'), cordoned('b'), usual('c')];
    expect(await build())
      .to.contain('adding 1.')
      .and.contain('has a pod on 3 nodes (a, b, c)');
    expect(await build()).not.to.contain('note:');
  });

  it('forgets a node that is gone, and keeps a pod on a node that takes no new ones', async () => {
    spreadBuilder(world, [usual('a'), usual('b'), usual('c')]);
    world.api.state.nodes = [usual('a'), usual('b'), cordoned('c')];
    expect(await build()).not.to.contain('note:');
    world.api.removeNode('c');
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(nodesOfPods()).to.deep.equal(['a', 'b', undefined]);
    expect(await build()).to.contain('more pods than there are nodes');
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect([replicas(), nodesOfPods()]).to.deep.equal([2, ['a', 'b']]);
  });

  it('is shown with the nodes that have a pod, and those that have none', async () => {
    world.api.state.builder.outcomes = {b: 'stuck-crash'};
    spreadBuilder(world, [usual('a'), usual('b')]);
    world.api.state.nodes.push(usual('c'), cordoned('d'));
    const shown = 'a; not b (has a pod that is not ready), c (gets a pod at the next build), d (is cordoned)';
    const {stdout: table} = await tiltbuild(['builder', 'ls']);
    expect(table).to.contain('1/2').and.contain('a,b(not-ready)');
    const [builder] = JSON.parse((await tiltbuild(['builder', 'ls', '-o', 'json'])).stdout);
    expect(builder).to.deep.include({
      nodes: ['a', 'b'],
      nodesReady: ['a'],
      nodesLeftOut: [{name: 'd', reason: 'is cordoned'}],
    });
    expect((await tiltbuild(['doctor'])).stdout.replaceAll(/\s+/g, ' ')).to.contain(`is ready on ${shown}`);
    const before = world.api.requests.length;
    expect((await tiltbuild(['--dry-run', ...WEB])).stdout).to.contain(`nodes:       ${shown}`);
    const lists = world.api.requests.slice(before).filter(({path}) => path.endsWith('/pods'));
    expect(lists).to.have.length(1);
    expect(changedPaths(world)).to.deep.equal([]);
  });

  it('leaves a builder alone that was created with a number of pods', async () => {
    spreadBuilder(world, [usual('a')]);
    const [builder] = world.api.state.deployments;
    const annotations = {...builder?.metadata.annotations, 'kubectl-tiltbuild/settings': '{"replicas":1}'};
    world.api.state.deployments = [{...builder, metadata: {...builder?.metadata, annotations}} as ApiObject];
    world.api.state.nodes.push(usual('b'));
    expect(await build()).not.to.contain('note:');
    expect(replicas()).to.equal(1);
  });

  for (const [what, outcome, words] of [
    ['crashes', 'stuck-crash', 'exited with code'],
    ['has no image', 'stuck-image', 'cannot be pulled'],
  ] as const) {
    it(`builds without a pod that ${what}, and notes why`, async () => {
      removeBuilders(world);
      world.api.state.nodes = [usual('a'), usual('b'), usual('c')];
      world.api.state.builder.outcomes = {b: outcome};
      const said = await build();
      expect(said).to.contain('has a pod on 2 nodes (a, c)');
      expect(said).to.contain('not ready on node "b", and builds go on without it').and.contain(words);
      const changed = changedPaths(world);
      expect(await build()).not.to.contain('note:');
      expect(changedPaths(world)).to.deep.equal(changed);
    });
  }
});
