/** The compiled binary as kubectl's plugin: `kubectl tiltbuild`, found on PATH by a real kubectl. */
import {mkdirSync} from 'node:fs';
import {join} from 'node:path';
import {expect} from 'chai';
import pjson from '../../package.json' with {type: 'json'};
import {commandNames} from '../../src/cli/commands/commands.ts';
import {type ApiServer, builderDeployment, startApiServer} from '../helpers/api-server.ts';
import {program, runCommand, runViaKubectl} from '../helpers/programs.ts';
import {makeSandbox, type Sandbox} from '../helpers/sandbox.ts';
import {BUILD, DIGEST, KIND_NAMES} from '../helpers/world.ts';

(program.name === 'binary' ? describe : describe.skip)('kubectl tiltbuild', () => {
  let api: ApiServer;
  let sandbox: Sandbox;
  beforeEach(async () => {
    [api, sandbox] = await Promise.all([startApiServer(), makeSandbox()]);
    api.state.deployments.push(builderDeployment());
    sandbox.writeKubeconfig(api.kubeconfig({auth: 'token', names: KIND_NAMES, directory: sandbox.root}));
  });
  afterEach(async () => {
    sandbox.remove();
    await api.close();
  });
  const kubectl = (args: readonly string[], cwd = sandbox.work) =>
    runViaKubectl({args, cwd, env: {...sandbox.env}});

  it('builds, and keeps its exit codes through kubectl', async () => {
    expect(await kubectl(BUILD)).to.include({exitCode: 0, stdout: `${DIGEST}\n`});
    expect((await kubectl(['-t', 'web:dev', '.'])).exitCode).to.equal(3);
    expect((await kubectl(['--wat', '.'])).exitCode).to.equal(2);
  });

  it('has help for every command, from an empty directory, with no colour in a pipe', async () => {
    const empty = join(sandbox.root, 'empty');
    mkdirSync(empty);
    const own = await kubectl(['--help'], empty);
    expect(own).to.include({exitCode: 0, stderr: ''});
    expect(own.stdout).to.match(
      /^Build an image inside the cluster[\s\S]*\$ kubectl tiltbuild \[flags\] PATH/,
    );
    expect(own.stdout).not.to.contain('\u001b');
    for (const name of commandNames.filter((other) => other !== 'build')) {
      const ended = await runCommand(program.command, [...name.split(' '), '-h'], {env: {}, cwd: empty});
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
    expect(others.map((line) => line.split(/\s+/)[0])).to.deep.equal(['kubectl-build', 'kubectl', 'runtime']);
    expect(others.at(-1)).to.match(/^runtime +Bun \d/);
  });
});
