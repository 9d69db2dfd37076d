/** Covers what the user is told before a build. */
import {expect} from 'chai';
import type {ClusterFacts} from '../../../src/cluster/api/facts.ts';
import {parseTags, qualifyTags} from '../../../src/image/qualification.ts';
import {noteBuild} from '../../../src/image-build/build-notes.ts';
import type {BuildRequest} from '../../../src/image-build/build-request.ts';
import {formatAdvice} from '../../../src/text/advice.ts';
import {node} from '../../helpers/api-samples.ts';
import {buildRequest, found} from '../builder/builder-world.ts';
import {outputTo} from './build-world.ts';

interface Given {
  readonly asked?: Partial<BuildRequest>;
  readonly tags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly facts?: ClusterFacts;
  readonly directories?: Readonly<Record<string, number>>;
  readonly unmatched?: readonly string[];
}

const AMD64: ClusterFacts = {nodes: found([node({architecture: 'amd64'})])};
const BOTH: ClusterFacts = {
  nodes: found([node({architecture: 'amd64'}), node({name: 'b', architecture: 'arm64'})]),
};

async function note({
  asked = {},
  tags = ['localhost/web:dev'],
  env = {},
  facts = AMD64,
  directories = {},
  unmatched = [],
}: Given) {
  const sizes = new Map(Object.entries(directories));
  const survey = {
    files: 1,
    bytes: [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0),
    hasWanted: true,
    unmatched,
    directories: sizes,
  };
  const notes = await noteBuild(
    buildRequest(asked),
    {env},
    {
      product: 'kind',
      tags: qualifyTags(parseTags(tags), {refuseUnqualified: false, qualify: false}),
      facts,
      survey,
    },
  );
  return notes.map((one) => formatAdvice(one));
}

