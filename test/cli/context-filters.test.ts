/** Which files of the context are sent, and the source of the Dockerfile: --only, --ignore and --file-env. */
import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect} from 'chai';
import {describeCommand, expectBuilt, expectRefused} from '../helpers/world.ts';

const TAG = ['-t', 'localhost/web:dev'];

describeCommand('a filtered context', (world) => {
  const write = (path: string, text = '') => {
    const whole = join(world.sandbox.work, path);
    mkdirSync(join(whole, '..'), {recursive: true});
    writeFileSync(whole, text);
  };

  it('goes to the plugin as an archive of what --only, --ignore and the ignore file all let through', async () => {
    for (const path of ['src/a', 'src/secret', 'src/b_test.go', 'src/deep/c_test.go', 'other/d']) write(path);
    write('.dockerignore', '# read\nsrc/secret\n');
    const filters = ['--only', 'src', '--only', 'Dockerfile', '--ignore', '**/*_test.go'];
    expectBuilt(await world.tiltbuild([...TAG, ...filters, '.']));
    expect(world.delegated().context).to.deep.equal(['./', 'Dockerfile', 'src/', 'src/a', 'src/deep/']);
  });

  it('is noted if --only names something that is not in it, and built', async () => {
    for (const path of ['src/a', 'gen/b']) write(path);
    write('.dockerignore', 'gen\n');
    const paths = ['./src/', 'srcc', 'gen', 'Dockerfile'].flatMap((path) => ['--only', path]);
    const ended = await world.tiltbuild([...TAG, ...paths, '.']);
    expectBuilt(ended);
    expect(ended.stderr).to.contain('note:  the build context has nothing for --only srcc --only gen:');
    expect((await world.tiltbuild([...TAG, ...paths, '--only', '.', '.'])).stderr).to.not.contain(
      'nothing for',
    );
  });

  it("prefers the Dockerfile's own ignore file, and names the Dockerfile in the archive", async () => {
    for (const path of ['deploy/tmp', 'keep', 'tmp']) write(path);
    write('deploy/Web.Dockerfile', 'FROM busybox\n');
    write('deploy/Web.Dockerfile.dockerignore', '**/tmp\n');
    write('.dockerignore', 'never-read\nkeep\n');
    expectBuilt(await world.tiltbuild([...TAG, '-f', 'deploy/Web.Dockerfile', '.']));
    const {context, dockerfile} = world.delegated();
    expect(dockerfile).to.deep.equal({path: 'deploy/Web.Dockerfile', content: 'FROM busybox\n'});
    expect(context).to.include('keep').and.not.include('tmp').and.not.include('deploy/tmp');
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
