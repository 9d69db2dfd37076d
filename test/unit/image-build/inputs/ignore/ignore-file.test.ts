/** Covers how lines are read and what a pattern matches: Docker's documented rules, and filepath.Match's. */
import {expect} from 'chai';
import fc from 'fast-check';
import {formatIgnoreFile, parseIgnoreFile} from '../../../../../src/image-build/inputs/ignore/ignore-file.ts';
import {
  coversPattern,
  type PathPattern,
} from '../../../../../src/image-build/inputs/ignore/ignore-pattern.ts';
import {leavesOut, readLines} from './matchers.ts';

function read(text: string, platform: NodeJS.Platform = 'linux'): readonly string[] {
  return parseIgnoreFile(text, 'a file', platform).map(({negated, text}) => (negated ? `!${text}` : text));
}

/** Whether our reading has the path, or a folder of it, among what the line matches. */
function matches(line: string, path: string): boolean {
  const names: PathPattern = path
    .split('/')
    .map((name) => [...name].map((char) => [[char.codePointAt(0) as number, char.codePointAt(0) as number]]));
  return parseIgnoreFile(line, 'a file', 'linux').some(({paths}) =>
    paths?.some((one) => coversPattern(one, names)),
  );
}

const LINES: readonly (readonly [string, readonly string[]])[] = [
  ['a\nb', ['a', 'b']],
  ['a\r\nb\r\n', ['a', 'b']],
  ['\ufeffa\n\ufeffb', ['a', '\ufeffb']],
  ['\ufeff#a', []],
  ['# a\n #b\na#c', ['#b', 'a#c']],
  ['  a \t\n\t\n\n', ['a']],
  ['\u00a0a\u0085', ['a']],
  ['/a', ['a']],
  ['//a//b/', ['a/b']],
  ['./a/./b', ['a/b']],
  ['a/../b', ['b']],
  ['/../a', ['a']],
  ['../a', ['../a']],
  ['.', ['.']],
  ['/', ['.']],
  ['a/..', ['.']],
  ['!a', ['!a']],
  ['!  /a/', ['!a']],
  ['!!a', ['!!a']],
  ['\\!a', ['\\!a']],
  ['a b', ['a b']],
  ['a+(b)', ['a\\+\\(b\\)']],
  ['a[+(]', ['a[+(]']],
  ['**.log', ['**/*.log']],
];

// What Docker's documentation and Go's say; a path is matched as well where one of its folders is.
const MATCHES: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ['a', ['a', 'a/b', 'a/b/c'], ['b', 'b/a', 'ab']],
  ['/foo/bar', ['foo/bar', 'foo/bar/x'], ['bar', 'x/foo/bar']],
  ['*/temp*', ['somedir/temporary.txt', 'somedir/temp', 'a/temp/b'], ['temp', 'a/b/temp', 'a/xtemp']],
  ['*/*/temp*', ['somedir/subdir/temporary.txt'], ['somedir/temporary.txt']],
  ['temp?', ['tempa', 'tempb', 'tempa/x'], ['temp', 'tempab', 'x/tempa']],
  ['*.go', ['a.go', '.go', 'a.go/b'], ['a/b.go', 'a.gox']],
  ['**/*.go', ['a.go', 'a/b.go', 'a/b/c.go'], ['a.gox']],
  ['**', ['a', 'a/b'], []],
  ['*', ['a', 'a/b'], []],
  ['**/a', ['a', 'b/a', 'c/b/a', 'b/a/c'], ['ab', 'b/ab', 'ba']],
  ['a/**', ['a/b', 'a/b/c'], ['a', 'ab']],
  ['a/**/b', ['a/b', 'a/x/b', 'a/x/y/b', 'a/b/c'], ['ab', 'a/xb', 'xa/b']],
  ['a**', ['a', 'ab', 'a/b', 'ab/c'], ['ba']],
  ['a**b', ['ab', 'a/b', 'ax/b', 'ax/y/b'], ['axb', 'a/xb']],
  ['a**/b', ['ab', 'a/b', 'ax/y/b'], ['axb']],
  ['**b', ['b', 'ab', 'x/ab'], ['bx']],
  ['**b/c', ['b/c', 'ab/c', 'x/ab/c'], ['bx/c']],
  ['**?b', ['ab', 'x/ab'], ['xab', 'b']],
  ['***b', ['b', 'ab', 'x/ab'], ['bx']],
  ['a***b', ['ab', 'axb', 'a/xb', 'ax/yb'], ['abx']],
  ['**/**/a', ['a', 'b/a', 'b/c/a'], ['ab']],
  ['a/**/**', ['a/b', 'a/b/c'], ['a']],
  ['**/a/**', ['a/b', 'x/a/b'], ['a', 'x/a']],
  ['[abc]', ['a', 'c'], ['d', 'ab']],
  ['[a-c]x', ['bx'], ['dx']],
  ['[^a-c]x', ['dx', '-x'], ['ax']],
  ['a[^b]c', ['adc', 'a/c'], ['abc']],
  ['a[+-0]c', ['a.c', 'a/c'], ['a1c']],
  ['[!a]b', ['!b', 'ab'], ['cb']],
  ['[\\]a]', [']', 'a'], ['\\']],
  ['[\\-x]', ['-', 'x'], ['y']],
  ['[x\\-]', ['-', 'x'], ['y']],
  ['[[]a', ['[a'], ['a']],
  ['a]', ['a]'], ['a']],
  ['\\*', ['*'], ['a', '\\*']],
  ['\\?\\[', ['?['], ['a[']],
  ['a\\\\b', ['a\\b'], ['ab']],
  ['a.b', ['a.b'], ['axb']],
  ['a$', ['a$'], ['a']],
  ['a+', ['a+'], ['aa', 'a']],
  ['a+*', ['a+', 'a+b'], ['aa']],
  ['(a|b)*', ['(a|b)c'], ['a', 'b']],
  ['a{2}?', ['a{2}x'], ['aax']],
  ['a^b', ['a^b'], ['ab']],
  ['é?', ['éa', 'éé'], ['é']],
  ['?', ['é', 'a/b'], ['éa']],
  ['..', [], ['a', 'a/b']],
  ['../a', [], ['a']],
  ['.', [], ['a']],
  ['/', [], ['a']],
  ['[.]/a', [], ['a']],
];

