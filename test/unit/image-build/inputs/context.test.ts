/** Covers the check of the build context. */
import {expect} from 'chai';
import {TiltbuildError} from '../../../../src/errors.ts';
import {checkContext} from '../../../../src/image-build/inputs/context.ts';
import type {Files} from '../../../../src/ports.ts';
import {type Advice, formatAdvice} from '../../../../src/text/advice.ts';

const KINDS: Readonly<Record<string, 'file' | 'directory'>> = {
  '.': 'directory',
  'app dir': 'directory',
  Dockerfile: 'file',
  'github.com/local': 'directory',
  'https://local': 'directory',
};

/** The only method that the check may call. */
const files = {kindOf: (path: string) => KINDS[path] ?? 'missing'} as Files;

const PLAIN = {only: [], ignore: []};

describe('checkContext', () => {
  for (const [context, file] of [
    ['.', undefined],
    ['.', '-'],
    ['app dir', 'other/Dockerfile'],
    ['-', undefined],
    ['-', 'Dockerfile'],
    ['https://example.com/x.git#main', undefined],
    ['http://example.com/x.tar', 'Dockerfile'],
    ['git://example.com/x', undefined],
    ['git@example.com:me/x.git', undefined],
    ['github.com/me/x', undefined],
    ['github.com/local', '-'],
    ['https://local', '-'],
  ] as const) {
    it(`accepts ${context}${file ? ` with --file ${file}` : ''}`, () => {
      expect(() => checkContext({context, file, ...PLAIN}, files)).not.to.throw();
    });
  }

  for (const [context, file, message, remedy] of [
    ['-', '-', 'cannot both come from standard input', 'Pass a path'],
    ['Dockerfile', undefined, '"Dockerfile" is a file', '--file Dockerfile .'],
    ['nowhere', undefined, '"nowhere" does not exist', 'The last argument'],
    ['', undefined, '"" does not exist', 'The last argument'],
    ['ssh://example.com/x', undefined, '"ssh://example.com/x" does not exist', 'Git or HTTP URL'],
    ['https:/example.com', undefined, 'does not exist', 'Git or HTTP URL'],
    ['https://example.com/x.git', '-', 'remote build context', ''],
    ['git@example.com:me/x', '-', 'remote build context', ''],
  ] as const) {
    it(`refuses ${context || 'nothing'}${file ? ` with --file ${file}` : ''}`, () => {
      const check = () => checkContext({context, file, ...PLAIN}, files);
      expect(check).to.throw(TiltbuildError, message).with.property('code', 'usage');
      expect(check)
        .to.throw()
        .with.property('remedy')
        .that.satisfies((lines: Advice[]) =>
          lines
            .map((line) => formatAdvice(line))
            .join()
            .includes(remedy),
        );
    });
  }

  for (const [flag, filter] of [
    ['--only', {only: ['src']}],
    ['--ignore', {ignore: ['*.md']}],
    ['--file-env', {fileVariable: 'DOCKERFILE'}],
  ] as const) {
    it(`accepts ${flag} for a directory only`, () => {
      expect(() => checkContext({context: '.', ...PLAIN, ...filter}, files)).not.to.throw();
      for (const context of ['-', 'https://example.com/x.git']) {
        expect(() => checkContext({context, ...PLAIN, ...filter}, files)).to.throw(
          TiltbuildError,
          `${flag} needs a local directory as the build context`,
        );
      }
    });
  }
});
