/** Covers what holds for every command line: values come out byte for byte, whatever they look like. */
import {expect} from 'chai';
import fc from 'fast-check';
import {type FlagSyntax, readArgv, unprotect} from '../../../../src/cli/argv/pflag-argv.ts';

const FLAGS: Readonly<Record<string, FlagSyntax>> = {
  tag: {type: 'option', char: 't', multiple: true},
  label: {type: 'option', multiple: true},
  file: {type: 'option', char: 'f'},
  quiet: {type: 'boolean', char: 'q'},
};

/** Whatever a process can be given: anything but NUL. */
const value = fc
  .oneof(
    fc.constantFrom('', '-', '--', '-t', '--tag', '--help', '-h', '--tag=x', '=', '=x', 'a=b', '$HOME', '\n'),
    fc.constantFrom(' a b ', '"', "'", '`id`', '\\', 'é😀', '\u2028', '-ü', '--\n', '*', '%PATH%', '\ufeff'),
    fc.string({unit: 'binary'}),
    fc.string().map((text) => `-${text}`),
  )
  .map((text) => text.replaceAll('\0', ''));

const occurrence = fc.record({
  name: fc.constantFrom('tag', 'label', 'file'),
  value,
  form: fc.constantFrom('apart', 'joined'),
});

/** Words that are no flags where one is expected. */
const positional = value.filter((text) => text === '-' || !text.startsWith('-'));

type Occurrence = {readonly name: string; readonly value: string; readonly form: string};

const type = ({name, value: text, form}: Occurrence) =>
  form === 'apart' ? [`--${name}`, text] : [`--${name}=${text}`];

describe('readArgv, for any values', () => {
  it('gives them byte for byte and in order, the last one of a single flag', () => {
    fc.assert(
      fc.property(fc.array(occurrence, {maxLength: 8}), (given) => {
        const {argv, positionals} = readArgv(given.flatMap(type), FLAGS);
        expect(positionals).to.deep.equal([]);
        const words = argv.map(unprotect);
        const pairs = words.flatMap((word, index) => (index % 2 ? [] : [[word, words[index + 1]]]));
        for (const name of ['tag', 'label', 'file']) {
          const wanted = given.filter((one) => one.name === name).map((one) => [`--${name}`, one.value]);
          expect(pairs.filter(([word]) => word === `--${name}`)).to.deep.equal(
            name === 'file' ? wanted.slice(-1) : wanted,
          );
        }
        expect(pairs.length).to.equal(words.length / 2);
      }),
    );
  });

  it('gives a value behind a short flag byte for byte', () => {
    fc.assert(
      fc.property(value, (text) => {
        expect(readArgv(['-t', text], FLAGS).argv.map(unprotect)).to.deep.equal(['--tag', text]);
        if (text === '') return;
        expect(readArgv([`-qt=${text}`], FLAGS).argv.map(unprotect)).to.deep.equal([
          '--quiet',
          '--tag',
          text,
        ]);
      }),
    );
  });

  it('never lets one pass for a flag', () => {
    fc.assert(
      fc.property(fc.array(occurrence, {maxLength: 8}), (given) => {
        const {argv} = readArgv(given.flatMap(type), FLAGS);
        for (const [index, word] of argv.entries()) {
          expect(word.startsWith('-')).to.equal(index % 2 === 0);
        }
      }),
    );
  });

  it('keeps positionals, wherever they stand, and everything behind -- verbatim', () => {
    const words = fc.array(fc.oneof(occurrence, positional), {maxLength: 8});
    fc.assert(
      fc.property(words, fc.array(value, {maxLength: 6}), (before, after) => {
        const typed = before.flatMap((one) => (typeof one === 'string' ? [one] : type(one)));
        const read = readArgv([...typed, '--', ...after], FLAGS);
        const positionals = before.filter((one) => typeof one === 'string');
        expect(read.positionals).to.deep.equal(positionals);
        expect(read.argv.slice(read.argv.length - positionals.length)).to.deep.equal(positionals);
        expect(read.passthrough).to.deep.equal(after);
      }),
    );
  });
});
