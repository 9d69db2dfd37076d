/** Covers whole commands on a real BuildKit that do not come to their end: failures, aborts, and lost connections. */
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {existsSync, rmSync} from 'node:fs';
import {join} from 'node:path';
import {expect} from 'chai';
import {WAYS} from '../helpers/world.ts';
import {BUSYBOX} from './dockerd.ts';
import {
  describeRealBuild,
  type Files,
  NO_NETWORK,
  processesCalled,
  type RealBuild,
  until,
  WITH_SHELL,
} from './real-build.ts';

const dockerfile = (...lines: readonly string[]) => `${lines.join('\n')}\n`;

interface Failing {
  readonly what: string;
  readonly files: Files;
  readonly args?: readonly string[];
  readonly words: RegExp;
  /** Of the Dockerfile. */
  readonly quoted?: string;
}

describeRealBuild('a build that fails on BuildKit', (real) => {
  it('quotes the Dockerfile around the RUN step that failed, and what the step printed last', async () => {
    real.write({
      Dockerfile: dockerfile(...WITH_SHELL, 'RUN echo words of the step >&2; exit 7', 'LABEL after=it'),
      busybox: BUSYBOX,
    });
    const ended = await real.build('failing', ['--iidfile', 'iid', ...NO_NETWORK, '.']);
    expect(ended).to.include({exitCode: 1, stdout: ''});
    expect(ended.stderr).to.contain('words of the step').and.contain('exit code: 7');
    if (real.quotesDockerfile()) {
      const quoted = /Dockerfile:4\n.*2 \|.*\n.*3 \| {5}SHELL.*\n.*4 \| >>> RUN.*\n.*5 \| {5}LABEL/;
      expect(ended.stderr).to.match(quoted);
    }
    expect(ended.stderr.match(/^error: /gm)).to.have.length(1);
    expect(existsSync(join(real.world.sandbox.work, 'iid'))).to.equal(false);
    expect(real.links).to.have.length(1);
  });

  it('shows the progress of a quiet build after all', async () => {
    real.write({Dockerfile: dockerfile(...WITH_SHELL, 'RUN echo words; exit 7'), busybox: BUSYBOX});
    const ended = await real.build('failing', ['--quiet', ...NO_NETWORK, '.']);
    expect(ended).to.include({exitCode: 1, stdout: ''});
    expect(ended.stderr).to.contain('load build definition').and.contain('words');
  });

  for (const {what, files, args = [], words, quoted} of [
    {
      what: 'a syntax error',
      files: {Dockerfile: dockerfile('FROM scratch', 'COPPY a b')},
      words: /unknown instruction: COPPY/i,
      quoted: '2 | COPPY a b',
    },
    {
      what: 'a COPY of what is not there',
      files: {Dockerfile: dockerfile('FROM scratch', 'COPY nothing /')},
      words: /"\/?nothing"/,
    },
    {
      what: 'a COPY of what .dockerignore leaves out',
      files: {Dockerfile: dockerfile('FROM scratch', 'COPY a /'), a: '', '.dockerignore': 'a\n'},
      words: /\.dockerignore/,
    },
    {what: 'an empty Dockerfile', files: {Dockerfile: ''}, words: /Dockerfile/},
    {
      what: 'a stage that does not exist',
      files: {Dockerfile: 'FROM scratch\n'},
      args: ['--target', 'nowhere'],
      words: /stage .*nowhere/,
    },
  ] satisfies readonly Failing[]) {
    it(`says what is wrong, for ${what}`, async () => {
      real.write(files);
      const ended = await real.build('wrong', [...args, '.']);
      expect(ended).to.include({exitCode: 1, stdout: ''});
      expect(ended.stderr).to.match(words).and.not.contain('bug');
      if (quoted !== undefined && real.quotesDockerfile()) expect(ended.stderr).to.contain(quoted);
    });
  }

  it('checks a Dockerfile, or says that this BuildKit cannot', async () => {
    real.write({Dockerfile: 'FROM scratch AS Base\nCOPY index.html /\n', 'index.html': ''});
    const ended = await real.tiltbuild(['--check', '.']);
    // Linting came with BuildKit 0.15, which is in docker 27.
    const old = real.version() < 27;
    expect(ended, ended.stderr).to.include({exitCode: old ? 4 : 1});
    expect(old ? ended.stderr : ended.stdout).to.contain(old ? '# syntax=' : 'StageNameCasing');
    expect(ended.stderr).to.not.contain('This is a bug');
  });

  for (const type of ['local', 'tar']) {
    it(`says before the build that its ${type} output cannot be written`, async () => {
      const dest = join(real.world.sandbox.work, 'index.html', 'out');
      const ended = await real.tiltbuild(['--output', `type=${type},dest=${dest}`, '.']);
      expect(ended).to.include({exitCode: 2, stdout: ''});
      expect(ended.stderr).to.contain('index.html').and.contain('not a directory');
    });
  }
});

/** A step that runs for long, and can be found among the processes of this machine. */
function writeSlow(real: RealBuild, seconds: number): string {
  const sleep = `busybox sleep ${seconds}.0${Math.floor(Math.random() * 1e6)}`;
  real.write({
    Dockerfile: dockerfile(...WITH_SHELL, `RUN echo tick; /bin/${sleep}; echo tock`),
    busybox: BUSYBOX,
  });
  return sleep.replaceAll(' ', '\0');
}

