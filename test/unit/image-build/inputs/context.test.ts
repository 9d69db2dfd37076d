/** Covers the check of the build context. */
import {expect} from 'chai';
import {checkContext} from '../../../../src/image-build/inputs/context.ts';
import type {Files} from '../../../../src/ports.ts';
import {hintsOf, refusalOf} from '../../../helpers/caught.ts';

const KINDS: Readonly<Record<string, 'file' | 'directory'>> = {
  '.': 'directory',
  'app dir': 'directory',
  Dockerfile: 'file',
  'github.com/local': 'directory',
  'https://local': 'directory',
};

/** The only method that the check may call. */
const files = {kindOf: (path: string) => KINDS[path] ?? 'missing'} as Files;

const PLAIN = {baseImages: [], only: [], ignore: []};

/** Contexts, with a Dockerfile for some. */
const ACCEPTED = `
  . | . - | app dir | - | - Dockerfile | https://example.com/x.git#main | http://example.com/x.tar Dockerfile
  git://example.com/x | git@example.com:me/x.git | github.com/me/x | github.com/local - | https://local -
`;

describe('checkContext', () => {
  for (const line of ACCEPTED.trim().split(/\s*[|\n]\s*/)) {
    it(`accepts ${line}`, () => {
      const [, context = '', file] = /^(.*?)(?: (-|Dockerfile))?$/.exec(line) ?? [];
      expect(() => checkContext({context, file, ...PLAIN}, files)).not.to.throw();
    });
  }

  for (const [context, file, message, remedy] of [
    ['-', '-', 'cannot both come from standard input', 'Pass a path'],
    ['Dockerfile', undefined, '"Dockerfile" is a file', '--file Dockerfile .'],
    ['', undefined, '"" does not exist', 'The last argument'],
    ['ssh://example.com/x', undefined, '"ssh://example.com/x" does not exist', 'Git or HTTP URL'],
    ['https:/example.com', undefined, 'does not exist', 'Git or HTTP URL'],
    ['https://example.com/x.git', '-', 'remote build context', ''],
    ['git@example.com:me/x', '-', 'remote build context', ''],
  ] as const) {
    it(`refuses ${context || 'nothing'}${file ? ` with --file ${file}` : ''}`, () => {
      const error = refusalOf(() => checkContext({context, file, ...PLAIN}, files));
      expect(error.code).to.equal('usage');
      expect(error.message).to.include(message);
      expect(hintsOf(error)).to.include(remedy);
    });
  }

  for (const [flag, filter] of [
    ['--only', {only: ['src']}],
    ['--ignore', {ignore: ['*.md']}],
    ['--file-env', {fileVariable: 'DOCKERFILE'}],
    ['--base-image', {baseImages: [{name: 'base', variable: 'BASE'}]}],
  ] as const) {
    it(`accepts ${flag} for a directory only`, () => {
      const check = (context: string) => () => checkContext({context, ...PLAIN, ...filter}, files);
      expect(check('.')).not.to.throw();
      for (const context of ['-', 'https://example.com/x.git'])
        expect(refusalOf(check(context)).message).to.equal(
          `${flag} needs a local directory as the build context.`,
        );
    });
  }
});
