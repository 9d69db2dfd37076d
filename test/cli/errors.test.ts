/** How the whole program reports errors: known failures, JSON, stacks, and flags under Tilt. */
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect} from 'chai';
import {describeCommand} from '../helpers/world.ts';

describeCommand('a build that fails of something known', (world) => {
  it('is told with the line of the Dockerfile', async () => {
    world.sandbox.setDelegate('syntax-error');
    writeFileSync(join(world.sandbox.work, 'Dockerfile'), 'FROM scratch\nCOPPY a b\n');
    const {stderr} = await world.tiltbuild(['-t', 'localhost/web:1', '.']);
    expect(stderr).to.match(
      /\nerror: The build failed\. Dockerfile, line 2: unknown instruction: COPPY .*\n {2}2 \| COPPY a b\n$/,
    );
  });

  it('is told with the rule that left a file out, also beside --only', async () => {
    world.sandbox.setDelegate('copy-missing');
    writeFileSync(join(world.sandbox.work, 'missing'), '');
    writeFileSync(join(world.sandbox.work, '.dockerignore'), '# nothing\nmissing\n');
    const {stderr} = await world.tiltbuild([
      '--image',
      'localhost/web',
      '--only',
      'index.html',
      '--only',
      'Dockerfile',
      '.',
    ]);
    expect(stderr).to.include('"missing" is in the build context "."');
    expect(stderr).to.include('(.dockerignore, line 2) excludes it');
  });

  it('is told with the pull secret that was used', async () => {
    world.sandbox.setDelegate('push-401');
    const args = ['-t', 'registry.example:5001/app:dev', '--registry-secret=', '--push', '.'];
    const {stderr} = await world.tiltbuild(args);
    expect(stderr).to.include('no pull secret was used').and.include('with --registry-secret');
    expect(stderr).to.include('--docker-server=registry.example:5001 ');
  });
});

describeCommand('a hint that names a flag', (world) => {
  it('names an argument of the Tiltfile where our extension runs the command', async () => {
    const args = ['--image', 'web', '--output', 'out', '.'];
    expect((await world.tiltbuild(args)).stderr).to.include('or with --push for a registry');
    const tilt = await world.tiltbuild(args, {env: {KUBECTL_TILTBUILD_INPUTS: 'x'}});
    expect(tilt.stderr).to.include('or with `kubectl_build(…, push=True)` for a registry');
    expect(tilt.stderr).to.include('error: --image and --output cannot be used together.');
  });
});

describeCommand('an error with --print json', (world) => {
  for (const [args, code, exitCode] of [
    [['--print', 'json', '--nope'], 'usage', 2],
    [['-t', 'web:dev', '--print=json', '.'], 'refused-unqualified-tag', 3],
    [['-t', 'localhost/a:1', '--print', 'json', '.'], 'build-failed', 1],
  ] as const) {
    it(`(${code}) is one object on the last line, with its exit code`, async () => {
      world.sandbox.setDelegate('copy-missing');
      const ended = await world.tiltbuild(args);
      expect(ended).to.include({exitCode, stdout: ''});
      const last = JSON.parse(ended.stderr.trimEnd().split('\n').at(-1) as string);
      expect(last).to.include({code, exitCode});
      expect(last).to.have.all.keys('code', 'message', 'detail', 'remedy', 'exitCode');
    });
  }
});

describeCommand('a stack', (world) => {
  for (const [flag, isShown] of [
    ['-v', false],
    ['-vv', true],
  ] as const) {
    it(`is ${isShown ? '' : 'not '}shown with ${flag}`, async () => {
      const {stderr} = await world.tiltbuild([flag, '-t', 'web:dev', '.']);
      expect(/^ {6}at /m.test(stderr)).to.equal(isShown);
    });
  }
});
