/** Covers what the composed ignore file says, and what it refuses, by cases that a person can read. */
import {expect} from 'chai';
import {TiltbuildError} from '../../../../../src/errors.ts';
import {
  composeIgnoreList,
  type IgnoreSources,
} from '../../../../../src/image-build/inputs/ignore/compose-ignore-list.ts';
import {leavesOut, leavesOutIn2021} from './matchers.ts';

const DOCKERIGNORE = `# what no image needs
.git
.vscode
**/node_modules
**/*.log
!src/app/keep.log
dist
coverage
*.md
!README.md
.env*
Dockerfile*
**/__pycache__
**/*.py[co]
tmp/
`;

type Options = Partial<Omit<IgnoreSources, 'file'>>;

function compose(text: string, options: Options = {}): readonly string[] {
  const sources = {ignore: [], only: [], platform: 'linux', ...options} as const;
  return composeIgnoreList({file: {text, source: '.dockerignore'}, ...sources})
    .split('\n')
    .slice(0, -1);
}

function refusal(text: string, options: Options = {}): TiltbuildError {
  try {
    compose(text, options);
  } catch (error) {
    expect(error).to.be.instanceOf(TiltbuildError);
    return error as TiltbuildError;
  }
  throw new Error('not refused');
}

const COMPOSED: readonly (readonly [string, Options, readonly string[]])[] = [
  ['', {}, []],
  ['**/node_modules', {only: ['src']}, ['**', '!src', 'src/**/node_modules']],
  ['node_modules', {only: ['src']}, ['**', '!src']],
  ['*\n!src', {only: ['src/app']}, ['**', '!src/app']],
  ['*\n!src/app', {only: ['src']}, ['**', '!src/app']],
  ['src/app/tmp', {only: ['src']}, ['**', '!src', 'src/app/tmp']],
  ['src', {only: ['src/app']}, ['**']],
  ['*.md', {only: ['README.md', 'src']}, ['**', '!src']],
  ['*', {only: ['a']}, ['**']],
  ['a', {only: ['.']}, ['a']],
  ['a', {only: ['src', './']}, ['a']],
  ['', {only: ['./src//app/../lib/']}, ['**', '!src/lib']],
  ['', {only: ['src', 'src/app']}, ['**', '!src']],
  ['', {only: ['a b']}, ['**', '!a b']],
  ['', {only: ['a\\b']}, ['**', '!a\\\\b']],
  ['', {only: ['a\\b'], platform: 'win32'}, ['**', '!a/b']],
  ['', {only: ['c++']}, ['**', '!c\\+\\+']],
  // The first line decides nothing: it is for the walk of 2021.
  ['', {only: ['app/(auth)/a']}, ['!app/(auth)/a', '**', '!app/\\(auth\\)/a']],
  ['', {only: ['app/(auth)/a'], platform: 'win32'}, ['**', '!app/(auth)/a']],
  ['', {only: ['#a', '!b']}, ['**', '!#a', '!!b']],
  ['a', {ignore: ['b', '!c']}, ['a', 'b']],
  ['a', {ignore: ['a']}, ['a']],
  ['!a', {ignore: ['b']}, ['b']],
  ['a', {ignore: ['*', '!a/b', '!c']}, ['*', '!c']],
  ['*.log', {ignore: ['*', '!a*']}, ['*', '!a*', 'a*.log']],
  ['*_test.go', {ignore: ['*', '!*.go']}, ['*', '!*.go', '*_test.go']],
  ['a*b*', {ignore: ['*', '!*c']}, ['*', '!*c', 'a*b*c']],
  ['[a-m]*', {ignore: ['*', '![k-z]x']}, ['*', '![k-z]x', '[k-m]x']],
  ['[^a]*', {ignore: ['*', '!?x']}, ['*', '!?x', '[\x01-.0-`b-\ud7ff\ue000-\u{10ffff}]x']],
  ['a**b', {only: ['a', 'ac']}, ['**', '!a', 'a/**/b', '!ac', 'ac/**/b']],
  ['**.pyc', {only: ['src']}, ['**', '!src', 'src/**/*.pyc']],
  ['src/**', {only: ['src']}, ['**', '!src', 'src/**']],
  ['*/**', {only: ['src']}, ['**', '!src', 'src/*']],
  [' #a\n#b\n\\!c', {}, [' #a', '\\!c']],
  ['a\\b\\..\\c', {platform: 'win32'}, ['a/c']],
  ['\\\\a\\', {platform: 'win32'}, ['a']],
  ['a\\*b', {}, ['a\\*b']],
  ['', {ignore: ['#a', '', ' b ']}, [' #a', 'b']],
  [
    '**/node_modules\n!**/node_modules/keep',
    {only: ['src']},
    ['**', '!src', 'src/**/node_modules', 'src/**/node_modules/**', '!src/**/node_modules/keep'],
  ],
  [
    DOCKERIGNORE,
    {only: ['src/app', 'lib', 'package.json']},
    [
      '**',
      '!src/app',
      'src/app/**/node_modules',
      'src/app/**/*.log',
      '!src/app/keep.log',
      'src/app/**/__pycache__',
      'src/app/**/*.py[co]',
      '!lib',
      'lib/**/node_modules',
      'lib/**/*.log',
      'lib/**/__pycache__',
      'lib/**/*.py[co]',
      '!package.json',
      'package.json/**/node_modules',
      'package.json/**/*.log',
      'package.json/**/__pycache__',
      'package.json/**/*.py[co]',
    ],
  ],
];

