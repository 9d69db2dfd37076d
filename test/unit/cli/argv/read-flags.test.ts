/** Covers how a line is read: by spf13/pflag's rules, as kubectl reads it, with every value byte for byte. */
import {expect} from 'chai';
import fc from 'fast-check';
import {type FlagFault, readFlags, valuesOf} from '../../../../src/cli/argv/read-flags.ts';
import type {Flags} from '../../../../src/cli/commands/definition.ts';

const about = {summary: '', value: 'VALUE'};
const FLAGS = {
  tag: {type: 'list', char: 't', ...about},
  file: {type: 'text', char: 'f', ...about},
  print: {type: 'choice', options: ['json', 'none'], ...about},
  push: {type: 'switch', summary: ''},
  quiet: {type: 'switch', char: 'q', summary: ''},
  verbose: {type: 'switch', char: 'v', summary: ''},
} as const satisfies Flags;

function read(...argv: readonly string[]) {
  const {given, words, rest, faults} = readFlags(argv, FLAGS);
  return {given: Object.fromEntries(given), words: words.map(({text}) => text), rest, faults};
}

const READ: readonly (readonly [string, readonly string[], object, (readonly string[])?])[] = [
  ['nothing', [], {}],
  ['a long flag and its value apart', ['--tag', 'a'], {tag: ['a']}],
  ['a long flag and its value joined', ['--tag=a'], {tag: ['a']}],
  ['the first = only as the joint', ['--tag=A=B=C'], {tag: ['A=B=C']}],
  ['an empty joined value', ['--file='], {file: ['']}],
  ['an empty value apart', ['--file', ''], {file: ['']}],
  ['a short flag and its value apart', ['-t', 'a'], {tag: ['a']}],
  ['a short flag and its value joined', ['-ta'], {tag: ['a']}],
  ['a short flag with =', ['-t=a'], {tag: ['a']}],
  ['a second = as part of the value', ['-t==a'], {tag: ['=a']}],
  // pflag wants something behind `=` to take it for the joint: `kubectl … -o=` says: output format "=".
  ['a short flag with = and nothing behind it', ['-t='], {tag: ['=']}],
  ['short switches together', ['-qvv'], {quiet: [true], verbose: [true, true]}],
  ['short switches and a value behind them', ['-qvta'], {quiet: [true], verbose: [true], tag: ['a']}],
  ['short switches and a value apart', ['-qt', 'a'], {quiet: [true], tag: ['a']}],
  ['what follows a flag as its value: a flag', ['--tag', '--push'], {tag: ['--push']}],
  ['what follows a flag as its value: --', ['--tag', '--', '-q'], {tag: ['--'], quiet: [true]}],
  ['what follows a flag as its value: -h', ['-f', '-h'], {file: ['-h']}],
  ['what follows a flag as its value: -', ['-f', '-'], {file: ['-']}],
  ['each value of a repeated flag', ['-t', 'a', '--tag=b', '-tc'], {tag: ['a', 'b', 'c']}],
  ['a switch that is turned off', ['--push', '--push=false'], {push: [true, false]}],
  ['a short switch with a value', ['-q=true'], {quiet: [true]}],
  ['no value apart for a switch', ['--push', 'false'], {push: [true]}, ['false']],
  ['- as a word', ['-'], {}, ['-']],
  ['an empty word', [''], {}, ['']],
  ['flags behind words', ['.', '-q', 'x'], {quiet: [true]}, ['.', 'x']],
];

const FAULTS: readonly (readonly [readonly string[], FlagFault])[] = [
  [['--tag'], {kind: 'no-value', shown: '--tag'}],
  [['-qt'], {kind: 'no-value', shown: '-t'}],
  [['--push='], {kind: 'no-boolean', shown: '--push', value: ''}],
  [['--push=TrUe'], {kind: 'no-boolean', shown: '--push', value: 'TrUe'}],
  [['-q=maybe'], {kind: 'no-boolean', shown: '-q', value: 'maybe'}],
  [['--print', 'yaml'], {kind: 'no-option', shown: '--print', value: 'yaml', options: ['json', 'none']}],
  [['--Tag', 'a'], {kind: 'unknown', shown: '--Tag'}],
  [['-qx'], {kind: 'unknown', shown: '-x'}],
  [['--=a'], {kind: 'unknown', shown: '--'}],
  [['---tag'], {kind: 'unknown', shown: '---tag'}],
  [['--constructor'], {kind: 'unknown', shown: '--constructor'}],
  [['--__proto__=a'], {kind: 'unknown', shown: '--__proto__'}],
];

