/** Covers a link that goes silent in the middle of a build, while another connection still comes through. */
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {expect} from 'chai';
import {serveBuildkit} from '../helpers/engines.ts';
import {type StallingProxy, startStallingProxy} from '../helpers/stalling-proxy.ts';
import {BUILD, DIGEST, describeCommand, PROXY} from '../helpers/world.ts';

const WAYS = [
  ['builtin', 'over a WebSocket', {}],
  ['builtin', 'through kubectl', PROXY],
  ['kubectl-build', 'by the plugin', {}],
] as const;

describeCommand('a link that stalls during a build', (world) => {
  let proxy: StallingProxy;
  before(function () {
    if (process.platform === 'win32') this.skip();
  });
  beforeEach(async () => {
    proxy = await startStallingProxy(world.api.url);
    world.connect({clusterFields: {server: proxy.through(world.api.url)}});
  });
  afterEach(() => proxy.close());

  // All at once, since each of them takes its half a minute.
  it('is noticed, and the build is run once more', async () => {
    const buildkit = serveBuildkit(world);
    buildkit.behaviour = 'slow';
    world.sandbox.setDelegate('hangs');
    const {program, sandbox} = world;
    const builds = WAYS.map(([engine, how, env]) => {
      const child = spawn(program.command, [...program.args, '--engine', engine, ...BUILD], {
        cwd: sandbox.work,
        env: {...sandbox.env, ...env},
      });
      const build = {how, child, stdout: '', stderr: '', ended: once(child, 'close')};
      child.stdout.on('data', (text) => (build.stdout += text));
      child.stderr.on('data', (text) => (build.stderr += text));
      return build;
    });
    while (!builds.every(({stderr}) => /RUN|tick 0/.test(stderr)))
      await new Promise((done) => setTimeout(done, 50));
    proxy.stall();
    buildkit.behaviour = 'builds';
    world.sandbox.setDelegate('build');
    for (const build of builds) {
      const [exitCode] = await build.ended;
      expect(exitCode, `${build.how}: ${build.stderr}`).to.equal(0);
      expect(build.stdout, build.how).to.equal(`${DIGEST}\n`);
      expect(build.stderr, build.how).to.match(
        /note: .*(?:connection|link).* Your build did not cause this; retrying once/s,
      );
    }
  });
});