describeRealBuild('an abort in the middle of a RUN step', (real) => {
  for (const [signal, exitCode] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    it(`by ${signal} ends with ${exitCode}, and the step is gone`, async () => {
      const step = writeSlow(real, 3600);
      const ended = await real.build('aborted', [...NO_NETWORK, '.'], {
        signalWhen: {stderrContains: 'tick\n', signals: [signal]},
      });
      expect(ended).to.include({exitCode, stdout: ''});
      expect(ended.stderr).to.not.contain('error:');
      await until(() => processesCalled(step).length === 0);
    });
  }

  it('by SIGINT ends kubectl as well, where the build goes through it', async () => {
    real.world.connect({through: 'kubectl'});
    const step = writeSlow(real, 3600);
    const ended = await real.build('aborted', [...NO_NETWORK, '.'], {
      signalWhen: {stderrContains: 'tick\n', signals: ['SIGINT']},
    });
    expect(ended).to.include({exitCode: 130, stdout: ''});
    await until(() => processesCalled(step).length === 0);
  });

  it('by --timeout ends with 124, and the step is gone', async () => {
    const step = writeSlow(real, 3600);
    const ended = await real.build('late', ['--timeout', '4s', ...NO_NETWORK, '.']);
    expect(ended).to.include({exitCode: 124, stdout: ''});
    expect(ended.stderr).to.contain('tick').and.contain('--timeout');
    await until(() => processesCalled(step).length === 0);
  });

  it('by SIGKILL ends the step too', async () => {
    const step = writeSlow(real, 3600);
    const {program, sandbox} = real.world;
    const args = [
      '-t',
      'localhost/killed:dev',
      '--output',
      'type=moby',
      '--engine',
      'builtin',
      ...NO_NETWORK,
    ];
    const child = spawn(program.command, [...program.args, ...args, '.'], {
      cwd: sandbox.work,
      env: sandbox.env,
      stdio: 'ignore',
    });
    await until(() => processesCalled(step).length > 0);
    child.kill('SIGKILL');
    await once(child, 'exit');
    await until(() => processesCalled(step).length === 0);
    // Nobody was left to remove it.
    for (const name of sandbox.leftovers()) rmSync(join(sandbox.tmp, name), {recursive: true, force: true});
  });
});

describeRealBuild('a BuildKit that is asked whether it builds', (real) => {
  const remove = () => real.tiltbuild(['builder', 'rm', 'buildkit', '--yes']);

  it('says no where it does not, with a history or without one', async () => {
    const ended = await remove();
    expect(ended.exitCode, ended.stderr).to.equal(0);
    expect(real.links).to.have.length(1);
    expect(ended.stderr).not.to.contain('does not say');
  });

  it('says yes in the middle of a step', async function () {
    // The one in docker 20.10 has no history.
    if (real.version() < 24) this.skip();
    writeSlow(real, 20);
    const building = real.build('busy', [...NO_NETWORK, '.']);
    await until(() => real.links[0]?.sent('tick') === true);
    const ended = await remove();
    expect(ended.exitCode, ended.stderr).to.equal(4);
    expect(ended.stderr).to.contain('A build is running on builder "buildkit"');
    expect((await building).exitCode).to.equal(0);
  });
});

describeRealBuild('a connection that is lost in the middle of a build', (real) => {
  const RETRIED = 'Your build did not cause this; retrying once.';

  for (const way of WAYS) {
    it(`is opened once more, and the build succeeds (${way})`, async () => {
      real.world.connect({through: way});
      writeSlow(real, 3);
      const running = real.build('lost', [...NO_NETWORK, '.']);
      await until(() => real.links[0]?.sent('tick') === true);
      real.links[0]?.cut();
      const ended = await running;
      expect(ended.exitCode, ended.stderr).to.equal(0);
      expect(ended.stdout).to.equal(`${real.inspect('lost', '.Id')}\n`);
      expect(ended.stderr).to.contain(RETRIED);
      expect(real.links).to.have.length(2);
    });
  }

  it('is an error where it happens twice', async () => {
    const step = writeSlow(real, 60);
    const running = real.build('lost', [...NO_NETWORK, '.']);
    for (const attempt of [0, 1]) {
      await until(() => real.links[attempt]?.sent('tick') === true);
      real.links[attempt]?.cut();
    }
    const ended = await running;
    expect(ended).to.include({exitCode: 1, stdout: ''});
    expect(ended.stderr.match(/The connection to the builder's pod was lost/g)).to.have.length(2);
    expect(real.links).to.have.length(2);
    await until(() => processesCalled(step).length === 0);
  });

  for (const through of WAYS) {
    it(`is found where no byte goes through any more and nobody says so (${through})`, async () => {
      real.world.connect({through});
      writeSlow(real, 3);
      const running = real.build('stalled', [...NO_NETWORK, '.'], {timeoutMs: 60_000});
      await until(() => real.links[0]?.sent('tick') === true);
      real.links[0]?.stall();
      const ended = await running;
      expect(ended.exitCode, ended.stderr).to.equal(0);
      expect(ended.stderr)
        .to.match(/lost: no answer within \d+ s\./)
        .and.contain(RETRIED);
      expect(real.links).to.have.length(2);
    });
  }

  it('is no loss while a step says nothing for longer than that takes', async () => {
    writeSlow(real, 40);
    expect(await real.build('silent', [...NO_NETWORK, '.'])).to.include({exitCode: 0});
    expect(real.links).to.have.length(1);
  });
});
