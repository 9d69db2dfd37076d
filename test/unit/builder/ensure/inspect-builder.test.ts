/** Covers looks inside a builder's pods: which command runs, and what its output means. */
import {expect} from 'chai';
import {countLeftoverMounts, listPods, readVersion} from '../../../../src/builder/ensure/inspect-builder.ts';
import {readBuilderDeployment} from '../../../../src/builder/model/objects.ts';
import {forbidden, list, MISSING, pluginDeployment, pod, scriptCluster} from '../builder-world.ts';

const READY = readBuilderDeployment(pluginDeployment({name: 'own'}));
const exec = (where: string, ...command: readonly string[]) => [
  ...['exec', where, '--pod-running-timeout', '10s', '--container', 'buildkitd', '--'],
  ...command,
];

describe('readVersion', () => {
  for (const [said, version] of [
    [{stdout: 'buildkitd github.com/moby/buildkit v0.32.2 0123456789abcdef\n'}, 'v0.32.2'],
    [{stdout: 'buildkitd github.com/moby/buildkit v0.33.0-rc1 0123\n'}, 'v0.33.0-rc1'],
    [{stdout: 'buildkitd github.com/acme/buildkit 0123\n'}, undefined],
    [{exitCode: 1, stdout: 'v1.2.3\n'}, undefined],
  ] as const) {
    it(`is ${version} for ${JSON.stringify(said)}`, async () => {
      const cluster = scriptCluster({kubectl: () => said});
      expect(await readVersion(READY, cluster)).to.equal(version);
      expect(cluster.calls[0]?.args).to.deep.equal(exec('deployment/own', 'buildkitd', '--version'));
    });
  }
});

describe('countLeftoverMounts', () => {
  const mount = (path: string) => `36 35 98:0 / ${path} rw,noatime shared:1 - tmpfs tmpfs rw`;
  const sockets = (count: number, run = '/run/containerd') =>
    Array(count).fill(mount(`${run}/containerd.sock`));

  for (const [what, lines, count, code = 0] of [
    ['its own alone', sockets(1), 0],
    ['others beside', [mount('/'), ...sockets(4), mount('/run/containerd')], 3],
    ['none', [mount('/'), mount('/tmp')], 0],
    ["another product's", sockets(3, '/run/k3s/containerd'), 2],
    ['names that are only alike', [mount('/x/containerd.sock.ttrpc'), mount('/x/my-containerd.sock')], 0],
    ['a failure', sockets(5), 0, 1],
  ] as const) {
    it(`counts ${count} for ${what}`, async () => {
      const cluster = scriptCluster({kubectl: () => ({exitCode: code, stdout: lines.join('\n')})});
      expect(await countLeftoverMounts(READY, cluster)).to.equal(count);
      expect(cluster.calls[0]?.args).to.deep.equal(exec('deployment/own', 'cat', '/proc/self/mountinfo'));
    });
  }
});

describe('a builder without a ready pod', () => {
  it('has nothing to look into', async () => {
    const resting = readBuilderDeployment(pluginDeployment({status: {readyReplicas: 0}}));
    const looks = [readVersion, countLeftoverMounts].map((look) => look(resting, scriptCluster()));
    expect(await Promise.all<unknown>(looks)).to.deep.equal([undefined, 0]);
  });
});

describe('listPods', () => {
  it('gives all of them, by names that are safe in a path, and nothing on a 403 or 404', async () => {
    const pods = list(pod({name: 'a'}), pod({name: 'b', phase: 'Failed'}));
    const cluster = scriptCluster({get: {pods: [pods, forbidden('no'), MISSING]}});
    const listed = () => listPods({name: 'a/b', namespace: 'n&s'}, cluster);
    expect((await listed())?.map(({name}) => name)).to.deep.equal(['a', 'b']);
    expect([await listed(), await listed()]).to.deep.equal([undefined, undefined]);
    expect(cluster.gets[0]).to.equal('/api/v1/namespaces/n%26s/pods?labelSelector=app%3Da%2Fb');
  });
});
