/** Signals, and readers that close: the build is cancelled, nothing is left, and the exit code names the signal. */
import {execFileSync, spawn} from 'node:child_process';
import {once} from 'node:events';
import {constants, existsSync, openSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect} from 'chai';
import {INTERRUPT_SIGNALS, type InterruptSignal} from '../../src/errors.ts';
import {installCredentialPlugin, LEAVE_BEHIND} from '../helpers/credential-plugin.ts';
import {BUILD, describeCommand, expectBuilt, type World} from '../helpers/world.ts';

const ARGS = ['--secret', 'id=npm,env=NPM_TOKEN', ...BUILD];
const env = {NPM_TOKEN: 'hunter2'};

const start = ({program, sandbox}: World, args: readonly string[] = ARGS) =>
  spawn(program.command, [...program.args, ...args], {
    cwd: sandbox.work,
    env: {...sandbox.env, ...env},
    stdio: ['pipe', 'pipe', 'pipe'],
  });

const until = async (isSo: () => unknown) => {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 20));
};

function isGone(pid: number): boolean {
  try {
    return !process.kill(pid, 0);
  } catch {
    return true;
  }
}

describeCommand('a signal', (world) => {
  for (const [signal, exitCode, received, ...flags] of [
    ['SIGINT', 130, 'SIGINT'],
    ['SIGTERM', 143, 'SIGTERM'],
    // kubectl build cancels on the other two only. With --platform its progress is watched.
    ['SIGHUP', 129, 'SIGTERM', '--platform=linux/amd64'],
  ] as const) {
    it(`${signal} cancels the build, and ends with ${exitCode}`, async () => {
      world.sandbox.setDelegate('slow');
      const signalWhen = {stderrContains: 'tick 0', signals: [signal]};
      const ended = await world.tiltbuild([...flags, ...ARGS], {env, signalWhen});
      expect(ended).to.include({exitCode, stdout: ''});
      expect(ended.stderr).to.contain('CANCELED').and.not.contain('error:');
      expect(world.delegated()).to.deep.include({signals: [received], exitCode: 1});
    });
  }

  for (const [signal, number] of Object.entries(INTERRUPT_SIGNALS) as [InterruptSignal, number][]) {
    if (['SIGINT', 'SIGTERM', 'SIGHUP'].includes(signal)) continue;
    it(`${signal} cancels it as well`, async function () {
      if (process.platform !== 'linux') this.skip();
      world.sandbox.setDelegate('slow');
      const ended = await world.tiltbuild(ARGS, {
        env,
        signalWhen: {stderrContains: 'tick 0', signals: [signal]},
      });
      expect(ended).to.include({exitCode: 128 + number, stdout: ''});
      expect(world.delegated()).to.deep.include({signals: ['SIGTERM'], exitCode: 1});
    });
  }

  it('that is the second one kills kubectl build where it ignores the first', async () => {
    world.sandbox.setDelegate('ignores-signals');
    const ended = await world.tiltbuild(ARGS, {
      env,
      signalWhen: {stderrContains: 'tick 0', signals: ['SIGTERM', 'SIGTERM']},
    });
    expect(ended).to.include({exitCode: 143, stdout: ''});
    const {signals, exitCode, pid} = world.delegated();
    expect(signals).to.deep.equal(['SIGTERM']);
    expect(exitCode).to.equal(null);
    await until(() => isGone(pid));
  });
});

const leftBehind = ({sandbox}: World) => join(sandbox.root, 'left-behind');

/** Throws where it is gone. */
const endLeftBehind = (world: World) => process.kill(Number(readFileSync(leftBehind(world), 'utf8')));

/** What a build may wait for without an end; each gives how to know that it does. */
const HELD: readonly (readonly [what: string, hold: (world: World) => () => unknown, ...args: string[]])[] = [
  [
    'an API server that does not answer',
    ({api}) => {
      api.state.delayMs = 60_000;
      return () => api.requests.length > 0;
    },
  ],
  [
    'a login plugin, and what that has started',
    (world) => {
      const command = join(world.sandbox.root, 'login');
      const script = `${LEAVE_BEHIND} setInterval(() => {}, 1000);`;
      writeFileSync(command, `#!${process.execPath}\n${script}\n`, {mode: 0o700});
      const exec = {apiVersion: 'client.authentication.k8s.io/v1', command, interactiveMode: 'Never'};
      world.connect({auth: 'none', userFields: {exec}});
      return () => existsSync(leftBehind(world));
    },
  ],
  [
    'its standard input',
    ({sandbox}) =>
      () =>
        sandbox.leftovers().some((path) => path.endsWith('standard-input')),
    '-',
  ],
  [
    'a kubeconfig that is a pipe',
    (world) => {
      const {kubeconfig} = world.sandbox;
      rmSync(kubeconfig);
      execFileSync('mkfifo', [kubeconfig]);
      return () => {
        try {
          // It succeeds where somebody reads, who goes on waiting.
          return openSync(kubeconfig, constants.O_WRONLY | constants.O_NONBLOCK);
        } catch {
          return false;
        }
      };
    },
  ],
];

describeCommand('what a build waits for', (world) => {
  before(function () {
    if (process.platform === 'win32') this.skip();
  });

  for (const [what, hold, ...args] of HELD) {
    for (const [how, exitCode] of [
      ['SIGINT', 130],
      ['SIGTERM', 143],
      ['--timeout', 124],
    ] as const) {
      it(`is given up at ${how}: ${what}`, async function () {
        // Node waits at its end for its own threads, and one of them is in a system call that nothing interrupts.
        if (what.includes('pipe') && world.program.name === 'source') this.skip();
        const isHeld = hold(world);
        const limit = how === '--timeout' ? [how, '500ms'] : [];
        const child = start(world, [...limit, ...BUILD.slice(0, 2), ...(args.length > 0 ? args : ['.'])]);
        if (how !== '--timeout') {
          await until(isHeld);
          child.kill(how);
        }
        let stderr = '';
        child.stderr.on('data', (chunk) => (stderr += chunk));
        const [ended] = await once(child, 'exit');
        expect(ended, stderr).to.equal(exitCode);
        expect(world.sandbox.invocations()).to.deep.equal([]);
        if (existsSync(leftBehind(world))) endLeftBehind(world);
      });
    }
  }

  it('does not include what a login plugin leaves behind', async () => {
    const {exec} = installCredentialPlugin(world.sandbox.root, {tokens: world.api.token, leavesBehind: true});
    world.connect({auth: 'none', userFields: {exec}});
    expectBuilt(await world.tiltbuild(BUILD));
    endLeftBehind(world);
  });
});

describeCommand('a reader that closes', (world) => {
  it('standard output is no error', async () => {
    const child = start(world);
    child.stdout.destroy();
    let stderr = '';
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    const [exitCode] = await once(child, 'close');
    expect(exitCode).to.equal(0);
    expect(stderr).not.to.contain('error:');
    expect(world.delegated().exitCode).to.equal(0);
  });
});
