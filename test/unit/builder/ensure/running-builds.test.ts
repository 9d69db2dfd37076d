/** Covers whether a build is running on a builder: what BuildKit says in each pod, and what counts if it says nothing. */
import {type Duplex, duplexPair} from 'node:stream';
import {expect} from 'chai';
import {findBuildActivity} from '../../../../src/builder/ensure/running-builds.ts';
import {readBuilderDeployment} from '../../../../src/builder/model/objects.ts';
import {Interrupted} from '../../../../src/errors.ts';
import {BuildkitStandIn} from '../../../helpers/buildkit-stand-in.ts';
import {forbidden, list, pluginDeployment, pod, type Said, scriptCluster} from '../builder-world.ts';

const READY = readBuilderDeployment(pluginDeployment());
const NOT_READY = readBuilderDeployment(pluginDeployment({status: {readyReplicas: 0}}));
const NO_PGREP: Said = {exitCode: 126, stderr: 'command terminated with exit code 126\n'};
const NOTHING_FOUND: Said = {exitCode: 1, stderr: 'Defaulted x\ncommand terminated with exit code 1\n'};
const FOUND: Said = {stdout: '24\n'};

function buildkit(changes: Partial<Pick<BuildkitStandIn, 'otherBuilds' | 'hasHistory'>> = {}): Duplex {
  return Object.assign(new BuildkitStandIn('sha256:0'), changes).connect();
}

function says(...chunks: readonly string[]): Duplex {
  const [client, server] = duplexPair();
  for (const chunk of chunks) server.write(chunk);
  return client;
}

const BUILDS = () => buildkit({otherBuilds: 2});
const IDLES = () => buildkit();
const OLD = () => buildkit({hasHistory: false});
const SILENT = () => says();
const TEXT = () => says('Welcome to this pod!\n');
const REFUSED = () => new Error('no buildctl here.');

async function ask(
  tunnels: readonly (() => Duplex | Error)[],
  {deployment = READY, pgrep = NO_PGREP, pods = tunnels.map((_, index) => pod({name: `p${index}`}))} = {},
) {
  const cluster = scriptCluster({
    get: {pods: [list(...pods)]},
    kubectl: (args) => (args.includes('pgrep') ? pgrep : undefined),
    tunnel: (name) => tunnels[Number(name.slice(1))]?.() ?? new RangeError(name),
  });
  const activity = await findBuildActivity(deployment, cluster, tunnels.includes(SILENT) ? 20 : undefined);
  return {activity, pgreps: cluster.calls.length};
}

describe('a builder', () => {
  for (const [what, tunnel, kind, pgreps, options] of [
    ['has a build', BUILDS, 'building', 0, {}],
    ['has none', IDLES, 'idle', 0, {}],
    ['is too old for a history, and has a client', OLD, 'building', 1, {pgrep: FOUND}],
    ['is too old for a history, and has no client', OLD, 'idle', 1, {pgrep: NOTHING_FOUND}],
    ['is too old for a history, and has no pgrep', OLD, 'unknown', 1, {}],
    ['cannot be reached, and has no client', REFUSED, 'idle', 1, {pgrep: NOTHING_FOUND}],
    ['cannot be reached, and has no pgrep', REFUSED, 'unknown', 1, {}],
    ['says nothing', SILENT, 'unknown', 1, {}],
    ['is not ready, and says nothing', SILENT, 'idle', 1, {deployment: NOT_READY}],
    ['is not ready, and has a build', BUILDS, 'building', 0, {deployment: NOT_READY}],
  ] as const) {
    it(`is ${kind} if it ${what}`, async () => {
      const {activity, pgreps: asked} = await ask([tunnel], options);
      expect([activity.kind, asked]).to.deep.equal([kind, pgreps]);
    });
  }

  for (const [tunnel, why] of [
    [OLD, 'unknown method /moby.buildkit.v1.Control/ListenBuildHistory'],
    [REFUSED, 'no buildctl here'],
    [SILENT, 'BuildKit in pod p0 does not answer'],
    [TEXT, 'the peer does not speak HTTP/2, its answer begins with "Welcome to this pod!"'],
  ] as const) {
    it(`says why nobody knows: ${why}`, async () => {
      expect((await ask([tunnel])).activity).to.deep.equal({kind: 'unknown', why});
    });
  }

  for (const [kind, ...tunnels] of [
    ['idle', IDLES, IDLES],
    ['building', IDLES, BUILDS],
    ['building', REFUSED, BUILDS],
    ['unknown', REFUSED, IDLES],
    ['idle'],
  ] as const) {
    it(`with ${tunnels.length} pods is ${kind}`, async () => {
      expect((await ask(tunnels)).activity.kind).to.equal(kind);
    });
  }

  it('is asked in pods that run, though they are being deleted, and in no others', async () => {
    const waiting = {state: {waiting: {reason: 'CrashLoopBackOff'}}, ready: false};
    const pods = [pod({name: 'p0', deleting: true}), pod({name: 'p1', ...waiting}), pod({phase: 'Pending'})];
    expect((await ask([BUILDS, REFUSED], {pods})).activity.kind).to.equal('building');
    expect((await ask([BUILDS, REFUSED], {pods: pods.slice(1)})).activity.kind).to.equal('idle');
  });

  it('is unknown without permission to list pods', async () => {
    const cluster = scriptCluster({get: {pods: [forbidden('no')]}});
    expect(await findBuildActivity(READY, cluster))
      .to.have.property('why')
      .that.includes('list pods');
  });

  it('is not asked any further after a signal', async () => {
    const asking = ask([() => new Interrupted('SIGINT')]);
    expect(await asking.catch((error) => error)).to.be.instanceOf(Interrupted);
  });
});
