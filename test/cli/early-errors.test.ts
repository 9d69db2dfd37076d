/** Covers what would fail late in a build, and is one error before anything starts, whichever engine builds. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import {join} from 'node:path';
import {expect} from 'chai';
import {describeEngine, describeEngines} from '../helpers/engines.ts';
import {changes, removeBuilders} from '../helpers/world.ts';

const WEB = ['-t', 'localhost/web:dev'];

describeEngines('before a build', ({world, tiltbuild, ...engines}) => {
  const at = (...path: readonly string[]) => join(world.sandbox.work, ...path);
  beforeEach(() => removeBuilders(world));

  const refuses = async (args: readonly string[], words: string | RegExp, stdin?: string) => {
    const ended = await tiltbuild([...args, ...(args.at(-1) === '-' && args.at(-2) !== '-f' ? [] : ['.'])], {
      stdin,
    });
    expect(ended, ended.stderr).to.include({exitCode: 2, stdout: ''});
    expect(ended.stderr).to.match(new RegExp(words)).and.not.contain('This is a bug');
    expect(ended.stderr.match(/^error: /gm)).to.have.length(1);
    expect({changes: changes(world), names: engines.names()}).to.deep.equal({changes: [], names: []});
  };

  for (const [args, words] of [
    [['--ulimit', 'foo'], 'NAME=SOFT'],
    [['--platform', 'nonsense'], 'OS/ARCH'],
    [['--network', 'foo'], 'default, host or none'],
    [['--shm-size', 'x'], '64m'],
    [['--add-host', 'x'], 'HOST:IP'],
    [['--cache-to', 'type=x'], 'its type is none of registry'],
    [['--build-context', 'x'], 'NAME=PATH'],
    [['-o', 'type=nonsense'], 'its type is none of image'],
    [['-o', 'type=local,dest=index.html'], 'index.html" cannot be written: it is not a directory'],
    [['-o', 'index.html/out'], 'index.html" is not a directory'],
    [['-o', 'type=tar,dest=no/a.tar'], 'there is no directory "no"'],
    [['-o', 'type=oci,dest=folder'], 'it is a directory'],
    [['-f', 'linked'], /symbolic link to ".*outside"[\s\S]*--file/],
  ] as const) {
    it(`refuses ${args.join(' ')}`, async () => {
      mkdirSync(at('folder'));
      writeFileSync(at('..', 'outside'), 'FROM scratch\n');
      symlinkSync('../outside', at('linked'));
      await refuses([...(args[0] === '-o' ? [] : WEB), ...args], words);
    });
  }

  if (process.getuid?.() !== 0) {
    it('refuses an output in a directory that is not writable', async () => {
      mkdirSync(at('locked'));
      chmodSync(at('locked'), 0o500);
      for (const output of ['locked', 'locked/a/b', 'type=tar,dest=locked/a.tar'])
        await refuses(['-o', output], '"locked" is not writable');
    });
  }

  it('names the file that a build without a Dockerfile may have meant', async () => {
    renameSync(at('Dockerfile'), at('Containerfile'));
    await refuses(WEB, 'There is no Dockerfile "Dockerfile"[^]*--file Containerfile');
  });

  it('refuses an empty standard input', async () => {
    await refuses([...WEB, '-'], 'Standard input is empty', '');
    await refuses([...WEB, '-f', '-'], 'Standard input is empty', '');
  });

  it('creates nothing where an output is', async () => {
    await refuses(['-o', 'a/b', '--ulimit', 'foo'], 'NAME=SOFT');
    expect(existsSync(at('a'))).to.equal(false);
    expect(readdirSync(at()).sort()).to.deep.equal(['Dockerfile', 'index.html']);
  });
});

describeEngine('before a build', 'builtin', (engines) => {
  const {world, tiltbuild} = engines;

  for (const [args, words] of [
    [['--build-context', 'base=nowhere'], 'there is no directory "nowhere"'],
    [['--ssh', 'default'], 'SSH_AUTH_SOCK is not set'],
  ] as const) {
    it(`refuses ${args.join(' ')}, and creates no builder`, async () => {
      removeBuilders(world);
      const ended = await tiltbuild([...args, '.']);
      expect(ended, ended.stderr).to.include({exitCode: 2, stdout: ''});
      expect(ended.stderr).to.contain(words);
      expect(changes(world)).to.deep.equal([]);
    });
  }

  it('finds a Dockerfile behind a link within the build context', async () => {
    const {work} = world.sandbox;
    rmSync(join(work, 'Dockerfile'));
    for (const name of ['deploy', 'docker']) mkdirSync(join(work, name));
    writeFileSync(join(work, 'docker', 'Web'), 'FROM scratch\n');
    symlinkSync('../docker/Web', join(work, 'deploy', 'Web'));
    const ended = await tiltbuild([...WEB, '-f', 'deploy/Web', '.']);
    expect(ended.exitCode, ended.stderr).to.equal(0);
    expect(engines.buildkit.solves[0]?.attributes.get('filename')).to.equal('deploy/Web');
  });
});