/** Names with brackets are common where a web framework routes by them. */
const LITERAL: readonly (readonly [string, readonly string[]])[] = [
  ['[id]', ['**', '!\\[id\\]']],
  ['app/[id]/x', ['!app/[id]/x', '**', '!app/\\[id\\]/x']],
  ['app/(auth)/x', ['!app/(auth)/x', '**', '!app/\\(auth\\)/x']],
];

describe('composeIgnoreList', () => {
  for (const [path, lines] of LITERAL) {
    it(`takes ${path} literally`, () => expect(compose('', {only: [path]})).to.deep.equal(lines));
  }

  for (const [text, options, lines] of COMPOSED) {
    it(`makes ${lines.length} lines of ${JSON.stringify(text.slice(0, 50))} and ${JSON.stringify(options)}`, () => {
      expect(compose(text, options)).to.deep.equal(lines);
    });
  }

  const REFUSED: readonly (readonly [string, Options, string])[] = [
    ['a\n!', {}, '.dockerignore, line 2'],
    ['a\n\n[', {}, 'pattern [ in .dockerignore, line 3'],
    ['a\\ ', {}, 'nothing follows the \\'],
    ['[]a]', {}, '] in a place'],
    ['[a-]', {}, '] in a place'],
    ['[-a]', {}, '- in a place'],
    ['[z-a]', {}, 'backwards'],
    ['\\é', {}, 'cannot stand before é'],
    ['', {ignore: ['[']}, 'in --ignore'],
    ['', {ignore: ['a\nb']}, 'line break'],
    ['', {only: ['']}, 'empty'],
    ['', {only: ['/src']}, 'absolute'],
    ['', {only: ['C:\\src'], platform: 'win32'}, 'absolute'],
    ['', {only: ['\\src'], platform: 'win32'}, 'absolute'],
    ['', {only: ['..']}, 'leaves the build context'],
    ['', {only: ['a/../../b']}, 'leaves the build context'],
    ['', {only: ['*.go']}, 'has a *'],
    ['', {only: ['a?']}, 'has a ?'],
    ['[^,]*', {ignore: ['*', '!?x'], platform: 'win32'}, 'share [\x01-+\\--.0-'],
    ['\\d', {only: ['src']}, '\\d has a meaning'],
    ['a^*', {only: ['src']}, '^ is taken'],
    ['[*]', {only: ['src']}, 'has a *'],
    ['[[:alpha:]]', {only: ['src']}, 'has a [:'],
    ['*a*a*a*a*a*a*a*a*a*a', {ignore: ['*', '!*b*b*b*b*b*b*b*b*b*b*']}, 'more than 10000 patterns'],
  ];
  for (const [text, options, words] of REFUSED) {
    it(`refuses ${JSON.stringify(text)} with ${JSON.stringify(options)}`, () => {
      const error = refusal(text, options);
      expect(error.code).to.equal('usage');
      expect(error.message).to.include(words);
      expect(error.remedy).to.have.lengthOf(1);
    });
  }

  it('leaves to the matcher what only that can read, as long as nothing is brought back within it', () => {
    const lines = ['\\d', 'a^*', '[*]', '[[:alpha:]]'];
    expect(compose(lines.join('\n'), {ignore: ['b']})).to.deep.equal([...lines, 'b']);
    expect(compose('**\na^*', {only: ['src']})).to.deep.equal(['**']);
  });

  it('has the walk of 2021 enter the folders above a path that needs escapes', () => {
    const text = composeIgnoreList({ignore: [], only: ['app/(a)/b'], platform: 'linux'});
    for (const leaves of [leavesOut(text), leavesOutIn2021(text)]) {
      expect(leaves('app/(a)/b/c')).to.equal(false);
      expect(leaves('app/a/b/c')).to.equal(true);
      expect(leaves('app/(a)/c')).to.equal(true);
    }
  });

  it('has the walk of 2021 leave out what lies below a ** that a ! of the other list makes it enter', () => {
    const text = composeIgnoreList({
      file: {text: '**/tmp', source: '.dockerignore'},
      ignore: ['*.x', '!a/b/tmp/keep'],
      only: ['a'],
      platform: 'linux',
    });
    for (const leaves of [leavesOut(text), leavesOutIn2021(text)]) {
      expect(leaves('a/b/tmp/c/d')).to.equal(true);
      expect(leaves('a/b/c')).to.equal(false);
    }
  });
});