describe('parseIgnoreFile', () => {
  for (const [text, lines] of LINES) {
    it(`reads ${JSON.stringify(text)}`, () => {
      expect(read(text)).to.deep.equal(lines);
    });
  }

  it('takes a backslash for a slash on Windows', () => {
    expect(read('.\\a\\..\\b\\\n!\\c', 'win32')).to.deep.equal(['b', '!c']);
  });

  it('tells the line of each pattern', () => {
    const origins = parseIgnoreFile('# a\n\nb\nc', 'my.dockerignore', 'linux').map(({origin}) => origin);
    expect(origins).to.deep.equal(['my.dockerignore, line 3', 'my.dockerignore, line 4']);
  });
});

describe('a pattern', () => {
  for (const [line, inside, outside] of MATCHES) {
    it(`${line} matches ${inside.length} paths and not ${outside.length}`, () => {
      for (const path of [...inside, ...outside]) {
        const wanted = inside.includes(path);
        expect(matches(line, path), `ours of ${path}`).to.equal(wanted);
        expect(leavesOut(line)(path), `moby's of ${path}`).to.equal(wanted);
      }
    });
  }
});

describe('formatIgnoreFile', () => {
  const KEPT = [
    '#a',
    '!a',
    '\ufeffa',
    ' a',
    'a ',
    ' ',
    '\\ a',
    'a\\ ',
    'a\\\\ ',
    '\u0085',
    'a#',
    'a b',
    '\ufeff',
  ];
  for (const text of KEPT) {
    it(`writes ${JSON.stringify(text)} so that it is read back`, () => {
      for (const negated of [false, true]) {
        const file = formatIgnoreFile([{negated, text}], 'linux');
        const [line, ...more] = readLines(file);
        expect(more).to.deep.equal([]);
        expect(line?.startsWith('!')).to.equal(negated);
        const name = text.replace(/\\(.)/g, '$1');
        const rest = negated ? `*\n${file}` : file;
        expect(leavesOut(rest)(name), file).to.equal(!negated);
      }
    });
  }

  it('is read back as it was written, for any text', () => {
    fc.assert(
      fc.property(
        fc.string({unit: fc.constantFrom(...'ab/.*?![]#\\ +(\ufeff\n\r'), maxLength: 12}),
        (text) => {
          const once = tryReading(text);
          fc.pre(once !== undefined);
          expect(tryReading(once as string)).to.equal(once);
        },
      ),
    );
  });
});

function tryReading(text: string): string | undefined {
  try {
    return formatIgnoreFile(parseIgnoreFile(text, 'a file', 'linux'), 'linux');
  } catch {
    return undefined;
  }
}
