/** Build secrets from the environment: kubectl build can read them, nobody else can, and nothing of them stays. */
import {execFileSync} from 'node:child_process';
import {existsSync, writeFileSync} from 'node:fs';
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {expect} from 'chai';
import {installCredentialPlugin} from '../helpers/credential-plugin.ts';
import type {Invocation} from '../helpers/delegate.ts';
import {BUILD, describeCommand, expectRefused} from '../helpers/world.ts';

const VALUE = 'hunter2 with "quotes", commas, $HOME and ünï\nsecond line\n';
const OWN = {mode: 0o600, directoryMode: 0o700};

describeCommand('a build secret', (world) => {
  const build = (secrets: readonly string[], env: Readonly<Record<string, string>> = {}) =>
    world.tiltbuild(['-v', ...secrets.flatMap((secret) => ['--secret', secret]), ...BUILD], {env});

  it('of the environment comes through a file that nobody else can read, one of a file by its absolute path', async () => {
    writeFileSync(join(world.sandbox.work, 'to ken'), 'x');
    const given = ['id=npm,env=NPM_TOKEN', 'id=NPM_TOKEN', 'id=empty,env=NOTHING', '"id=a","src=to ken"'];
    const ended = await build(given, {NPM_TOKEN: VALUE, NOTHING: ''});
    expect(ended.exitCode, ended.stderr).to.equal(0);
    const {argv, secrets} = world.delegated();
    const [npm, bare, empty, file, ...others] = secrets;
    expect(npm).to.include({id: 'npm', content: VALUE, ...OWN});
    expect(bare).to.include({id: 'NPM_TOKEN', content: VALUE, ...OWN});
    expect(empty).to.include({id: 'empty', content: '', ...OWN});
    expect(file).to.include({id: 'a', content: 'x'});
    expect(others).to.deep.equal([]);
    expect(argv).to.include(`id=a,src=${join(world.sandbox.work, 'to ken')}`);
    expect(existsSync(npm?.path ?? '')).to.equal(false);
    expect(JSON.stringify(argv) + ended.stdout + ended.stderr).not.to.contain('hunter2');
  });

  it('of a FIFO is read once, and both passes have it', async function () {
    if (process.platform === 'win32') this.skip();
    const fifo = join(world.sandbox.work, 'fifo');
    execFileSync('mkfifo', [fifo]);
    const written = writeFile(fifo, VALUE);
    const ended = await world.tiltbuild(['--secret', 'id=npm,src=fifo', '--image', 'localhost/web', '.']);
    await written;
    expect(ended.exitCode, ended.stderr).to.equal(0);
    const seen = world.sandbox.invocations().map(({secrets: [secret]}) => secret);
    expect(seen).to.have.length(2);
    for (const secret of seen) expect(secret).to.include({id: 'npm', content: VALUE, ...OWN});
  });

  it('is in no environment of kubectl build, which has it as a file, unless the variable is for something else', async () => {
    const given = {NPM_TOKEN: 'x', ARG: 'x', AWS_SECRET_ACCESS_KEY: 'x'};
    const secrets = [...Object.keys(given), 'HOME'].map((name) => `id=${name},env=${name}`);
    const seen = async (...args: readonly string[]) => {
      const words = [...args, ...secrets.flatMap((secret) => ['--secret', secret]), ...BUILD];
      const ended = await world.tiltbuild(words, {env: given});
      expect(ended.exitCode, ended.stderr).to.equal(0);
      const {env, secrets: files} = world.sandbox.invocations().at(-1) as Invocation;
      expect(files.map(({content}) => content)).to.deep.equal(['x', 'x', 'x', world.sandbox.home]);
      return [...Object.keys(given), 'HOME'].filter((name) => name in env);
    };
    expect(await seen()).to.deep.equal(['HOME']);
    expect(await seen('--build-arg', 'ARG')).to.deep.equal(['ARG', 'HOME']);
    expect(await seen('--cache-from', 'reg/web')).to.deep.equal(['AWS_SECRET_ACCESS_KEY', 'HOME']);
    const {exec} = installCredentialPlugin(world.sandbox.root, {tokens: [world.api.token]});
    world.connect({auth: 'none', userFields: {exec}});
    expect(await seen()).to.deep.equal([...Object.keys(given), 'HOME']);
  });

  it('is removed after a build that fails, too', async () => {
    world.sandbox.setDelegate('run-fails');
    expect((await build(['id=npm,env=NPM_TOKEN'], {NPM_TOKEN: VALUE})).exitCode).to.equal(1);
    expect(world.delegated().secrets[0]?.content).to.equal(VALUE);
  });

  for (const [title, spec, exitCode, words] of [
    ['names a variable that is not set', 'id=npm,env=NPM_TOKEN', 4, 'variable NPM_TOKEN is not set'],
    ['has an unknown key', 'id=a,value=hunter2', 2, 'unknown key'],
  ] as const) {
    it(`that ${title} is an error before any request or program`, async () => {
      const ended = await build([spec]);
      expectRefused(world, ended, exitCode, words);
      expect(ended.stderr).not.to.contain('hunter2');
      expect(world.api.requests).to.deep.equal([]);
    });
  }
});
