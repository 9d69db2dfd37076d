/** Covers what a terminal shows (colour, line width, a closing line), and that a pipe gets the result whole. */
import {expect} from 'chai';
import {serveBuildkit} from '../helpers/engines.ts';
import {hasTerminal, runOnTerminal} from '../helpers/on-terminal.ts';
import {runCommand} from '../helpers/programs.ts';
import {BUILD, describeCommand, type World} from '../helpers/world.ts';

const ESCAPE = '\u001b';
const STATUS = new RegExp(`\\r${ESCAPE}\\[K(?:waiting for [^\\r\\n]*)?`, 'g');

/** Runs the program on a terminal of 60 columns. */
async function runOnNarrowTerminal(
  {program, sandbox}: World,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  /** Typed once a question is there. */
  keys?: string,
) {
  const ended = await runOnTerminal([program.command, ...program.args, ...args], {
    columns: 60,
    env: {...sandbox.env, ...env},
    cwd: sandbox.work,
    ...(keys !== undefined && {typedAt: {stdoutContains: '[y/N]', keys}}),
  });
  // The line that shows a wait appears only on a slow machine.
  const text = ended.stdout.replaceAll('\r\n', '\n').replaceAll(STATUS, '');
  return {exitCode: ended.exitCode, text};
}

describeCommand('on a terminal', (world) => {
  before(function () {
    if (!hasTerminal) this.skip();
  });

  it('a build ends with the result and a line about it', async () => {
    const {exitCode, text} = await runOnNarrowTerminal(world, BUILD);
    expect(exitCode, text).to.equal(0);
    const [digest, done = ''] = text.trimEnd().split('\n').slice(-2);
    expect(digest).to.match(/^sha256:24cda528986e\w+$/);
    expect(done.replace(/[\d.]+ s$/, 'N s')).to.equal(
      `${ESCAPE}[32mdone:${ESCAPE}[0m  built localhost/web:dev (sha256:24cda528986e) in N s`,
    );
  });

  it('a failed build ends with its duration', async () => {
    world.sandbox.setDelegate('run-fails');
    const {exitCode, text} = await runOnNarrowTerminal(world, BUILD, {NO_COLOR: '1'});
    expect(exitCode, text).to.equal(1);
    expect(text).to.match(
      /\nerror: The build failed: kubectl build exited with 1\.[\s\S]*\nfailed: after [\d.]+ s\n$/,
    );
  });

  it('a build by the plugin has a live view, and what is known of its failure', async () => {
    world.sandbox.setDelegate('copy-missing');
    const {exitCode, text} = await runOnNarrowTerminal(world, BUILD);
    expect(exitCode, text).to.equal(1);
    expect(text).to.match(/ => ERROR \[.*COPY /);
    expect(text.match(/^Error: /gm), text).to.have.length(1);
    expect(text).to.contain('There is no').and.not.match(/^#\d/m);
    expect(world.delegated().terminal).to.include({stderr: false});
  });

  it('a build by the plugin with --progress tty has the view of the plugin', async () => {
    const {exitCode, text} = await runOnNarrowTerminal(world, ['--progress', 'tty', ...BUILD]);
    expect(exitCode, text).to.equal(0);
    expect(world.delegated().terminal).to.include({stderr: true});
  });

  it('a build with --quiet prints the result alone', async () => {
    const {text} = await runOnNarrowTerminal(world, ['-q', ...BUILD]);
    expect(text).to.match(/^sha256:\w+\n$/);
  });

  it('the question before a builder is removed says that a build is running on it', async () => {
    Object.assign(serveBuildkit(world), {otherBuilds: 1});
    const {exitCode, text} = await runOnNarrowTerminal(world, ['builder', 'rm', 'buildkit'], {}, 'y\n');
    expect(exitCode, text).to.equal(0);
    expect(text).to.contain('A build is running on it. Remove the builder "buildkit"');
  });

  for (const [name, keys, exitCode] of [
    ['y', 'y\n', 0],
    ['n', 'n\n', 2],
    ['Ctrl-D', '\u0004', 2],
    ['Ctrl-C', '\u0003', 130],
  ] as const) {
    it(`a question that is answered with ${name} ends with ${exitCode}`, async () => {
      const ended = await runOnNarrowTerminal(world, ['builder', 'rm', 'buildkit'], {}, keys);
      expect(ended.exitCode, ended.text).to.equal(exitCode);
      expect(world.api.state.deployments).to.have.length(exitCode === 0 ? 0 : 1);
      expect(ended.text).not.to.contain('This is a bug');
    });
  }

  it('an archive is not written to it', async () => {
    const {exitCode, text} = await runOnNarrowTerminal(world, ['-o', 'type=oci', '.'], {NO_COLOR: '1'});
    expect(exitCode, text).to.equal(2);
    expect(text).to.contain('which is a').and.not.contain('load build definition');
  });

  it('an error is wrapped to its width', async () => {
    const {exitCode, text} = await runOnNarrowTerminal(world, ['-t', 'web:dev', '.'], {NO_COLOR: '1'});
    expect(exitCode, text).to.equal(3);
    for (const line of text.split('\n')) expect(line.length).to.be.at.most(60);
    expect(text).to.match(/^error: .*\n {7}\S/);
  });
});

describeCommand('a result of a megabyte', (world) => {
  before(function () {
    if (process.platform === 'win32') this.skip();
  });

  const args = ['--dry-run', ...BUILD];
  for (let index = 0; index < 10; index += 1) args.push('--build-arg', `A${index}=${'ü'.repeat(50_000)}`);

  async function pipeInto(reader: string) {
    const {program, sandbox} = world;
    const script = `{ "$@"; echo "exit code $?" >&2; } | ${reader}`;
    const command = ['-c', script, 'sh', program.command, ...program.args, ...args];
    return await runCommand('/bin/sh', command, {env: sandbox.env, cwd: sandbox.work});
  }

  it('reaches a slow reader whole', async () => {
    const {stdout, stderr} = await pipeInto('{ /bin/sleep 1; /bin/cat; }');
    expect(stderr).to.equal('exit code 0\n');
    expect(stdout.match(/ü/g)).to.have.length(500_000);
    expect(stdout.endsWith('\n')).to.equal(true);
  });

  it('is no error where nobody reads it', async () => {
    expect((await pipeInto(':')).stderr).to.equal('exit code 0\n');
  });
});
