/** Covers what the command line says of how errors are told, also where it cannot be read. */
import {expect} from 'chai';
import {readReporting} from '../../../../src/cli/argv/reporting.ts';

describe('readReporting', () => {
  for (const [argv, verbosity, json] of [
    [[], 0, false],
    [['-v', '.'], 1, false],
    [['-vv', '.'], 2, false],
    [['-v', '--verbose'], 2, false],
    [['--nope', '--print', 'json'], 0, true],
    [['--print=json', '-x'], 0, true],
    [['--print', 'json', '--print', 'digest'], 0, false],
    [['--', '-vv', '--print=json'], 0, false],
    [['json', 'x'], 0, false],
  ] as const) {
    it(`reads ${argv.join(' ')}`, () => expect(readReporting(argv)).to.deep.equal({verbosity, json}));
  }
});
