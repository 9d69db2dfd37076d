/** Many builds at once, and very long progress. */
import {expect} from 'chai';
import {DIGEST, describeCommand} from '../helpers/world.ts';

describeCommand('at scale', (world) => {
  it('eight builds side by side each give their own result, and leave nothing', async () => {
    const names = Array.from({length: 8}, (_, index) => `localhost/web-${index}:dev`);
    const ended = await Promise.all(
      names.map((name) =>
        world.tiltbuild(['-t', name, '--secret', `id=a,env=VALUE`, '--print', 'json', '.'], {
          env: {VALUE: name},
        }),
      ),
    );
    expect(ended.map(({exitCode}) => exitCode)).to.deep.equal(names.map(() => 0));
    expect(
      ended.map(({stdout}) => JSON.parse(stdout)).map(({digest, references}) => [digest, references]),
    ).to.deep.equal(names.map((name) => [DIGEST, [name]]));
    const seen = world.sandbox
      .invocations()
      .map(({argv, secrets}) => [argv[argv.indexOf('--tag') + 1], secrets[0]?.content]);
    expect(seen.sort()).to.deep.equal(names.map((name) => [name, name]));
  });

  for (const [how, flags] of [
    ['shown', []],
    ['watched for the digest', ['--platform', 'linux/amd64']],
    ['held back', ['--quiet']],
  ] as const) {
    it(`200 MB of progress that is ${how} take no more memory`, async function () {
      if (process.platform !== 'linux') this.skip();
      this.timeout(120_000);
      const args = ['-t', 'localhost/web:dev', ...flags, '.'];
      const small = await world.tiltbuild(args, {measureMemory: true});
      world.sandbox.setDelegate('floods');
      const large = await world.tiltbuild(args, {
        measureMemory: true,
        timeoutMs: 110_000,
        discardStderr: true,
      });
      expect(large).to.include({exitCode: 0, stdout: small.stdout});
      // Room for a lazy garbage collector: four times the progress takes 10 MB more.
      expect(large.maxRssKb).to.be.lessThan((small.maxRssKb ?? 0) + 96 * 1024);
    });
  }
});
