/** Covers looks inside a builder's pods: which command runs, and what its output means. */
import {expect} from 'chai';
import {
  countLeftoverMounts,
  isBuildRunning,
  listPods,
  readVersion,
} from '../../../../src/builder/ensure/inspect-builder.ts';
import {readBuilderDeployment} from '../../../../src/builder/model/objects.ts';
import {
  forbidden,
  list,
  MISSING,
  pluginDeployment,
  pod,
  type Said,
  type Scripted,
  scriptCluster,
} from '../builder-world.ts';

const READY = readBuilderDeployment(pluginDeployment({name: 'own'}));
const NONE: Said = {exitCode: 1, stderr: 'command terminated with exit code 1\n'};
const FAILED: Said = {exitCode: 1, stderr: 'error: unable to upgrade connection\n'};
const exitCode = (code: number): Said => ({
  exitCode: code,
  stderr: `command terminated with exit code ${code}\n`,
});

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
    ['no pgrep', exitCode(126), 'unknown'],
    ['a pgrep that was killed', exitCode(137), 'unknown'],
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

  for (const pods of [list(), list(pod({phase: 'Pending'})), forbidden('no')]) {
    it(`is unknown without a running pod: ${JSON.stringify(pods).slice(0, 60)}`, async () => {
      expect(await isBuildRunning(READY, scriptCluster({get: {pods: [pods]}}))).to.equal('unknown');
    });
  }
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
  const resting = readBuilderDeployment(pluginDeployment({status: {readyReplicas: 0}}));
  for (const [look, nothing] of [
    [isBuildRunning, false],
    [readVersion, undefined],
    [countLeftoverMounts, 0],
  ] as const) {
    it(`has nothing to look into: ${look.name}`, async () => {
      expect(await look(resting, scriptCluster())).to.equal(nothing);
    });
  }
});

describe('listPods', () => {
  for (const [what, answer, names] of [
    ['all of them', list(pod({name: 'a'}), pod({name: 'b', phase: 'Failed'})), ['a', 'b']],
    ['nothing on a 403', forbidden('no'), undefined],
    ['nothing on a 404', MISSING, undefined],
  ] as const satisfies readonly (readonly [string, Scripted, readonly string[] | undefined])[]) {
    it(`gives ${what}`, async () => {
      const cluster = scriptCluster({get: {pods: [answer]}});
      const pods = await listPods({name: 'a/b', namespace: 'n&s'}, cluster);
      expect(pods?.map(({name}) => name)).to.deep.equal(names);
      expect(cluster.gets).to.deep.equal(['/api/v1/namespaces/n%26s/pods?labelSelector=app%3Da%2Fb']);
    });
  }
});
