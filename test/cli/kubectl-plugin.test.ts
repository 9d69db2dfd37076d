/** The compiled binary as kubectl's plugin: `kubectl tiltbuild`, found on PATH by a real kubectl. */
import {mkdirSync} from 'node:fs';
import {join} from 'node:path';
import {expect} from 'chai';
import pjson from '../../package.json' with {type: 'json'};
import {commandNames} from '../../src/cli/commands/commands.ts';
import {runCommand, runViaKubectl} from '../helpers/programs.ts';
import {BUILD, describeCommand, expectBuilt} from '../helpers/world.ts';

describeCommand('kubectl tiltbuild', (world) => {
  before(function () {
    if (world.program.name !== 'binary') this.skip();
  });
  const kubectl = (args: readonly string[], cwd = world.sandbox.work) =>
    runViaKubectl({args, cwd, env: world.sandbox.env});

  it('builds, and keeps its exit codes through kubectl', async () => {
    expectBuilt(await kubectl(BUILD));
    expect((await kubectl(['-t', 'web:dev', '.'])).exitCode).to.equal(3);
    expect((await kubectl(['--wat', '.'])).exitCode).to.equal(2);
  });

  it('has help for every command, from an empty directory, with no colour in a pipe', async () => {
    const empty = join(world.sandbox.root, 'empty');
    mkdirSync(empty);
    const own = await kubectl(['--help'], empty);
    expect(own).to.include({exitCode: 0, stderr: ''});
    expect(own.stdout).to.match(
      /^Build an image inside the cluster[\s\S]*\$ kubectl tiltbuild \[flags\] PATH/,
    );
    expect(own.stdout).not.to.contain('\u001b');
    for (const name of commandNames.filter((other) => other !== 'build')) {
      const ended = await runCommand(world.program.command, [...name.split(' '), '-h'], {
        env: {},
        cwd: empty,
      });
      expect(ended, name).to.include({exitCode: 0, stderr: ''});
      expect(ended.stdout, name).to.contain(`$ kubectl tiltbuild ${name} `);
    }
  });

  it('takes flags before and behind the words of a command, as kubectl does', async () => {
    const args = ['-n', 'default', 'builder', '--context', 'kind-demo', 'ls', '-o', 'json'];
    const {exitCode, stdout, stderr} = await kubectl(args);
    expect(exitCode, stderr).to.equal(0);
    expect(stdout).to.include('"buildkit"');
    expect((await kubectl(['-t', 'x', 'builder', 'ls'])).stderr).to.match(
      /^error: --tag is not a flag of kubectl tiltbuild builder ls\.\n/,
    );
  });

  it('shows its version and commit, and what it works with', async () => {
    const ended = await kubectl(['--version']);
    expect(ended).to.include({exitCode: 0, stderr: ''});
    const [own, ...others] = ended.stdout.trim().split('\n');
    expect(own).to.match(/^kubectl-tiltbuild \d+\.\d+\.\d+ \((?:[0-9a-f]{12}(?:-dirty)?|unknown)\)$/);
    expect(own?.startsWith(`kubectl-tiltbuild ${pjson.version} `)).to.equal(true);
    expect(others.map((line) => line.split(/\s+/)[0])).to.deep.equal([
      'builtin',
      'kubectl-build',
      'kubectl',
      'runtime',
    ]);
    expect(others.at(-1)).to.match(/^runtime +Bun \d/);
  });
});
