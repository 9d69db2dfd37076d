/** Covers what can be missing or broken around a build, and the exit code for each. */
import {existsSync, mkdirSync, readFileSync, renameSync, writeFileSync} from 'node:fs';
import {delimiter, join} from 'node:path';
import {expect} from 'chai';
import {runCommand} from '../helpers/programs.ts';
import {realKubectlDirectory} from '../helpers/real-kubectl.ts';
import {BUILD, DIGEST, describeCommand, expectBuilt, expectRefused} from '../helpers/world.ts';

describeCommand('a build', (world) => {
  const build = (env: Record<string, string | undefined> = {}, ...more: readonly string[]) =>
    world.tiltbuild([...more, ...BUILD], {env});
  const PLUGIN = ['--engine', 'kubectl-build'];

  it('with the engine kubectl-build, but without the plugin, ends with 4, and says how to get it and that it is archived', async () => {
    const ended = await build({PATH: realKubectlDirectory()}, ...PLUGIN);
    expect(ended).to.include({exitCode: 4, stdout: ''});
    expect(ended.stderr)
      .to.contain('PATH has no kubectl-build')
      .and.contain('buildkit-cli-for-kubectl/releases')
      .and.contain('archived');
  });

  it('never runs a kubectl-build from the current directory, also without a PATH', async () => {
    const planted = join(world.sandbox.work, 'kubectl-build');
    writeFileSync(planted, '#!/bin/sh\necho planted >&2\nexit 0\n', {mode: 0o755});
    for (const path of [undefined, '', '.', `${realKubectlDirectory()}${delimiter}${delimiter}`]) {
      const ended = await build({PATH: path}, ...PLUGIN);
      expect(ended.exitCode, JSON.stringify(path)).to.equal(4);
      expect(ended.stderr).not.to.contain('planted');
    }
  });

  it('runs the first executable kubectl-build, from a directory with spaces and non-ASCII letters', async () => {
    const directories = ['not run', 'földer', 'gööd bin'].map((name) => join(world.sandbox.root, name));
    for (const directory of directories) mkdirSync(directory);
    const [broken, folder, good] = directories.map((directory) => join(directory, 'kubectl-build'));
    writeFileSync(broken ?? '', 'not executable', {mode: 0o644});
    mkdirSync(folder ?? '');
    renameSync(join(world.sandbox.bin, 'kubectl-build'), good ?? '');
    const ended = await build({PATH: directories.join(delimiter)});
    expectBuilt(ended);
  });

  it('with a temporary directory that does not exist ends with 4', async () => {
    const ended = await build({TMPDIR: join(world.sandbox.root, 'no')});
    expectRefused(world, ended, 4, 'Cannot write temporary files', 'TMPDIR');
  });

  it('with a full disk under standard output ends with 5, and loses no result', async function () {
    if (!existsSync('/dev/full')) this.skip();
    const {program, sandbox} = world;
    const onto = async (...args: readonly string[]) => {
      const command = ['-c', 'exec "$@" >/dev/full', 'sh', program.command, ...program.args, ...args];
      return await runCommand('/bin/sh', command, {env: sandbox.env, cwd: sandbox.work});
    };
    const ended = await onto('-t', 'localhost/web:dev', '.');
    expect(ended.exitCode).to.equal(5);
    expect(ended.stderr.split('\n').slice(-3)).to.deep.equal([
      'error: Cannot write the result to standard output: the disk is full. The result is:',
      `  ${DIGEST}`,
      '',
    ]);
    expect(await onto('--help')).to.include({exitCode: 5});
  });

  it('without a build context ends with 2', async () => {
    for (const [args, words] of [
      [[], 'The build context is missing'],
      [['Dockerfile'], 'is a file'],
      [['.', 'more'], 'Expected one build context'],
    ] as const) {
      const ended = await world.tiltbuild(['-t', 'localhost/web:dev', ...args]);
      expectRefused(world, ended, 2, words);
    }
    expect(world.api.requests).to.deep.equal([]);
  });

  it('passes a remote context on as it was typed, and masks its password', async () => {
    const url = 'https://me:hunter2@git.example/app.git#main';
    const ended = await world.tiltbuild(['-v', '-t', 'localhost/web:dev', url]);
    expect(ended.exitCode).to.equal(0);
    expect(world.delegated().argv.at(-1)).to.equal(url);
    expect(ended.stderr).not.to.contain('hunter2');
  });
});

describeCommand('a delegate that fails', (world) => {
  for (const [behaviour, exitCode, words] of [
    ['copy-missing', 1, '"/missing": not found'],
    ['no-digest', 5, 'did not report the digest'],
  ] as const) {
    it(`(${behaviour}) ends with ${exitCode}, after its own output`, async () => {
      world.sandbox.setDelegate(behaviour);
      const ended = await world.tiltbuild(BUILD);
      expect(ended).to.include({exitCode, stdout: ''});
      expect(ended.stderr).to.contain(words);
      expect(ended.stderr.indexOf('error: ')).to.be.greaterThan(0);
    });
  }

  it('gives no digest with --platform where its progress has none', async () => {
    world.sandbox.setDelegate('no-digest');
    const ended = await world.tiltbuild(['--platform', 'linux/amd64', ...BUILD]);
    expect(ended).to.include({exitCode: 5, stdout: ''});
  });
});

describeCommand('a result file that cannot be written', (world) => {
  for (const flag of ['--iidfile', '--metadata-file']) {
    it(`(${flag}) is an error before the build where possible`, async () => {
      expectRefused(world, await world.tiltbuild([flag, 'no/such/file', ...BUILD]), 2, flag);
    });

    it(`(${flag}) ends with 5 where the directory is removed during the build`, async () => {
      const directory = join(world.sandbox.work, 'out');
      mkdirSync(directory);
      const delegate = join(world.sandbox.bin, 'kubectl-build');
      const [interpreter, ...rest] = readFileSync(delegate, 'utf8').split('\n');
      const sabotage = `require('node:fs').rmSync(${JSON.stringify(directory)}, {recursive: true});`;
      writeFileSync(delegate, [interpreter, sabotage, ...rest].join('\n'));
      const ended = await world.tiltbuild([flag, 'out/file', ...BUILD]);
      expect(ended).to.include({exitCode: 5, stdout: ''});
      expect(ended.stderr).to.contain('The image was built, but').and.contain(flag);
      expect(existsSync(directory)).to.equal(false);
    });
  }
});
