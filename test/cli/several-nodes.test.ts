/** Builders with a pod on each of several nodes: which of them builds, and what becomes of those that cannot. */
import {expect} from 'chai';
import {type ApiServer, node} from '../helpers/api-server.ts';
import {describeEngine} from '../helpers/engines.ts';
import {DIGEST, spreadBuilder} from '../helpers/world.ts';

const WEB = ['-t', 'localhost/web:dev', '.'];
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
