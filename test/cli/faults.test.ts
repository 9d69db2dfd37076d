/** Covers what the system denies to a whole command: never a bug's exit code, and never the program's own source. */
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect} from 'chai';
import {describeEngine} from '../helpers/engines.ts';
import {runCommand} from '../helpers/programs.ts';
import {BUILD, describeCommand, type World} from '../helpers/world.ts';

/** Each of the commands, which all print a result. */
const COMMANDS: readonly (readonly string[])[] = [
  BUILD,
  ['--quiet', '--dry-run', ...BUILD],
  ['builder', 'ls'],
  ['doctor'],
  ['--version'],
  ['--help'],
];

/** `script` is run by a shell, in which `"$@"` is the command. */
async function runInShell({program, sandbox}: World, script: string, args: readonly string[]) {
  return await runCommand('/bin/sh', ['-c', script, 'sh', program.command, ...program.args, ...args], {
    env: sandbox.env,
    cwd: sandbox.work,
  });
}

describeCommand('standard streams', (world) => {
  before(function () {
    if (process.platform === 'win32') this.skip();
  });

  for (const args of COMMANDS) {
    it(`are closed in every combination: ${args.join(' ')}`, async () => {
      for (const closed of ['<&-', '>&-', '2>&-', '<&- >&-', '<&- 2>&-', '>&- 2>&-', '<&- >&- 2>&-']) {
        const {exitCode, stdout} = await runInShell(world, `exec "$@" ${closed}`, args);
        // Node puts /dev/null where there is no standard output, and nothing tells it from the user's own.
        const isLost = / ?>&-/.test(closed.replace('2>&-', '')) && world.program.name === 'binary';
        expect(exitCode, closed).to.equal(isLost ? 5 : 0);
        if (!closed.includes(' >&-') && !closed.startsWith('>&-')) expect(stdout).not.to.equal('');
      }
    });
  }

  it('take a note that a slow reader takes late', async () => {
    const slow =
      '{ /usr/bin/head -c 65536 /dev/zero >&2; exec "$@"; } 2>&1 >/dev/null | { /bin/sleep 0.3; /usr/bin/tail -n 1; }';
    const {stdout} = await runInShell(world, slow, ['builder', 'rm', 'buildkit', '--yes']);
    expect(stdout).to.contain('removed builder "buildkit"');
  });
});

describeEngine('a kubectl-build that the system cannot start', 'kubectl-build', ({world}) => {
  /** All of it looks well, but for the loader that it asks for. */
  beforeEach(function () {
    const program = process.platform === 'linux' ? readFileSync('/bin/true').toString('latin1') : '';
    const broken = program.replace(/\/ld-linux/, '/no-linux').replace(/\/ld-musl/, '/no-musl');
    if (broken === program) this.skip();
    writeFileSync(join(world.sandbox.bin, 'kubectl-build'), broken, 'latin1');
  });

  it('is replaced by the builtin engine', async () => {
    const {exitCode, stdout, stderr} = await world.tiltbuild(['--print', 'json', ...BUILD]);
    expect(exitCode, stderr).to.equal(0);
    expect(JSON.parse(stdout)).to.include({engine: 'builtin'});
    expect(stdout).to.contain('kubectl-build cannot be started: it or its interpreter does not exist');
  });

  it('is an error where it was asked for', async () => {
    const {exitCode, stderr} = await world.tiltbuild(['--engine', 'kubectl-build', ...BUILD]);
    expect(exitCode, stderr).to.equal(4);
    expect(stderr).to.match(
      /^error: kubectl build cannot be used: \S.*kubectl-build cannot be started: it or/m,
    );
  });
});

describeCommand('what nothing caught', (world) => {
  for (const [name, fault] of [
    ['an exception', 'throw new Error("boom")'],
    ['a rejection', 'Promise.reject(new Error("boom"))'],
  ] as const) {
    it(`is reported as a bug, without the program's source: ${name}`, async () => {
      world.api.state.delayMs = 20_000;
      // In the middle of the work: once the program listens, while it waits for the API server.
      const code = `process.on('newListener', (name) => name === 'unhandledRejection' && setTimeout(() => { ${fault} }, 300))`;
      const preload = `data:text/javascript,${encodeURIComponent(code)}`;
      const program = join(import.meta.dirname, '..', '..', 'bin', 'kubectl-tiltbuild.js');
      const {env, work: cwd} = world.sandbox;
      const args = ['--import', preload, program, 'builder', 'ls'];
      const {exitCode, stderr} = await runCommand(process.execPath, args, {env, cwd});
      expect(stderr).to.match(
        /^error: kubectl tiltbuild \S+ failed unexpectedly\. This is a bug\.\n {2}Error: boom\n/,
      );
      expect(exitCode).to.equal(70);
    });
  }
});
