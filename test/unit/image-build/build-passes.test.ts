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
const TAG = 'localhost/web:dev';
const TAGS = qualifyTags(parseTags([TAG]), {refuseUnqualified: false, qualify: false});

interface Case {
  /** What the passes give, one after the other. */
  readonly digests: string;
  readonly request?: Partial<BuildRequest>;
  readonly tags?: typeof TAGS;
  readonly there?: readonly string[];
}

async function passes({digests, request = {}, tags = [], there = []}: Case) {
  const run: BuildPass[] = [];
  const asked: string[] = [];
  const built = await buildInPasses(buildRequest({contentName: NAME, ...request}), tags, {
    run: async (pass) => {
      run.push(pass);
      return digest(digests[run.length - 1] as string);
    },
    isThere: async (canonical) => {
      asked.push(canonical);
      return there.includes(canonical);
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
    ['skips the second pass where the tag exists already', {digests: '1', there: [first]}, [[]], first],
    [
      'never takes a node for a registry',
      {digests: '11', there: [first], request: {push: true}},
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

  it('gives up on an image that is different every time', async () => {
    const {built, all} = await passes({digests: '1234'});
    expect(built).to.be.instanceOf(TiltbuildError).with.property('code', 'reference-unstable');
    expect(all(({number}) => number)).to.deep.equal([1, 2, 3, 4]);
  });
});