describe('the notes before a build', () => {
  for (const [what, given, pulled] of [
    ['a tag', {tags: ['localhost/web:dev']}, undefined],
    ['latest', {tags: ['localhost/web:latest']}, 'localhost/web:latest'],
    ['no tag', {tags: ['web', 'localhost/a:1']}, 'docker.io/library/web:latest'],
    ['two', {tags: ['localhost/a', 'localhost/b']}, 'localhost/a:latest and localhost/b:latest'],
    ['a push', {tags: ['r.io/web'], asked: outputTo('type=registry')}, undefined],
    ['an archive', {tags: ['localhost/web'], asked: outputTo('type=oci,dest=a.tar')}, undefined],
    ['a check', {tags: ['localhost/web'], asked: {check: true}}, undefined],
  ] as const) {
    it(`${pulled ? `warn that pods pull ${pulled}` : 'say nothing of pulls'} for ${what}`, async () => {
      const notes = await note(given);
      expect(notes).to.have.length(pulled === undefined ? 0 : 1);
      if (pulled !== undefined) expect(notes[0]).to.contain(`pods pull ${pulled} from a registry by default`);
    });
  }

  for (const [what, asked, isNoted] of [
    ['goes into the node', {}, true],
    ['gets one from its content', {contentName: {name: 'localhost/web', tagForm: {}}}, false],
    ['goes into a file', outputTo('type=oci,dest=a.tar'), false],
    ['is only checked', {check: true}, false],
  ] as const) {
    it(`${isNoted ? 'warn' : 'do not warn'} that an image has no name if it ${what}`, async () => {
      const notes = await note({asked: asked as Partial<BuildRequest>, tags: []});
      expect(notes).to.have.length(isNoted ? 1 : 0);
      if (isNoted) expect(notes[0]).to.contain('has no name').and.contain('--tag localhost/NAME:TAG');
    });
  }

  it('name the paths of --only for which nothing is sent', async () => {
    expect(await note({unmatched: ['srcc', 'a b']})).to.deep.equal([
      "the build context has nothing for --only srcc --only 'a b': it does not exist, or ignore rules exclude it",
    ]);
  });

  const byDefault = (platform: string): Given => ({
    asked: {platforms: [platform]},
    env: {DOCKER_DEFAULT_PLATFORM: platform},
  });
  const pushed = {push: true, destination: {kind: 'image', stdout: false}} as const;
  for (const [what, given, words] of [
    ['none', {}, undefined],
    [
      'another one by default',
      byDefault('linux/arm64'),
      'DOCKER_DEFAULT_PLATFORM is linux/arm64, but the nodes are linux/amd64',
    ],
    ['another one by flag', {asked: {platforms: ['arm64/v8']}}, '--platform is arm64/v8, but'],
    [
      'several others',
      {asked: {platforms: ['linux/arm64,linux/s390x']}},
      '--platform is linux/arm64,linux/s390x',
    ],
    ['Windows', {asked: {platforms: ['windows/amd64']}}, '--platform is windows/amd64'],
    [
      'one of two kinds of nodes',
      {asked: {platforms: ['linux/s390x']}, facts: BOTH},
      'the nodes are linux/amd64 and linux/arm64',
    ],
    ['that of a node', {asked: {platforms: ['linux/arm64']}, facts: BOTH}, undefined],
    ['that of a node among others', {asked: {platforms: ['linux/s390x', 'linux/x86_64']}}, undefined],
    ['one that nodes run as well', {asked: {platforms: ['linux/386']}}, undefined],
    ["the builder's own", {asked: {platforms: ['local']}}, undefined],
    [
      'another one, pushed by default',
      {...byDefault('linux/arm64'), asked: {platforms: ['linux/arm64'], ...pushed}},
      'ErrImagePull',
    ],
    ['another one, pushed by flag', {asked: {platforms: ['linux/arm64'], ...pushed}}, undefined],
    [
      'another one on unknown nodes',
      {...byDefault('linux/arm64'), facts: {nodes: {kind: 'forbidden', message: ''}}},
      undefined,
    ],
    [
      'another one on nodes that were not all read',
      {...byDefault('linux/arm64'), facts: {...AMD64, moreNodes: true}},
      undefined,
    ],
  ] as const satisfies readonly (readonly [string, Given, string | undefined])[]) {
    it(`${words ? 'warn of' : 'accept'} a platform: ${what}`, async () => {
      const notes = await note(given);
      expect(notes).to.have.length(words === undefined ? 0 : 1);
      if (words !== undefined)
        expect(notes[0])
          .to.contain(words)
          .and.match(/--platform linux\/amd64$/);
    });
  }

  for (const [what, directories, words] of [
    ['is small', {'': 1e8, node_modules: 9e7}, undefined],
    [
      'has one large directory',
      {'web/node_modules/a/b': 3e8, src: 1e6},
      ['web/node_modules has 300.00MB', '--ignore web/node_modules,', 'line web/node_modules'],
    ],
    [
      'has two',
      {'.git/objects/pack': 3e8, 'web/assets/video': 2e8, src: 1e6},
      [
        '.git has 300.00MB, web/assets/video has 200.00MB',
        '--ignore .git --ignore web/assets/video',
        'lines .git and web/assets/video',
      ],
    ],
    [
      'has one in every package',
      {'packages/a/node_modules/x': 2e8, 'packages/b/node_modules': 2e8, 'packages/b/src': 1e6},
      ["--ignore 'packages/*/node_modules'"],
    ],
    ['has one in every part', {'a/target/x': 2e8, 'b/target': 2e8}, ["--ignore '*/target'"]],
    ['has a name with wildcards', {'a*[b]': 3e8}, [String.raw`line a\*\[b]`]],
    ['is large at its root', {'': 3e8, a: 10}, ['is 300.00MB, most of it in files at its root.']],
    [
      'is large at its root as well',
      {'': 3e8, data: 2e8},
      ['is 500.00MB, 300.00MB of it in files at its root: data has 200.00MB. If'],
    ],
    [
      'is large in many places',
      Object.fromEntries(Array.from({length: 5}, (_, index) => [`d${index}`, 1e8])),
      ['d0 has 100.00MB, d1 has 100.00MB, d2 has 100.00MB.'],
    ],
  ] as const satisfies readonly (readonly [string, Given['directories'], readonly string[] | undefined])[]) {
    it(`${words ? 'name the largest directories of' : 'say nothing of'} a context that ${what}`, async () => {
      const notes = await note({directories});
      expect(notes).to.have.length(words === undefined ? 0 : 1);
      for (const word of words ?? []) expect(notes[0]).to.contain(word);
    });
  }
});
