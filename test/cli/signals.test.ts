/** Signals, and readers that close: the build is cancelled, nothing is left, and the exit code names the signal. */
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {expect} from 'chai';
import {describeCommand} from '../helpers/world.ts';

const ARGS = ['-t', 'localhost/web:dev', '--secret', 'id=npm,env=NPM_TOKEN', '.'];
const env = {NPM_TOKEN: 'hunter2'};

describeCommand('a signal', (world) => {
  for (const [signal, exitCode, received] of [
    ['SIGINT', 130, 'SIGINT'],
    ['SIGTERM', 143, 'SIGTERM'],
    // kubectl build cancels on the other two only.
    ['SIGHUP', 129, 'SIGTERM'],
  ] as const) {
    it(`${signal} cancels the build, and ends with ${exitCode}`, async () => {
      world.sandbox.setDelegate('slow');
      const ended = await world.tiltbuild(ARGS, {
        env,
        signalWhen: {stderrContains: 'tick 0', signals: [signal]},
      });
      expect(ended).to.include({exitCode, stdout: ''});
      expect(ended.stderr).to.contain('CANCELED').and.not.contain('error:');
      expect(world.delegated()).to.deep.include({signals: [received], exitCode: 1});
    });
  }

  it('cancels a quiet build as well', async () => {
    world.sandbox.setDelegate('slow');
    const running = world.tiltbuild(['--platform', 'linux/amd64', ...ARGS], {
      env,
      signalWhen: {stderrContains: 'tick 0', signals: ['SIGTERM']},
    });
    expect(await running).to.include({exitCode: 143, stdout: ''});
    expect(world.delegated().signals).to.deep.equal(['SIGTERM']);
  });

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
    const child = spawn(world.program.command, [...world.program.args, ...ARGS], {
      cwd: world.sandbox.work,
      env: {...world.sandbox.env, ...env},
      stdio: 'ignore',
    });
    while (world.api.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    child.kill('SIGINT');
    const [exitCode] = await once(child, 'exit');
    expect(exitCode).to.equal(130);
    expect(world.sandbox.invocations()).to.deep.equal([]);
  });
});

describeCommand('a reader that closes', (world) => {
  it('standard output is no error', async () => {
    const child = spawn(world.program.command, [...world.program.args, '-t', 'localhost/web:dev', '.'], {
      cwd: world.sandbox.work,
      env: world.sandbox.env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
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
