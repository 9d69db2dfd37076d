/** Many builds at once, as Tilt starts them on a fresh cluster, and very long progress. */
import {expect} from 'chai';
import {BUILD, DIGEST, describeCommand, expectBuilt, removeBuilders} from '../helpers/world.ts';

const TAGS = Array.from({length: 8}, (_, index) => `localhost/web-${index}:dev`);

describeCommand('at scale', (world) => {
  it('eight builds at once with no builder make one builder, and each its own result', async () => {
    removeBuilders(world);
    const all = await Promise.all(
      TAGS.map((tag) =>
        world.tiltbuild(['-t', tag, '--secret', 'id=a,env=VALUE', '--print', 'json', '.'], {
          env: {VALUE: tag},
          timeoutMs: 100_000,
        }),
      ),
    );
    for (const [index, {exitCode, stdout, stderr}] of all.entries()) {
      expect(exitCode, stderr).to.equal(0);
      expect(stderr).not.to.contain('error:');
      expect(JSON.parse(stdout)).to.deep.include({digest: DIGEST, references: [TAGS[index]]});
    }
    const notes = all.flatMap(({stderr}) => stderr.match(/^(?:note|warning|error):.*/gm) ?? []);
    expect(notes.filter((note) => note.endsWith('creating one.'))).to.have.length(1);
    for (const note of notes)
      expect(note).to.match(/^note: +(?:there is no|another command is creating the|builder "buildkit"[: ])/);
    const {deployments, configmaps, pods} = world.api.state;
    for (const objects of [deployments, configmaps, pods]) expect(objects).to.have.length(1);
    expect(deployments[0]?.metadata).to.deep.include({name: 'buildkit', generation: 1});
    const methods = new Set(world.api.requests.map(({method}) => method));
    expect([...methods].sort()).to.deep.equal(['GET', 'PATCH', 'POST']);
    const seen = world.sandbox
      .invocations()
      .map(({argv, secrets}) => [argv[argv.indexOf('--tag') + 1], secrets[0]?.content]);
    expect(seen.sort()).to.deep.equal(TAGS.map((tag) => [tag, tag]));
  }).timeout(120_000);

  it('eight builds at once on a builder that is there ask for each fact once, and change nothing', async () => {
    await Promise.all(
      TAGS.map(async (tag) => expectBuilt(await world.tiltbuild(['-t', tag, '.'], {timeoutMs: 100_000}))),
    );
    const asked = new Map<string, number>();
    for (const {method, path} of world.api.requests) {
      const what = `${method} ${path.replace(/\?.*/, '')}`;
      asked.set(what, (asked.get(what) ?? 0) + 1);
    }
    // Pods are watched for as long as the build takes.
    asked.delete('GET /api/v1/namespaces/default/pods');
    expect([...asked.values()]).to.deep.equal([...asked.keys()].map(() => TAGS.length));
    expect([...asked.keys()].filter((what) => !what.startsWith('GET '))).to.deep.equal([
      'POST /apis/authorization.k8s.io/v1/selfsubjectrulesreviews',
    ]);
  }).timeout(120_000);

  it('builds with different settings and no builder make one with the settings of one of them', async () => {
    removeBuilders(world);
    const flags = [[], ['--network', 'host'], [], ['--network', 'host']];
    // The stand-in of the plugin grants no network.
    await Promise.all(flags.map((more) => world.tiltbuild([...more, ...BUILD], {timeoutMs: 100_000})));
    const {deployments, configmaps} = world.api.state;
    expect([deployments.length, configmaps.length]).to.deep.equal([1, 1]);
    const {annotations} = deployments[0]?.spec.template.metadata ?? {};
    const shown = Buffer.from(configmaps[0]?.binaryData['buildkitd.toml'], 'base64').toString();
    expect(shown).to.equal(annotations['kubectl-tiltbuild/buildkitd.toml']);
  }).timeout(120_000);

  for (const [how, flags] of [
    ['shown and watched for the digest', ['--platform', 'linux/amd64']],
    ['held back', ['--quiet']],
  ] as const) {
    it(`200 MB of progress that is ${how} take no more memory`, async function () {
      if (process.platform !== 'linux') this.skip();
      const args = [...flags, ...BUILD];
      const small = await world.tiltbuild(args, {measureMemory: true});
      world.sandbox.setDelegate('floods');
      const options = {measureMemory: true, timeoutMs: 110_000, discardStderr: true};
      const large = await world.tiltbuild(args, options);
      expect(large).to.include({exitCode: 0, stdout: small.stdout});
      // Room for a lazy garbage collector: four times the progress takes 10 MB more.
      expect(large.maxRssKb).to.be.lessThan((small.maxRssKb ?? 0) + 96 * 1024);
    });
  }
});
