/** Shell completion as it happens: a real kubectl asks our completion program, which asks the stand-in cluster. */
import {expect} from 'chai';
import {addBuilder} from '../helpers/api-server.ts';
import {runViaKubectl} from '../helpers/programs.ts';
import {describeCommand} from '../helpers/world.ts';

describeCommand('completion through kubectl', (world) => {
  before(function () {
    if (world.program.name !== 'binary') this.skip();
  });

  /** The candidates, without their descriptions, and what the shell is to do. */
  async function complete(...words: string[]): Promise<readonly string[]> {
    const {env, work: cwd} = world.sandbox;
    const ended = await runViaKubectl({args: words, before: ['__completeNoDesc'], env, cwd});
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

  it('offers values, and leaves files and directories to the shell', async () => {
    expect(await complete('--print', '')).to.deep.equal(['digest', 'ref', 'json', 'none', ':4']);
    expect(await complete('-f', '')).to.deep.equal([':0']);
    expect(await complete('-t', 'web', '')).to.deep.equal([':16']);
  });

  it('offers the contexts of the kubeconfig', async () => {
    expect(await complete('--context=k')).to.deep.equal(['kind-demo', ':4']);
  });

  it('offers namespaces, builders and pull secrets of the cluster', async () => {
    world.api.state.namespaces.add('web');
    addBuilder(world.api.state, {kind: 'ours', name: 'other'});
    world.api.state.secrets.push({namespace: 'default', name: 'opaque', type: 'Opaque'});
    expect(await completeLive('-n', 'w')).to.deep.equal(['web', ':4']);
    expect(await completeLive('--builder', '')).to.deep.equal(['buildkit', 'other', ':4']);
    expect(await completeLive('builder', 'rm', 'o')).to.deep.equal(['other', ':4']);
    expect(await completeLive('--registry-secret', '')).to.deep.equal(['docker-registry', ':4']);
  });

  it('is silent where the cluster refuses, breaks or does not answer', async () => {
    world.api.state.forbidden.add('namespaces');
    expect(await complete('-n', '')).to.deep.equal([':4']);
    world.api.state.failWith = 'destroy';
    expect(await complete('--builder', '')).to.deep.equal([':4']);
    world.api.state.failWith = undefined;
    // Longer than a test may take.
    world.api.state.delayMs = 300_000;
    expect(await complete('--registry-secret', '')).to.deep.equal([':4']);
  });

  it('is silent without a kubeconfig', async () => {
    world.sandbox.writeKubeconfig('{');
    expect(await complete('--context', '')).to.deep.equal([':4']);
    expect(await complete('--builder', '')).to.deep.equal([':4']);
  });
});
