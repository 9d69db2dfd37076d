/** Covers the passes of a build that tags an image by its digest. */
import {expect} from 'chai';
import {TiltbuildError} from '../../../src/errors.ts';
import {DEFAULT_TAG_FORM} from '../../../src/image/content-tag.ts';
import {parseTags, qualifyTags} from '../../../src/image/qualification.ts';
import {parseReference} from '../../../src/image/reference.ts';
import {type BuildPass, buildInPasses} from '../../../src/image-build/build-passes.ts';
import type {BuildRequest} from '../../../src/image-build/build-request.ts';
import {buildRequest} from '../builder/builder-world.ts';

const digest = (digit: string) => `sha256:${digit.repeat(64)}`;
const tagged = (digit: string) => `docker.io/library/web:tilt-${digit.repeat(16)}`;
const NAME = {name: 'web', reference: parseReference('web'), tagForm: DEFAULT_TAG_FORM};
const TAGS = qualifyTags(parseTags(['localhost/web:dev']), {refuseUnqualified: false, qualify: false});

/** `digests`: what the passes give, one after the other. */
function passes(
  digests: readonly (string | undefined)[],
  request: Partial<BuildRequest> = {},
  {tags = [] as typeof TAGS, there = [] as readonly string[]} = {},
) {
  const run: BuildPass[] = [];
  const asked: string[] = [];
  const result = buildInPasses(buildRequest({contentName: NAME, ...request}), tags, {
    run: async (pass) => {
      run.push(pass);
      return digests[run.length - 1];
    },
    isThere: async (canonical) => {
      asked.push(canonical);
      return there.includes(canonical);
    },
  });
  const names = () => run.map((pass) => pass.tags.map(({canonical}) => canonical));
  return {result, run, asked, names};
}

describe('buildInPasses', () => {
  it('builds once without a content name', async () => {
    const {result, run, asked} = passes([digest('1')], {contentName: undefined, push: true}, {tags: TAGS});
    expect(await result).to.deep.equal({digest: digest('1')});
    expect(run).to.have.length(1);
    expect(run[0]).to.deep.include({tags: TAGS});
    expect(run[0]?.request.push).to.equal(true);
    expect(asked).to.deep.equal([]);
  });

  it('builds without a tag, and again with the tag from the digest', async () => {
    const {result, names} = passes([digest('1'), digest('1')]);
    expect(await result).to.deep.equal({
      digest: digest('1'),
      named: {reference: `web:tilt-${'1'.repeat(16)}`, canonical: tagged('1')},
    });
    expect(names()).to.deep.equal([[], [tagged('1')]]);
  });

  it('gives the image its other tags in the first pass', async () => {
    const {result, names} = passes([digest('1'), digest('1')], {}, {tags: TAGS});
    await result;
    expect(names()).to.deep.equal([['localhost/web:dev'], [tagged('1')]]);
  });

  it('skips the second pass where the tag exists already', async () => {
    const {result, run, asked} = passes([digest('1')], {}, {there: [tagged('1')]});
    expect((await result).named?.canonical).to.equal(tagged('1'));
    expect(run).to.have.length(1);
    expect(asked).to.deep.equal([tagged('1')]);
  });

  it('never takes a node for a registry', async () => {
    const {result, run, asked} = passes([digest('1'), digest('1')], {push: true}, {there: [tagged('1')]});
    await result;
    expect(run).to.have.length(2);
    expect(asked).to.deep.equal([]);
  });

  it('pushes only passes that have a tag', async () => {
    const bare = passes([digest('1'), digest('1')], {push: true});
    await bare.result;
    expect(bare.run.map(({request}) => request.push)).to.deep.equal([false, true]);
    const named = passes([digest('1'), digest('1')], {push: true}, {tags: TAGS});
    await named.result;
    expect(named.run.map(({request}) => request.push)).to.deep.equal([true, true]);
  });

  it('takes the second pass from the cache, and does not export the cache again', async () => {
    const flags = [
      ['--build-arg', 'A=1'],
      ['--cache-from', 'c'],
      ['--cache-to', 'c'],
      ['--no-cache'],
      ['--pull'],
    ];
    const {result, run} = passes([digest('1'), digest('1')], {passedFlags: flags});
    await result;
    expect(run.map(({request}) => request.passedFlags)).to.deep.equal([
      flags,
      [['--build-arg', 'A=1'], ['--cache-from', 'c'], ['--pull']],
    ]);
  });

  it('shows the second pass only where it pushes', async () => {
    for (const [push, quiet, expected] of [
      [false, false, [false, true]],
      [true, false, [false, false]],
      [true, true, [true, true]],
    ] as const) {
      const {result, run} = passes([digest('1'), digest('1')], {push, quiet});
      await result;
      expect(run.map(({request}) => request.quiet)).to.deep.equal(expected);
    }
  });

  it('tags the image that came out where it is different from the first', async () => {
    const {result, names} = passes([digest('1'), digest('2'), digest('2')]);
    expect((await result).named?.canonical).to.equal(tagged('2'));
    expect(names()).to.deep.equal([[], [tagged('1')], [tagged('2')]]);
  });

  it('gives up on an image that is different every time', async () => {
    const {result, run} = passes(['1', '2', '3', '4'].map(digest));
    const error = await result.catch((thrown) => thrown);
    expect(error).to.be.instanceOf(TiltbuildError).with.property('code', 'reference-unstable');
    expect(run.map(({number}) => number)).to.deep.equal([1, 2, 3, 4]);
  });
});
