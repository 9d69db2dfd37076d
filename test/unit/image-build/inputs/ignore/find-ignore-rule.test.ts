/** Covers which rule is named for a path that is left out, by Docker's own rules. */
import {expect} from 'chai';
import fc from 'fast-check';
import {findIgnoreRule} from '../../../../../src/image-build/inputs/ignore/find-ignore-rule.ts';
import {parseIgnoreFile} from '../../../../../src/image-build/inputs/ignore/ignore-file.ts';
import {leavesOut} from './matchers.ts';

const find = (path: string, text: string) =>
  findIgnoreRule(path, parseIgnoreFile(text, '.dockerignore', 'linux'), 'linux');

describe('findIgnoreRule', () => {
  for (const [path, text, origin] of [
    ['a', 'a', '.dockerignore, line 1'],
    ['a/b', 'x\na', '.dockerignore, line 2'],
    ['a.log', '# logs\n\n**/*.log', '.dockerignore, line 3'],
    ['a', '*\na', '.dockerignore, line 2'],
    ['a', '*\n!a', undefined],
    ['a/b', '*\n!a\na/b', '.dockerignore, line 3'],
    ['b', 'a', undefined],
    ['a', 'a/b', undefined],
    ['a[1]', 'a*', '.dockerignore, line 1'],
    ['a', '', undefined],
  ] as const) {
    it(`names ${origin ?? 'none'} for ${path} and ${JSON.stringify(text)}`, () => {
      expect(find(path, text)?.origin).to.equal(origin);
    });
  }

  it('names one for just those paths that the matcher leaves out', () => {
    const name = fc.constantFrom('a', 'b', 'c.log', 'x[1]');
    const path = fc.array(name, {minLength: 1, maxLength: 3}).map((names) => names.join('/'));
    const glob = fc.constantFrom('a', 'b', '*', '**', '*.log', '?', 'c.*', 'x\\[1\\]');
    const line = fc
      .tuple(fc.boolean(), fc.array(glob, {minLength: 1, maxLength: 3}))
      .map(([negated, names]) => `${negated ? '!' : ''}${names.join('/')}`);
    fc.assert(
      fc.property(path, fc.array(line, {maxLength: 5}), (one, lines) => {
        const text = lines.join('\n');
        expect(find(one, text) !== undefined).to.equal(leavesOut(text)(one));
      }),
    );
  });
});
