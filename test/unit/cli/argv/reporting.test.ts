/** Covers what a line says of how errors are reported, also where it is wrong. */
import {expect} from 'chai';
import {readReporting} from '../../../../src/cli/argv/reporting.ts';

describe('readReporting', () => {
  for (const [line, verbosity, json] of [
    ['', 0, false],
    ['-v .', 1, false],
    ['-qvv .', 2, false],
    ['-v --verbose', 2, false],
    ['--nope --print json', 0, true],
    ['--print=json -x', 0, true],
    ['--print json --print digest', 0, false],
    ['-t -vv --build-arg --print=json', 0, false],
    ['-- -vv --print=json', 0, false],
    ['--build-arg -vv .', 0, false],
    ['. -- --build-arg --print=json', 0, false],
    ['builder ls --print json', 0, true],
  ] as const) {
    it(`reads ${line || 'nothing'}`, () =>
      expect(readReporting(line.split(' '))).to.deep.equal({verbosity, json}));
  }
});
