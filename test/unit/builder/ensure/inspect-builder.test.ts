/** Covers looks inside a builder's pods: how they are made, and what their answers mean. */
import {expect} from 'chai';
import {
  countLeftoverMounts,
  execArgs,
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
const RESTING = readBuilderDeployment(pluginDeployment({status: {readyReplicas: 0}}));
const NONE: Said = {exitCode: 1, stderr: 'command terminated with exit code 1\n'};

const exec = (where: string, ...command: readonly string[]) => [
  'exec',
  where,
  ...['--pod-running-timeout', '10s'],
  ...['--container', 'buildkitd', '--'],
  ...command,
];

describe('execArgs', () => {
  it('names the container that BuildKit runs in, and does not wait long for a pod', () => {
    expect(execArgs('pod-1', ['echo', 'a b', '--x'])).to.deep.equal(exec('pod-1', 'echo', 'a b', '--x'));
  });
});

describe('isBuildRunning', () => {
  const PGREP = ['pgrep', '-f', 'buildctl dial-stdio'];

  for (const [what, said, running] of [
    ['a build', {stdout: '24\n'}, true],
    ['several', {stdout: '24\n31\n'}, true],
    ['none', NONE, false],
    [
      'none, behind a warning',
      {exitCode: 1, stderr: 'Defaulted container\ncommand terminated with exit code 1\n'},
      false,
    ],
    ['an empty answer', {stdout: '\n'}, 'unknown'],
    ['no pgrep', {exitCode: 126, stderr: 'command terminated with exit code 126\n'}, 'unknown'],
    ['a broken pgrep', {exitCode: 127, stderr: 'command terminated with exit code 127\n'}, 'unknown'],
    [
      'a pgrep that was killed',
      {exitCode: 137, stderr: 'command terminated with exit code 137\n'},
      'unknown',
    ],
    ['a 403', {exitCode: 1, stderr: 'Error from server (Forbidden): pods "x" is forbidden\n'}, 'unknown'],
    ['no connection', {exitCode: 1, stderr: 'error: unable to upgrade connection\n'}, 'unknown'],
    ['a kubectl that was killed', {exitCode: undefined}, 'unknown'],
    ['a failure that shows something', {exitCode: 1, stdout: '24\n', stderr: 'error: x\n'}, 'unknown'],
  ] as const satisfies readonly (readonly [string, Said, boolean | 'unknown'])[]) {
    it(`is ${running} for ${what}`, async () => {
      const cluster = scriptCluster({get: {pods: [list(pod({name: 'p'}))]}, kubectl: () => said});
      expect(await isBuildRunning(READY, cluster)).to.equal(running);
      expect(cluster.calls.map(({args}) => args)).to.deep.equal([exec('p', ...PGREP)]);
    });
  }

  for (const [answers, running] of [
    [[NONE, NONE], false],
    [[NONE, {stdout: '24\n'}], true],
    [[{exitCode: 1, stderr: 'error: x\n'}, {stdout: '24\n'}], true],
    [[{exitCode: 1, stderr: 'error: x\n'}, NONE], 'unknown'],
  ] as const satisfies readonly (readonly [readonly Said[], boolean | 'unknown'])[]) {
    it(`is ${running} for the pods ${JSON.stringify(answers)}`, async () => {
      const pods = list(pod({name: 'p0'}), pod({name: 'p1'}), pod({name: 'p2', phase: 'Pending'}));
      const cluster = scriptCluster({
        get: {pods: [pods]},
        kubectl: ([, name = '']) => answers[Number(name.slice(1))],
      });
      expect(await isBuildRunning(READY, cluster)).to.equal(running);
    });
  }

  for (const [what, pods] of [
    ['that are not there', list()],
    ['of which none runs', list(pod({phase: 'Pending'}))],
    ['that may not be seen', forbidden('no')],
  ] as const) {
    it(`is unknown for pods ${what}`, async () => {
      expect(await isBuildRunning(READY, scriptCluster({get: {pods: [pods]}}))).to.equal('unknown');
    });
  }

  it('needs no look for one without a ready pod', async () => {
    expect(await isBuildRunning(RESTING, scriptCluster())).to.equal(false);
  });
});

describe('readVersion', () => {
  for (const [said, version] of [
    [{stdout: 'buildkitd github.com/moby/buildkit v0.32.2 0123456789abcdef\n'}, 'v0.32.2'],
    [{stdout: 'buildkitd github.com/moby/buildkit v0.33.0-rc1 0123\n'}, 'v0.33.0-rc1'],
    [{stdout: 'buildkitd github.com/acme/buildkit 0123\n'}, undefined],
    [{stdout: ''}, undefined],
    [{exitCode: 1, stdout: 'v1.2.3\n'}, undefined],
  ] as const) {
    it(`is ${version} for ${JSON.stringify(said)}`, async () => {
      const cluster = scriptCluster({kubectl: () => said});
      expect(await readVersion(READY, cluster)).to.equal(version);
      expect(cluster.calls[0]?.args).to.deep.equal(exec('deployment/own', 'buildkitd', '--version'));
    });
  }

  it('needs no look for one without a ready pod', async () => {
    expect(await readVersion(RESTING, scriptCluster())).to.equal(undefined);
  });
});

describe('listPods', () => {
  for (const [what, answer, names] of [
    ['all of them', list(pod({name: 'a'}), pod({name: 'b', phase: 'Failed'})), ['a', 'b']],
    ['nothing where they may not be seen', forbidden('no'), undefined],
    ['nothing where there is nothing', MISSING, undefined],
  ] as const satisfies readonly (readonly [string, Scripted, readonly string[] | undefined])[]) {
    it(`gives ${what}`, async () => {
      const cluster = scriptCluster({get: {pods: [answer]}});
      const pods = await listPods({name: 'a/b', namespace: 'n&s'}, cluster);
      expect(pods?.map(({name}) => name)).to.deep.equal(names);
      expect(cluster.gets).to.deep.equal(['/api/v1/namespaces/n%26s/pods?labelSelector=app%3Da%2Fb']);
    });
  }
});

describe('countLeftoverMounts', () => {
  const mount = (path: string) => `36 35 98:0 / ${path} rw,noatime shared:1 - tmpfs tmpfs rw`;
  const sockets = (count: number) => Array(count).fill(mount('/run/containerd/containerd.sock'));

  for (const [what, lines, count] of [
    ['its own alone', sockets(1), 0],
    ['three more', sockets(4), 3],
    ['none', [mount('/'), mount('/tmp')], 0],
    ['others beside', [mount('/'), ...sockets(2), mount('/run/containerd')], 1],
    ["another product's", Array(3).fill(mount('/run/k3s/containerd/containerd.sock')), 2],
    ['names that are only alike', [mount('/x/containerd.sock.ttrpc'), mount('/x/my-containerd.sock')], 0],
    ['nothing', [], 0],
  ] as const) {
    it(`counts ${count} for ${what}`, async () => {
      const cluster = scriptCluster({kubectl: () => ({stdout: lines.map((line) => `${line}\n`).join('')})});
      expect(await countLeftoverMounts(READY, cluster)).to.equal(count);
      expect(cluster.calls.map(({args}) => args)).to.deep.equal([
        exec('deployment/own', 'cat', '/proc/self/mountinfo'),
      ]);
    });
  }

  it('counts none where that cannot be seen, and does not look without a ready pod', async () => {
    const failing = scriptCluster({kubectl: () => ({exitCode: 1, stdout: sockets(5).join('\n')})});
    expect(await countLeftoverMounts(READY, failing)).to.equal(0);
    expect(await countLeftoverMounts(RESTING, scriptCluster())).to.equal(0);
  });
});
