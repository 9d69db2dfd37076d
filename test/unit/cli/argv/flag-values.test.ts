/** Covers the build's flags as typed values, and that oclif would read the same of them. */
import {Parser} from '@oclif/core';
import {expect} from 'chai';
import fc from 'fast-check';
import {readFlagValues} from '../../../../src/cli/argv/flag-values.ts';
import {flags} from '../../../../src/cli/argv/flags.ts';
import {readArgv} from '../../../../src/cli/argv/pflag-argv.ts';
import {BuildCommand} from '../../../../src/cli/help/commands/build.ts';
import {TiltbuildError} from '../../../../src/errors.ts';

const read = (...argv: string[]) => readFlagValues(readArgv(argv, flags).given);

interface Definition {
  readonly type: 'boolean' | 'option';
  readonly options?: readonly string[];
}

/** Words of one flag, as they may be typed. */
const words = fc
  .constantFrom(...Object.entries(flags as unknown as Readonly<Record<string, Definition>>))
  .filter(([name]) => name !== 'help' && name !== 'version')
  .chain(([name, {type, options}]): fc.Arbitrary<readonly string[]> => {
    if (type === 'boolean') return fc.constantFrom([`--${name}`], [`--${name}=false`], [`--${name}=true`]);
    const value = options
      ? fc.constantFrom(...options)
      : fc.constantFrom('', '-x', '--tag', 'a=b', 'two words', '.');
    return value.map((text) => [`--${name}`, text]);
  });

describe('readFlagValues', () => {
  it('has every flag, and nothing where none was given', () => {
    const values = read('.');
    expect(Object.keys(values)).to.deep.equal(Object.keys(flags));
    const {help, version, ...rest} = values;
    expect([help, version]).to.deep.equal([false, false]);
    expect(Object.values(rest).filter((value) => value !== undefined && value !== false)).to.deep.equal([]);
  });

  it('takes all of a repeated flag, the last of another, and what is switched off', () => {
    const values = read(
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
      '.',
    );
    expect(values).to.deep.include({tag: ['a', 'b'], file: 'two', push: false, quiet: true});
  });

  it('refuses what is none of the options, and names them', () => {
    expect(() => read('--print', 'yaml', '.'))
      .to.throw(TiltbuildError, '--print is one of digest, ref, json, none, and not "yaml"')
      .with.property('code', 'usage');
  });

  it('reads as oclif does, whatever is given', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(words, {maxLength: 8}), async (given) => {
        const argv = readArgv([...given.flat(), '.'], flags);
        const byOclif = await Parser.parse([...argv.argv], {
          flags: BuildCommand.flags,
          args: BuildCommand.args,
          strict: true,
        });
        const {json: _, ...values} = byOclif.flags as Record<string, unknown>;
        const present = Object.entries(readFlagValues(argv.given)).filter(
          ([name, value]) => value !== undefined && name !== 'help' && name !== 'version',
        );
        delete values.help;
        delete values.version;
        expect(values).to.deep.equal(Object.fromEntries(present));
      }),
    );
  });
});
