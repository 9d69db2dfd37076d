/** Covers how argv is read: by spf13/pflag's rules, as kubectl reads it. */
import {expect} from 'chai';
import {type FlagSyntax, readArgv, unprotect} from '../../../../src/cli/argv/pflag-argv.ts';
import {TiltbuildError} from '../../../../src/errors.ts';

const FLAGS: Readonly<Record<string, FlagSyntax>> = {
  tag: {type: 'option', char: 't', multiple: true},
  file: {type: 'option', char: 'f'},
  'build-arg': {type: 'option', multiple: true},
  'registry-secret': {type: 'option'},
  inner: {type: 'option', hidden: true},
  push: {type: 'boolean'},
  quiet: {type: 'boolean', char: 'q'},
  verbose: {type: 'boolean', char: 'v'},
};

const REASONS = {'--memory': 'does nothing here.', '-m': 'does nothing here either.'};

function read(...argv: string[]) {
  const {argv: words, positionals, passthrough} = readArgv(argv, FLAGS, REASONS);
  return {words: words.map(unprotect), positionals, passthrough};
}

function refusal(...argv: string[]): TiltbuildError {
  try {
    readArgv(argv, FLAGS, REASONS);
  } catch (error) {
    expect(error).to.be.instanceOf(TiltbuildError);
    return error as TiltbuildError;
  }
  throw new Error(`not refused: ${argv.join(' ')}`);
}

/** What was typed, the words for oclif, and the positionals. */
const READ: readonly (readonly [string, readonly string[], readonly string[], (readonly string[])?])[] = [
  ['nothing', [], []],
  ['a long flag and its value apart', ['--tag', 'a'], ['--tag', 'a']],
  ['a long flag and its value joined', ['--tag=a'], ['--tag', 'a']],
  ['the first = only as the joint', ['--build-arg=A=B=C'], ['--build-arg', 'A=B=C']],
  ['an empty joined value', ['--registry-secret='], ['--registry-secret', '']],
  ['an empty value apart', ['--registry-secret', ''], ['--registry-secret', '']],
  ['a short flag and its value apart', ['-t', 'a'], ['--tag', 'a']],
  ['a short flag and its value joined', ['-ta'], ['--tag', 'a']],
  ['a short flag with =', ['-t=a'], ['--tag', 'a']],
  ['a second = as part of the value', ['-t==a'], ['--tag', '=a']],
  // pflag wants something behind `=` to take it for the joint: `kubectl … -o=` says: output format "=".
  ['a short flag with = and nothing behind it', ['-t='], ['--tag', '=']],
  ['short booleans together', ['-qv'], ['--quiet', '--verbose']],
  ['short booleans and a value behind them', ['-qvta'], ['--quiet', '--verbose', '--tag', 'a']],
  ['short booleans and a value apart', ['-qt', 'a'], ['--quiet', '--tag', 'a']],
  ['what follows an option as its value: a flag', ['--tag', '--push'], ['--tag', '--push']],
  ['what follows an option as its value: --', ['--tag', '--', '-q'], ['--tag', '--', '--quiet']],
  ['what follows an option as its value: -h', ['--build-arg', '-h'], ['--build-arg', '-h']],
  ['what follows an option as its value: -', ['-f', '-'], ['--file', '-']],
  ['the last of a single flag', ['--file', 'a', '--file=b'], ['--file', 'b']],
  [
    'every one of a repeatable flag',
    ['-t', 'a', '--tag=b', '-tc'],
    ['--tag', 'a', '--tag', 'b', '--tag', 'c'],
  ],
  ['a boolean that is turned off', ['--push=false'], []],
  ['the last of a boolean: off', ['--push', '--push=false'], []],
  ['the last of a boolean: on', ['--push=false', '--push'], ['--push']],
  ['a short boolean with a value', ['-q=true'], ['--quiet']],
  ['no value apart for a boolean', ['--push', 'false'], ['--push', 'false'], ['false']],
  ['- as a positional', ['-'], ['-'], ['-']],
  ['an empty word as a positional', [''], [''], ['']],
  ['flags behind positionals', ['.', '-q', 'x'], ['--quiet', '.', 'x'], ['.', 'x']],
];

describe('readArgv', () => {
  for (const [what, argv, words, positionals = []] of READ) {
    it(`reads ${what}`, () => {
      expect(read(...argv)).to.deep.equal({words, positionals, passthrough: []});
    });
  }

  for (const [value, words] of [
    ...['1', 't', 'T', 'TRUE', 'true', 'True'].map((text) => [text, ['--push']] as const),
    ...['0', 'f', 'F', 'FALSE', 'false', 'False'].map((text) => [text, []] as const),
  ]) {
    it(`takes ${value} for a boolean as Go's ParseBool does`, () => {
      expect(read(`--push=${value}`).words).to.deep.equal(words);
    });
  }

  it('keeps what comes after -- as it is', () => {
    expect(read('-q', '.', '--', '--', '-t', '--unknown=1', '', '.')).to.deep.equal({
      words: ['--quiet', '.'],
      positionals: ['.'],
      passthrough: ['--', '-t', '--unknown=1', '', '.'],
    });
  });

  it('hands oclif no value that looks like a flag', () => {
    const {argv} = readArgv(['--tag', '--push', '-f=-v', '.'], FLAGS);
    expect(argv.filter((word) => word.startsWith('-'))).to.deep.equal(['--tag', '--file']);
  });

  it('leaves argv as it was given', () => {
    const argv = Object.freeze(['--tag', 'a', '.', '--', 'b']);
    expect(() => readArgv(argv, FLAGS)).not.to.throw();
  });

  for (const [argv, message] of [
    [['--tag'], '--tag needs a value'],
    [['-t'], '-t needs a value'],
    [['-qt'], '-t needs a value'],
    [['--push='], '--push is either on or off'],
    [['--push=yes'], '--push=false, not "yes"'],
    [['--push=TrUe'], 'not "TrUe"'],
    [['-q=maybe'], '-q is either on or off'],
    [['--tga', 'a'], 'There is no flag --tga.'],
    [['--Tag', 'a'], 'There is no flag --Tag.'],
    [['-x'], 'There is no flag -x.'],
    [['-qx'], 'There is no flag -x.'],
    [['--=a'], 'There is no flag --.'],
    [['---tag'], 'There is no flag ---tag.'],
    [['--constructor'], 'There is no flag --constructor.'],
    [['--__proto__=a'], 'There is no flag --__proto__.'],
    [['--memory=1g'], '--memory does nothing here.'],
    [['-m1g'], '-m does nothing here either.'],
  ] as const) {
    it(`refuses ${argv.join(' ')}`, () => {
      const error = refusal(...argv);
      expect(error.code).to.equal('usage');
      expect(error.message).to.include(message);
    });
  }

  it('suggests the flag that was meant, and never a hidden one', () => {
    expect(refusal('--biuld-arg=A').remedy).to.deep.equal(['Did you mean --build-arg?']);
    expect(refusal('--innr').remedy.join()).not.to.include('inner');
    expect(refusal('--something-else').remedy.join()).to.include('goes after --');
  });
});

describe('unprotect', () => {
  for (const value of ['', 'a', '-t', '--', '="\'']) {
    it(`leaves ${JSON.stringify(value)} alone`, () => expect(unprotect(value)).to.equal(value));
  }
});
