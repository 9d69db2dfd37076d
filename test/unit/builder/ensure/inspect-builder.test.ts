/** Covers looks inside a builder's pods: which command runs, and what its output means. */
import {expect} from 'chai';
import {
  countLeftoverMounts,
  isBuildRunning,
  listPods,
  readVersion,
} from '../../../../src/builder/ensure/inspect-builder.ts';
import {readBuilderDeployment} from '../../../../src/builder/model/objects.ts';
import {forbidden, list, MISSING, pluginDeployment, pod, type Said, scriptCluster} from '../builder-world.ts';

const READY = readBuilderDeployment(pluginDeployment({name: 'own'}));
const FAILED: Said = {exitCode: 1, stderr: 'error: unable to upgrade connection\n'};
const ended = (exitCode: number): Said => ({
  exitCode,
  stderr: `command terminated with exit code ${exitCode}\n`,
});

const NONE = ended(1);
const exec = (where: string, ...command: readonly string[]) => [
  ...['exec', where, '--pod-running-timeout', '10s', '--container', 'buildkitd', '--'],
  ...command,
];

describe('isBuildRunning', () => {
  for (const [what, said, running] of [
    ['a build', {stdout: '24\n'}, true],
    ['none', NONE, false],
    ['none, after a warning', {...NONE, stderr: `Defaulted container\n${NONE.stderr}`}, false],
    ['an empty answer', {stdout: '\n'}, 'unknown'],
    ['no pgrep', ended(126), 'unknown'],
    ['a pgrep that was killed', ended(137), 'unknown'],
    ['no connection', FAILED, 'unknown'],
    ['a kubectl that was killed', {exitCode: undefined}, 'unknown'],
    ['a failure that prints something', {...FAILED, stdout: '24\n'}, 'unknown'],
  ] as const satisfies readonly (readonly [string, Said, boolean | 'unknown'])[]) {
    it(`is ${running} for ${what}`, async () => {
      const cluster = scriptCluster({get: {pods: [list(pod({name: 'p'}))]}, kubectl: () => said});
      expect(await isBuildRunning(READY, cluster)).to.equal(running);
      expect(cluster.calls.map(({args}) => args)).to.deep.equal([
        exec('p', 'pgrep', '-f', 'buildctl dial-stdio'),
      ]);
    });
  }

  for (const [running, ...answers] of [
    [false, NONE, NONE],
    [true, NONE, {stdout: '24\n'}],
    [true, FAILED, {stdout: '24\n'}],
    ['unknown', FAILED, NONE],
  ] as const satisfies readonly (readonly [boolean | 'unknown', ...Said[]])[]) {
    it(`is ${running} for the pods ${JSON.stringify(answers)}`, async () => {
      const pods = list(pod({name: 'p0'}), pod({name: 'p1'}), pod({name: 'p2', phase: 'Pending'}));
      const kubectl = ([, name = '']: readonly string[]) => answers[Number(name.slice(1))];
      expect(await isBuildRunning(READY, scriptCluster({get: {pods: [pods]}, kubectl}))).to.equal(running);
    });
  }

  it('is unknown without a running pod', async () => {
    for (const pods of [list(), list(pod({phase: 'Pending'})), forbidden('no')])
      expect(await isBuildRunning(READY, scriptCluster({get: {pods: [pods]}}))).to.equal('unknown');
  });
});

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
    const looks = [isBuildRunning, readVersion, countLeftoverMounts].map((look) =>
      look(resting, scriptCluster()),
    );
    expect(await Promise.all<unknown>(looks)).to.deep.equal([false, undefined, 0]);
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
