/** Covers the passes of a build that tags an image by its digest. */
import {expect} from 'chai';
import {TiltbuildError} from '../../../src/errors.ts';
import {DEFAULT_TAG_FORM} from '../../../src/image/content-tag.ts';
import {parseTags, qualifyTags} from '../../../src/image/qualification.ts';
import {parseReference} from '../../../src/image/reference.ts';
import {type BuildPass, type BuiltImage, buildInPasses} from '../../../src/image-build/build-passes.ts';
import type {BuildRequest} from '../../../src/image-build/build-request.ts';
import {buildRequest} from '../builder/builder-world.ts';

const digest = (digit: string) => `sha256:${digit.repeat(64)}`;
const tagged = (digit: string) => `docker.io/library/web:tilt-${digit.repeat(16)}`;
const NAME = {name: 'web', reference: parseReference('web'), tagForm: DEFAULT_TAG_FORM};
const TAG = 'localhost/web:dev';
const TAGS = qualifyTags(parseTags([TAG]), {refuseUnqualified: false, qualify: false});

interface Case {
  /** What the passes give, one after the other. */
  readonly digests: string;
  readonly request?: Partial<BuildRequest>;
  readonly tags?: typeof TAGS;
  /** Whether the node can be asked. */
  readonly inNode?: boolean;
}

async function passes({digests, request = {}, tags = [], inNode = false}: Case) {
  const run: BuildPass[] = [];
  const asked: (BuiltImage & {readonly canonical: string})[] = [];
  const built = await buildInPasses(buildRequest({contentName: NAME, ...request}), tags, {
    run: async (pass) => {
      run.push(pass);
      return {digest: digest(digests[run.length - 1] as string), node: `node-${run.length}`};
    },
    tag: async (canonical, image) => {
      asked.push({canonical, ...image});
      return inNode;
    },
  }).catch((error) => error);
  const all = <T>(show: (pass: BuildPass) => T) => run.map(show);
  const names = all((pass) => pass.tags.map(({canonical}) => canonical));
  return {built, asked, names, all};
}

describe('buildInPasses', () => {
  const [first, second] = [tagged('1'), tagged('2')];
  for (const [what, given, names, canonical] of [
    ['builds without a tag, and again with the tag from the digest', {digests: '11'}, [[], [first]], first],
    [
      'needs no second pass where the image gets its tag in the node',
      {digests: '1', inNode: true},
      [[]],
      first,
    ],
    [
      'never takes a node for a registry',
      {digests: '11', inNode: true, request: {push: true}},
      [[], [first]],
      first,
    ],
    ['tags the image that came out where it is different', {digests: '122'}, [[], [first], [second]], second],
  ] as const) {
    it(what, async () => {
      const {built, ...run} = await passes(given);
      expect(run.names).to.deep.equal(names);
      const reference = canonical.replace('docker.io/library/', '');
      expect(built).to.deep.equal({
        digest: digest(given.digests.at(-1) as string),
        node: `node-${run.names.length}`,
        named: {reference, canonical},
      });
    });
  }

  it('pushes only passes that have a tag, and shows the second pass only where it pushes', async () => {
    for (const [tags, push, quiet, pushed, hidden] of [
      [[], true, false, [false, true], [false, false]],
      [TAGS, true, true, [true, true], [true, true]],
      [TAGS, false, false, [false, false], [false, true]],
    ] as const) {
      const {all} = await passes({digests: '11', tags, request: {push, quiet}});
      expect(all(({request}) => request.push)).to.deep.equal(pushed);
      expect(all(({request}) => request.quiet)).to.deep.equal(hidden);
    }
  });

  it('uses and writes the cache as asked in the first pass alone, also by flags behind --', async () => {
    const flags = [['--no-cache'], ['--cache-to', 'x'], ['--cache-to=x'], ['--no-cache=true']];
    const kept = [['--build-arg', '--no-cache'], ['--pull']];
    const request = {passedFlags: [...kept, ...flags], passthrough: [...flags, ...kept]};
    const {all} = await passes({digests: '11', request});
    expect(all((pass) => pass.request.passedFlags)).to.deep.equal([request.passedFlags, kept]);
    expect(all((pass) => pass.request.passthrough)).to.deep.equal([request.passthrough, kept]);
  });

  it('says by which name which node has the image', async () => {
    const image = {canonical: first, digest: digest('1'), node: 'node-1'};
    const nameless = {...image, knownAs: `docker.io/library/web@${digest('1')}`, isTemporary: true};
    const run = await passes({digests: '1', inNode: true});
    expect(run.asked).to.deep.equal([nameless]);
    expect(run.all(({temporaryName}) => temporaryName)).to.deep.equal(['docker.io/library/web']);
    const withTag = await passes({digests: '1', inNode: true, tags: TAGS});
    expect(withTag.asked).to.deep.equal([{...image, knownAs: TAG, isTemporary: false}]);
    expect(withTag.all(({temporaryName}) => temporaryName)).to.deep.equal([undefined]);
  });

  it('gives up on an image that is different every time', async () => {
    const {built, all} = await passes({digests: '1234'});
    expect(built).to.be.instanceOf(TiltbuildError).with.property('code', 'reference-unstable');
    expect(all(({number}) => number)).to.deep.equal([1, 2, 3, 4]);
  });
});
