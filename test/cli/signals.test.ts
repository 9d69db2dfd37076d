/** Signals, and readers that close: the build is cancelled, nothing is left, and the exit code names the signal. */
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {expect} from 'chai';
import {BUILD, describeCommand, type World} from '../helpers/world.ts';

const ARGS = ['--secret', 'id=npm,env=NPM_TOKEN', ...BUILD];
const env = {NPM_TOKEN: 'hunter2'};

const start = ({program, sandbox}: World) =>
  spawn(program.command, [...program.args, ...ARGS], {
    cwd: sandbox.work,
    env: {...sandbox.env, ...env},
    stdio: ['ignore', 'pipe', 'pipe'],
  });

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
    expect(() => process.kill(pid, 0)).to.throw('ESRCH');
  });

  it('ends the wait for an API server that does not answer', async () => {
    world.api.state.delayMs = 20_000;
    const child = start(world);
    while (world.api.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    child.kill('SIGINT');
    const [exitCode] = await once(child, 'exit');
    expect(exitCode).to.equal(130);
    expect(world.sandbox.invocations()).to.deep.equal([]);
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
