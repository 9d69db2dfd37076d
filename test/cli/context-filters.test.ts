/** Which files of the context are sent, and the source of the Dockerfile: --only, --ignore and --file-env. */
import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect} from 'chai';
import {describeCommand, expectRefused} from '../helpers/world.ts';

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
    const only = ['--only', 'src', '--only', 'package.json'];
    const secret = ['--secret', 'id=s,env=S'];
    const {context, file, content, beside, mode, ignored} = await build([...only, ...secret], {
      env: {S: 's'},
    });
    expect(context).to.equal('.');
    expect(file.startsWith(world.sandbox.tmp)).to.equal(true);
    expect(content).to.equal(DOCKERFILE);
    // The builder can read every file there, so the secret is elsewhere.
    expect(beside).to.deep.equal(['Dockerfile', 'Dockerfile.dockerignore']);
    expect(mode).to.deep.equal([0o600, 0o700]);
    expect(ignored).to.deep.equal(['**', '!src', '!package.json']);
  });

  it("never includes what the ignore file excludes, and prefers the Dockerfile's own ignore file", async () => {
    write('.dockerignore', 'never-read\n');
    write('Dockerfile.dockerignore', 'src/secret\nDockerfile\n');
    const {ignored, content} = await build(['--only', 'src', '--ignore', '**/*_test.go']);
    expect(ignored).to.deep.equal(['**', '!src', 'src/secret', 'src/**/*_test.go']);
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

  it('reads it from there, and from standard input, with a filter', async () => {
    write('.dockerignore', 'a\n');
    const fromVariable = await build(['--file-env', 'D', '--ignore', 'b'], {env: {D: 'FROM a\n'}});
    expect(fromVariable).to.deep.include({content: 'FROM a\n', ignored: ['a', 'b']});
    const args = [...TAG, '--file', '-', '--only', 'src', '.'];
    expect(await world.tiltbuild(args, {stdin: 'FROM b\n'})).to.include({exitCode: 0});
    const {dockerfile} = world.sandbox.invocations()[1] ?? {};
    expect(dockerfile).to.deep.include({content: 'FROM b\n', ignoreFile: '**\n!src\n'});
  });

  it('stages nothing without a filter', async () => {
    expect((await build([])).file).to.equal('Dockerfile');
  });

  for (const [what, args, words] of [
    ['a glob in --only', ['--only', 'src/*.go', '.'], 'src/*.go'],
    ['an invalid line of the ignore file', ['--only', 'src', '.'], '.dockerignore'],
    ['a Dockerfile that does not exist', ['--file', 'no/Dockerfile', '--only', 'src', '.'], 'no/Dockerfile'],
    ['a variable that is not set', ['--file-env', 'NOT_THERE', '.'], 'NOT_THERE is not set'],
    ['a filter of a remote context', ['--only', 'src', 'https://x.example/a.git'], 'needs a local directory'],
  ] as const) {
    it(`refuses ${what}`, async () => {
      write('.dockerignore', words === '.dockerignore' ? 'ok\n!\n' : '');
      expectRefused(world, await world.tiltbuild([...TAG, ...args]), 2, words);
    });
  }
});
