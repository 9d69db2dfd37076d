/** Which files of the context are sent, and the source of the Dockerfile: --only, --ignore and --file-env. */
import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect} from 'chai';
import {describeCommand} from '../helpers/world.ts';

const DOCKERFILE = 'FROM scratch\nCOPY index.html /www/index.html\n';
const TAG = ['-t', 'localhost/web:dev'];

describeCommand('a filtered context', (world) => {
  const write = (path: string, text: string) => {
    const whole = join(world.sandbox.work, path);
    mkdirSync(join(whole, '..'), {recursive: true});
    writeFileSync(whole, text);
  };
  /** Builds, and gives the Dockerfile that the delegate read, with the lines of the ignore file beside it. */
  const build = async (args: readonly string[], options: Parameters<typeof world.tiltbuild>[1] = {}) => {
    const ended = await world.tiltbuild([...TAG, ...args, '.'], options);
    expect(ended, ended.stderr).to.include({exitCode: 0});
    const {dockerfile, argv} = world.delegated();
    return {
      context: argv.at(-1),
      file: dockerfile?.path ?? '',
      name: dockerfile?.path.split('/').at(-1),
      content: dockerfile?.content,
      beside: dockerfile?.directoryFiles,
      mode: [dockerfile?.mode, dockerfile?.directoryMode],
      ignored: dockerfile?.ignoreFile?.trimEnd().split('\n'),
    };
  };

  it('sends only the paths of --only', async () => {
    const {context, file, content, beside, mode, ignored} = await build([
      '--only',
      'src',
      '--only',
      'package.json',
    ]);
    expect(context).to.equal('.');
    expect(file.startsWith(world.sandbox.tmp)).to.equal(true);
    expect(content).to.equal(DOCKERFILE);
    // The builder can read every file there.
    expect(beside).to.deep.equal(['Dockerfile', 'Dockerfile.dockerignore']);
    expect(mode).to.deep.equal([0o600, 0o700]);
    expect(ignored).to.deep.equal(['**', '!src', '!package.json']);
  });

  it('excludes files that match --ignore, besides those of the ignore file', async () => {
    write('.dockerignore', '# ours\nnode_modules\n*.log\n');
    const {ignored} = await build(['--ignore', '**/*_test.go', '--ignore', 'docs']);
    expect(ignored).to.deep.equal(['node_modules', '*.log', '**/*_test.go', 'docs']);
  });

  it("never includes what the ignore file excludes, and prefers the Dockerfile's own ignore file", async () => {
    write('.dockerignore', 'never-read\n');
    write('Dockerfile.dockerignore', 'src/secret\nDockerfile\n');
    const {ignored, content} = await build(['--only', 'src']);
    expect(ignored).to.deep.equal(['**', '!src', 'src/secret']);
    // The ignore file excludes the Dockerfile from the context, and the build uses it all the same.
    expect(content).to.equal(DOCKERFILE);
  });

  it('reads a Dockerfile elsewhere, with its own ignore file, and keeps its name for the messages of BuildKit', async () => {
    write('deploy/Web.Dockerfile', 'FROM busybox\n');
    write('deploy/Web.Dockerfile.dockerignore', 'tmp\n');
    write('.dockerignore', 'never-read\n');
    const {name, content, beside, ignored} = await build(['-f', 'deploy/Web.Dockerfile', '--ignore', 'x']);
    expect({name, content}).to.deep.equal({name: 'Web.Dockerfile', content: 'FROM busybox\n'});
    expect(beside).to.deep.equal(['Web.Dockerfile', 'Web.Dockerfile.dockerignore']);
    expect(ignored).to.deep.equal(['tmp', 'x']);
  });

  it('reads the Dockerfile from the environment', async () => {
    const text = 'FROM busybox\nRUN echo \'$HOME\' "%PATH%" && true\n';
    const {name, content, ignored} = await build(['--file-env', 'MY_DOCKERFILE'], {
      env: {MY_DOCKERFILE: text},
    });
    expect({name, content, ignored}).to.deep.equal({name: 'Dockerfile', content: text, ignored: undefined});
  });

  it('reads it from there with a filter', async () => {
    write('.dockerignore', 'a\n');
    const fromVariable = await build(['--file-env', 'D', '--ignore', 'b'], {env: {D: 'FROM a\n'}});
    expect(fromVariable).to.deep.include({content: 'FROM a\n', ignored: ['a', 'b']});
  });

  it('reads it from standard input with a filter', async () => {
    const fromInput = await build(['--file', '-', '--only', 'src'], {stdin: 'FROM b\n'});
    expect(fromInput).to.deep.include({content: 'FROM b\n', ignored: ['**', '!src']});
  });

  it('stages nothing without a filter', async () => {
    expect((await build([])).file).to.equal('Dockerfile');
  });

  for (const [what, args, words, prepare] of [
    ['a glob in --only', ['--only', 'src/*.go'], 'src/*.go', undefined],
    ['an --only outside the context', ['--only', '../other'], '../other', undefined],
    ['an invalid pattern', ['--ignore', 'a['], 'a[', undefined],
    [
      'an invalid line of the ignore file',
      ['--only', 'src'],
      '.dockerignore',
      () => write('.dockerignore', 'ok\n!\n'),
    ],
    [
      'a Dockerfile that does not exist',
      ['--file', 'no/Dockerfile', '--only', 'src'],
      'no/Dockerfile',
      undefined,
    ],
    ['a variable that is not set', ['--file-env', 'NOT_THERE'], 'NOT_THERE is not set', undefined],
    ['two Dockerfiles', ['--file-env', 'D', '--file', 'Dockerfile'], 'cannot be used together', undefined],
  ] as const) {
    it(`refuses ${what}`, async () => {
      prepare?.();
      const ended = await world.tiltbuild([...TAG, ...args, '.']);
      expect(ended).to.include({exitCode: 2, stdout: ''});
      expect(ended.stderr).to.contain(words);
      expect(world.sandbox.invocations()).to.deep.equal([]);
    });
  }

  it('refuses a filter of a context that is no local directory', async () => {
    for (const context of ['-', 'https://example.com/me/web.git']) {
      const ended = await world.tiltbuild([...TAG, '--only', 'src', context]);
      expect(ended).to.include({exitCode: 2});
      expect(ended.stderr).to.contain('--only needs a local directory as the build context');
    }
  });
});
