/** Covers ignore patterns by the rules of moby/patternmatcher 0.6, as paths are met on a walk. */
import {expect} from 'chai';
import {readIgnoreRules} from '../../../src/context/ignore-file.ts';
import {type ParentMatches, Patterns} from '../../../src/context/patterns.ts';
import {TiltbuildError} from '../../../src/errors.ts';

function isMatched(lines: readonly string[], path: string): boolean {
  const patterns = new Patterns(lines, 'test');
  const names = path.split('/');
  let parents: ParentMatches = [];
  let matched = false;
  for (const index of names.keys()) {
    const match = patterns.match(names.slice(0, index + 1).join('/'), parents);
    ({parents, matched} = match);
  }
  return matched;
}

/** The lines, separated by spaces; paths that they match; paths that they do not. */
const TABLE: readonly (readonly [lines: string, matched: string, others: string])[] = [
  ['a', 'a a/b', 'ab b/a A'],
  ['a/b/', 'a/b a/b/c', 'a b'],
  ['./a/../b', 'b b/c', 'a'],
  ['*.log', 'x.log .log', 'd/x.log x.logs x/log'],
  ['*/x', 'd/x d/x/y', 'x d/e/x'],
  ['d/*', 'd/x d/x/y', 'd e/x'],
  ['?x', 'ax äx', 'x a/x aax'],
  ['**', 'a a/b .a', ''],
  ['**/x', 'x d/x d/e/x d/x/y', 'xx d/xx'],
  ['**x', 'x ax d/ax', 'xa'],
  ['d/**', 'd/x d/x/y', 'd e'],
  ['d/**/x', 'd/x d/e/x d/e/f/x', 'x e/x'],
  ['**/*.o', 'x.o d/x.o', 'x.c'],
  ['d**', 'd dx d/x', 'e'],
  ['[ab]x', 'ax bx', 'cx [ab]x'],
  ['[^ab]x', 'cx', 'ax bx'],
  ['[a-c]x', 'bx', 'dx'],
  ['[\\]]x', ']x', 'ax'],
  ['a\\*b', 'a*b', 'aab'],
  ['a\\ b', '', 'a'],
  ['a.b(c)+{d}|$', 'a.b(c)+{d}|$', 'axb(c)+{d}|$'],
  // A ^ outside brackets stands for the beginning, once the pattern has a wildcard.
  ['a^b', 'a^b', 'ab'],
  ['a^*', '', 'a^b'],
  ['a !a/b', 'a a/c', 'a/b a/b/c'],
  ['a !a/b a/b/c', 'a/b/c', 'a/b/d'],
  ['** !src', 'x src2', 'src src/x'],
  ['src/g* !**/gen', 'src/go src/go/x', 'src/gen src/gen/x'],
  ['!a', '', 'a'],
  ['a !**', '', 'a a/b'],
];

describe('Patterns', () => {
  for (const [lines, matched, others] of TABLE) {
    const list = lines
      .replaceAll('\\ ', '\u0000')
      .split(' ')
      .map((line) => line.replaceAll('\u0000', '\\ '));
    it(`matches ${matched || 'nothing'} by ${lines}, and not ${others || 'anything else'}`, () => {
      for (const path of matched.split(' ').filter(Boolean))
        expect(isMatched(list, path), path).to.equal(true);
      for (const path of others.split(' ').filter(Boolean))
        expect(isMatched(list, path), path).to.equal(false);
    });
  }

  for (const [pattern, words] of [
    ['a[', 'its [ has no ]'],
    ['a[]', '[] is not a valid class'],
    ['[a-]', '[a-] is not a valid class'],
    ['a\\', 'nothing follows its last backslash'],
    ['!', 'it is a ! alone'],
    ['\\d*', '\\d has a meaning'],
    ['[*]', 'a wildcard'],
    ['[[:alpha:]]', 'a named class'],
  ] as const) {
    it(`refuses ${pattern}, and says why`, () => {
      expect(() => new Patterns([pattern], '.dockerignore'))
        .to.throw(TiltbuildError)
        .with.property('message')
        .that.includes('.dockerignore')
        .and.includes(words);
    });
  }

  it('tells whether anything below a directory may match', () => {
    const patterns = new Patterns(['a/b/c', '!d/**/e', '!f/*'], 'test');
    const may = (directory: string, kind: 'rules' | 'exceptions') => patterns.mayMatchBelow(directory, kind);
    expect(['a', 'a/b', 'b', 'd'].map((directory) => may(directory, 'rules'))).to.deep.equal([
      true,
      true,
      false,
      false,
    ]);
    expect(['d', 'f', 'x'].map((directory) => may(directory, 'exceptions'))).to.deep.equal([
      true,
      true,
      true,
    ]);
  });
});

describe('readIgnoreRules', () => {
  for (const [text, patterns] of [
    ['a\nb\n', ['a', 'b']],
    ['\uFEFF# no\r\n#\r\na\r\n\r\n', ['a']],
    [' # a\n', ['# a']],
    [' a \n\u0085b\u00a0\n', ['a', 'b']],
    ['/a/b/\n/\n//a\n', ['a/b', '/', 'a']],
    ['a/./b/../c\n', ['a/c']],
    ['! a\n!/b\n!\n', ['!a', '!b', '!']],
    ['\uFEFF\uFEFFa', ['\uFEFFa']],
  ] as const) {
    it(`reads ${JSON.stringify(text)}`, () =>
      expect(readIgnoreRules(text).map((rule) => rule.text)).to.deep.equal(patterns));
  }
});
