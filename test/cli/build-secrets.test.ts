/** Build secrets from the environment: kubectl build can read them, nobody else can, and nothing of them stays. */
import {existsSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect} from 'chai';
import {describeCommand} from '../helpers/world.ts';

const VALUE = 'hunter2 with "quotes", commas, $HOME and ünï\nsecond line\n';

describeCommand('a build secret', (world) => {
  const build = (secret: string, env: Record<string, string> = {}) =>
    world.tiltbuild(['-v', '-t', 'localhost/web:dev', '--secret', secret, '.'], {env});

  for (const [form, spec] of [
    ['env=', 'id=npm,env=NPM_TOKEN'],
    ['type=env with src=', 'type=env,id=npm,src=NPM_TOKEN'],
    ['type=env with the id alone', 'type=env,id=NPM_TOKEN'],
    ['the bare id', 'id=NPM_TOKEN'],
  ] as const) {
    it(`comes from the environment by ${form}, through a file that nobody else can read`, async () => {
      const ended = await build(spec, {NPM_TOKEN: VALUE});
      expect(ended.exitCode).to.equal(0);
      const {argv, secrets} = world.delegated();
      expect(secrets).to.have.length(1);
      expect(secrets[0]).to.include({
        id: spec.includes('id=npm') ? 'npm' : 'NPM_TOKEN',
        content: VALUE,
        mode: 0o600,
        directoryMode: 0o700,
      });
      expect(existsSync(secrets[0]?.path ?? '')).to.equal(false);
      expect(JSON.stringify(argv) + ended.stdout + ended.stderr).not.to.contain('hunter2');
    });
  }

  it('from a file is passed on as typed', async () => {
    writeFileSync(join(world.sandbox.work, 'to ken'), 'x');
    expect((await build('"id=a","src=to ken"')).exitCode).to.equal(0);
    expect(world.delegated().argv).to.include('"id=a","src=to ken"');
  });

  it('is removed after a build that fails, too', async () => {
    world.sandbox.setDelegate('run-fails');
    expect((await build('id=npm,env=NPM_TOKEN', {NPM_TOKEN: VALUE})).exitCode).to.equal(1);
    expect(world.delegated().secrets[0]?.content).to.equal(VALUE);
  });

  it('may be empty', async () => {
    expect((await build('id=npm,env=NPM_TOKEN', {NPM_TOKEN: ''})).exitCode).to.equal(0);
    expect(world.delegated().secrets[0]?.content).to.equal('');
  });

  for (const [title, spec, exitCode, words] of [
    ['names a variable that is not set', 'id=npm,env=NPM_TOKEN', 4, 'variable NPM_TOKEN is not set'],
    ['names a file that does not exist', 'id=npm,src=nope', 4, 'there is no file "nope"'],
    ['names neither a variable nor a file', 'id=NPM_TOKEN', 4, 'no environment variable and no file named'],
    ['has no id', 'src=Dockerfile', 2, 'id= is missing'],
    ['has an unknown key', 'id=a,value=hunter2', 2, 'unknown key'],
  ] as const) {
    it(`that ${title} is an error before any request or program`, async () => {
      const ended = await build(spec);
      expect(ended).to.include({exitCode, stdout: ''});
      expect(ended.stderr).to.contain(words).and.not.contain('hunter2');
      expect(world.api.requests).to.deep.equal([]);
      expect(world.sandbox.invocations()).to.deep.equal([]);
    });
  }
});
