/** Covers one run of the plugin as data: argv, environment, and where the digest will be. */
import {expect} from 'chai';
import {parseTags, qualifyTags} from '../../../../../src/image/qualification.ts';
import type {BuildRequest} from '../../../../../src/image-build/build-request.ts';
import {type PlanFacts, planBuild} from '../../../../../src/image-build/engines/kubectl-build/plan.ts';
import {buildRequest} from '../../../builder/builder-world.ts';
import {outputTo, preparedBuild} from '../../build-world.ts';

const EXPORT = ['--output', 'type=image,unpack=true,compression=uncompressed'];
const IID = ['--iidfile', '/private/image-id'];
const FAST = [...EXPORT, ...IID];
const {pinArgs: PIN} = preparedBuild();

function plan(
  changes: Partial<BuildRequest> = {},
  facts: Partial<PlanFacts> = {},
  tags: readonly {readonly canonical: string}[] = [],
) {
  const request = buildRequest({...outputTo('', changes.push), ...changes});
  return planBuild(
    {number: 1, request, tags},
    {...preparedBuild(), runtime: 'containerd', secretSpecs: [], ...facts},
  );
}

const tags = qualifyTags(parseTags(['app', 'localhost/b:1']), {refuseUnqualified: false, qualify: false});
const tagArgs = ['--tag', 'docker.io/library/app:latest', '--tag', 'localhost/b:1'];

describe('planBuild', () => {
  it('plans a plain build: pinned, canonical, fast into the node, with a digest of its own', () => {
    expect(plan({}, {}, tags)).to.deep.equal({
      argv: [...PIN, ...tagArgs, ...FAST, '.'],
      env: {DOCKER_DEFAULT_PLATFORM: undefined},
      cwd: undefined,
      digest: {from: 'image-id-file', path: '/private/image-id'},
    });
  });

  /** What is asked for, and the words between the pinning flags and the context. */
  const secretSpecs = ['id=a,src=f', '"id=b,c",src=/private/secret-1'];
  const cases: readonly (readonly [string, Partial<BuildRequest>, Partial<PlanFacts>, readonly string[]])[] =
    [
      ['--push onto another runtime', {push: true}, {runtime: 'other'}, ['--push', ...IID]],
      ['its own progress', {progress: 'tty'}, {}, [...EXPORT, '--progress', 'tty', ...IID]],
      ['--quiet', {quiet: true}, {}, FAST],
      ['flags handed on', {passedFlags: [['--a', '-t'], ['--pull']]}, {}, ['--a', '-t', '--pull', ...FAST]],
      ['words behind --', {passthrough: [['--x'], ['y']]}, {}, [...FAST, '--x', 'y']],
      ['secrets', {}, {secretSpecs}, [...secretSpecs.flatMap((spec) => ['--secret', spec]), ...FAST]],
      ['a registry output', outputTo('type=registry'), {}, ['--output', 'type=registry', ...IID]],
      [
        'an archive',
        outputTo('type=oci,dest=a,b=c'),
        {},
        ['--output', 'type=oci,dest=/project/a,b=c', ...IID],
      ],
      ['another runtime', {}, {runtime: 'other'}, IID],
      ['gzip', {compression: 'gzip'}, {}, ['--output', 'type=image,unpack=true,compression=gzip', ...IID]],
      ['the default compression', {compression: 'default'}, {}, IID],
      ['zstd on another runtime', {compression: 'zstd'}, {runtime: 'other'}, IID],
    ];
  for (const [what, changes, input, words] of cases) {
    it(`plans ${what}`, () => {
      const {argv, env, digest} = plan(changes, input);
      expect(argv).to.deep.equal([...PIN, ...words, '.']);
      expect(env).to.deep.equal({DOCKER_DEFAULT_PLATFORM: undefined});
      expect(digest).to.deep.equal({from: 'image-id-file', path: '/private/image-id'});
    });
  }

  it('reads the digest from plain progress where there is a platform, and expects none of files', () => {
    for (const platforms of [['linux/amd64,linux/arm64'], ['a', 'b']]) {
      const words = platforms.flatMap((one) => ['--platform', one]);
      const image = plan({platforms, progress: 'tty'});
      expect(image.argv).to.deep.equal([...PIN, ...words, ...EXPORT, '--progress', 'plain', '.']);
      expect(image.digest).to.deep.equal({from: 'progress'});
      for (const [output, written] of [
        ['out', 'type=local,dest=/project/out'],
        ['-', 'type=tar,dest=-'],
        ['"type=tar"', 'type=tar,dest=-'],
      ] as const) {
        const files = plan({...outputTo(output), platforms, progress: 'auto'});
        expect(files.argv).to.deep.equal([...PIN, ...words, '--output', written, '--progress', 'auto', '.']);
        expect(files.digest).to.deep.equal({from: 'nowhere'});
      }
    }
  });

  for (const [context, file] of [
    ['-', undefined],
    ['-', 'D'],
    ['.', '-'],
  ] as const) {
    it(`gives kubectl build a place for its leftovers with context ${context} and file ${file}`, () => {
      const {argv, env} = plan({context, file});
      expect(argv).to.deep.equal([...PIN, ...(file ? ['--file', file] : []), ...FAST, context]);
      const place = {TMPDIR: '/private', TEMP: '/private', TMP: '/private'};
      expect(env).to.deep.equal({DOCKER_DEFAULT_PLATFORM: undefined, ...place});
    });
  }
});
