/** Shell completion as it happens: a real kubectl asks our completion program, which asks the stand-in cluster. */
import {delimiter, join} from 'node:path';
import {expect} from 'chai';
import {type ApiServer, addBuilder, startApiServer} from '../helpers/api-server.ts';
import {program, runCommand} from '../helpers/programs.ts';
import {realKubectlDirectory} from '../helpers/real-kubectl.ts';
import {makeSandbox, type Sandbox} from '../helpers/sandbox.ts';
import {furnish, KIND_NAMES} from '../helpers/world.ts';

const distribution = join(import.meta.dirname, '..', '..', 'dist');

(program.name === 'binary' ? describe : describe.skip)('completion through kubectl', () => {
  let api: ApiServer;
  let sandbox: Sandbox;
  beforeEach(async () => {
    [api, sandbox] = await Promise.all([startApiServer(), makeSandbox()]);
    furnish(api);
    sandbox.writeKubeconfig(
      api.kubeconfig({auth: 'certificate', names: KIND_NAMES, directory: sandbox.root}),
    );
  });
  afterEach(async () => {
    const leftovers = sandbox.leftovers();
    sandbox.remove();
    await api.close();
    expect(leftovers, 'left in the temporary directory').to.deep.equal([]);
  });

  /** The candidates, without their descriptions, and what the shell is to do. */
  async function complete(...words: string[]): Promise<readonly string[]> {
    const ended = await runCommand(
      join(realKubectlDirectory(), 'kubectl'),
      ['__completeNoDesc', 'tiltbuild', ...words],
      {
        env: {...sandbox.env, PATH: [distribution, sandbox.env.PATH].join(delimiter)},
        cwd: sandbox.work,
      },
    );
    expect(ended.exitCode).to.equal(0);
    // What kubectl itself says of it; the program adds nothing.
    const said = ended.stderr.split('\n').filter((line) => !/^(?:\[Debug\]|Completion ended)/.test(line));
    expect(said.join('')).to.equal('');
    return ended.stdout.trim().split('\n');
  }

  /** On a busy machine the cluster may answer later than completion waits; asked again, it has its chance. */
  async function completeLive(...words: string[]): Promise<readonly string[]> {
    let answer = await complete(...words);
    for (let tries = 1; tries < 15 && answer.length === 1; tries += 1) answer = await complete(...words);
    return answer;
  }

  it('offers flags, values and commands', async () => {
    expect(await complete('--compr')).to.deep.equal(['--compression', ':4']);
    expect(await complete('--print', '')).to.deep.equal(['digest', 'ref', 'json', 'none', ':4']);
    expect(await complete('builder', 'l')).to.deep.equal(['logs', 'ls', ':4']);
  });

  it('leaves files and directories to the shell', async () => {
    expect(await complete('-f', '')).to.deep.equal([':0']);
    expect(await complete('-t', 'web', '')).to.deep.equal([':16']);
  });

  it('offers the contexts of the kubeconfig', async () => {
    expect(await complete('--context', '')).to.deep.equal(['kind-demo', ':4']);
    expect(await complete('--context=k')).to.deep.equal(['kind-demo', ':4']);
  });

  it('offers namespaces, builders and pull secrets of the cluster', async () => {
    api.state.namespaces.add('web');
    addBuilder(api.state, {kind: 'ours', name: 'other'});
    api.state.secrets.push({namespace: 'default', name: 'opaque', type: 'Opaque'});
    expect(await completeLive('-n', 'w')).to.deep.equal(['web', ':4']);
    expect(await completeLive('--builder', '')).to.deep.equal(['buildkit', 'other', ':4']);
    expect(await completeLive('builder', 'rm', 'o')).to.deep.equal(['other', ':4']);
    expect(await completeLive('--registry-secret', '')).to.deep.equal(['docker-registry', ':4']);
  });

  it('is silent where the cluster refuses, breaks or does not answer', async () => {
    api.state.forbidden.add('namespaces');
    expect(await complete('-n', '')).to.deep.equal([':4']);
    api.state.failWith = 'destroy';
    expect(await complete('--builder', '')).to.deep.equal([':4']);
    api.state.failWith = undefined;
    // Longer than a test may take.
    api.state.delayMs = 300_000;
    expect(await complete('--builder', '')).to.deep.equal([':4']);
    expect(await complete('--registry-secret', '')).to.deep.equal([':4']);
  });

  it('is silent without a kubeconfig', async () => {
    sandbox.writeKubeconfig('{');
    expect(await complete('--context', '')).to.deep.equal([':4']);
    expect(await complete('--builder', '')).to.deep.equal([':4']);
  });
});
