/** Many builds at once with no builder, as Tilt starts them on a fresh cluster: one builder, all images, no error. */
import {expect} from 'chai';
import {DIGEST, describeCommand} from '../helpers/world.ts';

const TAGS = Array.from({length: 8}, (_, index) => `localhost/web-${index}:dev`);

describeCommand('eight builds at once with no builder', (world) => {
  it('make one builder and eight images', async () => {
    Object.assign(world.api.state, {deployments: [], configmaps: [], pods: []});
    const all = await Promise.all(TAGS.map((tag) => world.tiltbuild(['-t', tag, '.'], {timeoutMs: 100_000})));
    for (const ended of all) {
      expect(ended, ended.stderr).to.include({exitCode: 0, stdout: `${DIGEST}\n`});
      expect(ended.stderr).not.to.contain('error:');
    }
    const {deployments, configmaps, pods} = world.api.state;
    for (const objects of [deployments, configmaps, pods]) expect(objects).to.have.length(1);
    expect(deployments[0]?.metadata).to.deep.include({name: 'buildkit', generation: 1});
    const tags = world.sandbox.invocations().map(({argv}) => argv[argv.indexOf('--tag') + 1]);
    expect(tags.sort()).to.deep.equal(TAGS);
    const methods = new Set(world.api.requests.map(({method}) => method));
    expect([...methods].sort()).to.deep.equal(['GET', 'PATCH', 'POST']);
  }).timeout(120_000);
});
