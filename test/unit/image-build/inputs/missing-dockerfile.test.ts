/** Which files an error for a missing Dockerfile names. */
import {posix} from 'node:path';
import {expect} from 'chai';
import {describeMissingDockerfile} from '../../../../src/image-build/inputs/missing-dockerfile.ts';
import type {FileKind} from '../../../../src/ports.ts';
import {formatAdvice} from '../../../../src/text/advice.ts';

const NONE = 'Pass its path with --file, relative to the current directory.';

describe('a missing Dockerfile', () => {
  for (const [there, file, hints, context = '.'] of [
    [['Containerfile', 'main.go'], undefined, ['Containerfile']],
    [
      ['dockerfile.dev', 'Dockerfile-old', 'DOCKERFILE', 'Dockerfile.txt'],
      undefined,
      ['DOCKERFILE', 'Dockerfile-old', 'Dockerfile.txt'],
    ],
    [['web/web.Dockerfile', 'web/Dockerfile.dockerignore'], undefined, ['web/web.Dockerfile'], 'web'],
    [['Dockerfile.dev'], 'Dockerfile.de', ['Dockerfile.dev']],
    [['web/Build', 'Dockerfile'], 'Build', ['web/Build'], 'web'],
    [['deploy/Dockerfile', 'Dockerfile'], 'deploy', ['deploy/Dockerfile']],
    [['Dockerfile.d/Dockerfile', 'Dockerfiles', 'my-dockerfile'], undefined, []],
    [[], 'no/Dockerfile', []],
  ] as const) {
    it(`${file ?? 'Dockerfile'} gets hints at ${hints.join(', ') || 'no file'}`, () => {
      const paths: readonly string[] = there;
      const isAbove = (path: string) =>
        paths.some((one) => posix.join('/', one).startsWith(`${posix.join('/', path)}/`));
      const kindOf = (path: string): FileKind =>
        paths.includes(path) ? 'file' : isAbove(path) ? 'directory' : 'missing';
      const list = (directory: string) => {
        if (kindOf(directory) !== 'directory' && directory !== '.') throw new Error('ENOENT');
        const below = paths.filter((path) => directory === '.' || path.startsWith(`${directory}/`));
        const names = below.map((path) => posix.relative(directory, path).split('/')[0] ?? '');
        return names.map((name) => Buffer.from(name));
      };
      const path = file ?? posix.join(context, 'Dockerfile');
      const error = describeMissingDockerfile(
        path,
        kindOf(path),
        {context, file},
        {
          files: {...posix, kindOf},
          contexts: {list},
        },
      );
      expect(error.code).to.equal('usage');
      expect(error.message).to.contain(`"${path}"`);
      expect(error.remedy.map((advice) => formatAdvice(advice))).to.deep.equal(
        hints.length === 0 ? [NONE] : hints.map((one) => `To use "${one}": --file ${one}`),
      );
    });
  }
});
