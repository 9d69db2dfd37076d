/** The compiled binary as kubectl's plugin: `kubectl tiltbuild`, found on PATH by a real kubectl. */
import {mkdirSync} from 'node:fs';
import {join} from 'node:path';
import {expect} from 'chai';
import pjson from '../../package.json' with {type: 'json'};
import {commands} from '../../src/cli/help/oclif-lines.ts';
import {type ApiServer, builderDeployment, startApiServer} from '../helpers/api-server.ts';
import {program, runViaKubectl} from '../helpers/programs.ts';
import {makeSandbox, type Sandbox} from '../helpers/sandbox.ts';
import {DIGEST, KIND_NAMES} from '../helpers/world.ts';

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

  it('builds', async () => {
    expect(await kubectl(['-t', 'localhost/web:dev', '.'])).to.include({exitCode: 0, stdout: `${DIGEST}\n`});
  });

  it('keeps its exit codes through kubectl', async () => {
    expect((await kubectl(['-t', 'web:dev', '.'])).exitCode).to.equal(3);
    expect((await kubectl(['--wat', '.'])).exitCode).to.equal(2);
  });

  it('shows help that says kubectl tiltbuild, from an empty directory, with no colour in a pipe', async () => {
    const empty = join(sandbox.root, 'empty');
    mkdirSync(empty);
    const ended = await kubectl(['--help'], empty);
    expect(ended).to.include({exitCode: 0, stderr: ''});
    expect(ended.stdout)
      .to.match(/^Build an image inside the cluster/)
      .and.contain('$ kubectl tiltbuild [flags] PATH');
    expect(ended.stdout).not.to.contain('\u001b');
    expect(await kubectl(['-h'], empty)).to.include({stdout: ended.stdout});
  });

  it('has help for every command, without a file around it', async () => {
    const empty = join(sandbox.root, 'empty');
    mkdirSync(empty);
    for (const id of [...Object.keys(commands).filter((name) => name !== 'build'), 'builder']) {
      const ended = await kubectl([...id.split(':'), '--help'], empty);
      expect(ended, id).to.include({exitCode: 0, stderr: ''});
      expect(ended.stdout, id).to.contain(`kubectl tiltbuild ${id.replace(':', ' ')}`);
    }
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
