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
  // pflag wants something behind `=` to take it for the joint: `kubectl … -o=` says: output format "=".
  ['a short flag with = and nothing behind it', ['-t='], {tag: ['=']}],
  ['short switches together', ['-qvv'], {quiet: [true], verbose: [true, true]}],
  ['short switches and a value behind them', ['-qvta'], {quiet: [true], verbose: [true], tag: ['a']}],
  ['short switches and a value apart', ['-qt', 'a'], {quiet: [true], tag: ['a']}],
  ['a switch that is turned off', ['--push', '--push=false'], {push: [true, false]}],
  ['a short switch with a value', ['-q=true'], {quiet: [true]}],
  ['no value apart for a switch', ['--push', 'false'], {push: [true]}, ['false']],
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
  const awkward =
    '|-|--|-t|--tag|--help|--tag=x|=|=x|a=b|$HOME|\n|"| a b |\'|`id`|\\|é😀|\u2028|-ü|--\n|*|%PATH%|\ufeff';
  const value = fc
    .oneof(
      fc.constantFrom(...awkward.split('|')),
      fc.string({unit: 'binary'}),
      fc.string().map((text) => `-${text}`),
    )
    .map((text) => text.replaceAll('\0', ''));
  const flag = fc.tuple(fc.constantFrom('tag', 'file'), value, fc.nat(4)).map(([name, text, form]) => {
    const [long, short] = [`--${name}`, `-${name[0]}`];
    const apart = [short, text];
    const assigned = text === '' ? apart : [`${short}=${text}`];
    const joined = text === '' || text.startsWith('=') ? apart : [`${short}${text}`];
    const typed = [[long, text], [`${long}=${text}`], apart, assigned, joined][form] as readonly string[];
    return {name, text, typed};
  });
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

  it('has every flag, all of a list, and the last value of another', () => {
    const none = {tag: [], file: undefined, print: undefined, push: false, quiet: false, verbose: false};
    expect(values()).to.deep.equal(none);
    const line = '-t a --tag=b -f one --file two --push --push=false -q --print=json';
    expect(values(...line.split(' '))).to.deep.equal({
      ...none,
      ...{tag: ['a', 'b'], file: 'two', quiet: true, print: 'json'},
    });
  });
});
