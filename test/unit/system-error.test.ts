/** Covers the sentences for errors of the system. */
import {expect} from 'chai';
import {describeSystemError} from '../../src/system-error.ts';

const CASES = [
  [{code: 'EIO', syscall: 'read'}, 'Could not read "a": the device reported an error.'],
  [{code: 'ENOSPC', syscall: 'write'}, 'Could not write "a": the disk is full.'],
  [
    {code: 'ENOENT', syscall: 'spawn b', path: 'b'},
    'Could not start "b": it or its interpreter does not exist.',
  ],
  [
    {code: 'EMFILE', syscall: 'spawn'},
    'Could not start a program for "a": too many files are open in this process (ulimit -n).',
  ],
] as const;

describe('describeSystemError', () => {
  for (const [fields, message] of CASES) {
    it(`says: ${message}`, () => {
      const error = Object.assign(new Error('words of the system'), fields);
      expect(describeSystemError(error, '"a"')).to.have.property('message', message);
    });
  }

  it('leaves an error of the program itself as it is', () => {
    const error = Object.assign(new TypeError('x'), {code: 'ERR_INVALID_ARG_TYPE'});
    expect(describeSystemError(error)).to.equal(error);
  });
});