describe('readFlags', () => {
  for (const [what, argv, given, words = []] of READ) {
    it(`reads ${what}`, () => {
      expect(read(...argv)).to.deep.equal({given, words, rest: undefined, faults: []});
    });
  }

  it("reads a switch's value as Go's ParseBool does", () => {
    for (const [texts, value] of [
      [['1', 't', 'T', 'TRUE', 'true', 'True'], true],
      [['0', 'f', 'F', 'FALSE', 'false', 'False'], false],
    ] as const)
      for (const text of texts) expect(read(`--push=${text}`).given).to.deep.equal({push: [value]});
  });

  for (const [argv, fault] of FAULTS) {
    it(`finds fault with ${argv.join(' ')}`, () => expect(read(...argv).faults).to.deep.equal([fault]));
  }

  it('reads on behind a fault, and names the flag that waits for its value', () => {
    const {given, words, pending} = readFlags(['--nope', '.', '-q', '--push=x', '-f'], FLAGS);
    expect([Object.fromEntries(given), words, pending]).to.deep.equal([
      {quiet: [true]},
      [{text: '.', index: 1}],
      'file',
    ]);
  });
});

describe('readFlags, for any values', () => {
  /** Whatever a process can be given: anything but NUL. */
  const value = fc
    .oneof(
      fc.constantFrom(
        '',
        '-',
        '--',
        '-t',
        '--tag',
        '--help',
        '--tag=x',
        '=',
        '=x',
        'a=b',
        '$HOME',
        '\n',
        '"',
      ),
      fc.constantFrom(' a b ', "'", '`id`', '\\', 'é😀', '\u2028', '-ü', '--\n', '*', '%PATH%', '\ufeff'),
      fc.string({unit: 'binary'}),
      fc.string().map((text) => `-${text}`),
    )
    .map((text) => text.replaceAll('\0', ''));
  const flag = fc
    .tuple(fc.constantFrom('--tag', '--file', '-t', '-f'), value, fc.boolean())
    .map(([name, text, apart]) => ({
      name: name.startsWith('-t') || name === '--tag' ? 'tag' : 'file',
      text,
      typed: apart || (text === '' && !name.startsWith('--')) ? [name, text] : [`${name}=${text}`],
    }));
  const word = value.filter((text) => text === '-' || !text.startsWith('-'));

  it('gives each value, word and all behind -- byte for byte and in order', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(flag, word), {maxLength: 8}), fc.array(value), (before, rest) => {
        const typed = before.flatMap((one) => (typeof one === 'string' ? [one] : one.typed));
        const {given, ...others} = read(...typed, '--', ...rest);
        expect(others).to.deep.equal({
          words: before.filter((one) => typeof one === 'string'),
          rest,
          faults: [],
        });
        for (const name of ['tag', 'file'])
          expect(given[name] ?? []).to.deep.equal(
            before.flatMap((one) => (typeof one !== 'string' && one.name === name ? [one.text] : [])),
          );
      }),
    );
  });

  it('never throws', () => {
    fc.assert(fc.property(fc.array(value), (argv) => void readFlags(argv, FLAGS)));
  });
});

describe('valuesOf', () => {
  const values = (...argv: readonly string[]) => valuesOf(FLAGS, readFlags(argv, FLAGS).given);

  it('has every flag where none was given', () => {
    expect(values()).to.deep.equal({
      tag: [],
      file: undefined,
      print: undefined,
      push: false,
      quiet: false,
      verbose: false,
    });
  });

  it('has all of a list, and the last of another', () => {
    const given = [
      '-t',
      'a',
      '--tag=b',
      '-f',
      'one',
      '--file',
      'two',
      '--push',
      '--push=false',
      '-q',
      '--print=json',
    ];
    expect(values(...given)).to.include({file: 'two', push: false, quiet: true, print: 'json'});
    expect(values(...given).tag).to.deep.equal(['a', 'b']);
  });
});
