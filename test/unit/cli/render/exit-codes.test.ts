/** Covers the numbers that errors become, and that the help tells them all. */

import {expect} from 'chai';
import {EXIT_CODE_HELP, EXIT_CODE_TABLE, exitCodeOf} from '../../../../src/cli/render/exit-codes.ts';
import {type ErrorCode, Interrupted, TiltbuildError} from '../../../../src/errors.ts';

/** The type makes the compiler demand every code. */
const EXPECTED: Readonly<Record<ErrorCode, number>> = {
  usage: 2,
  'invalid-reference': 2,
  'refused-k3d': 3,
  'refused-unqualified-tag': 3,
  'kubeconfig-missing': 4,
  'kubeconfig-unreadable': 4,
  'kubeconfig-malformed': 4,
  'context-missing': 4,
  'cluster-unreachable': 4,
  'cluster-denied': 4,
  'namespace-missing': 4,
  'builder-failed': 4,
  'builder-image': 4,
  'builder-runtime': 4,
  'pull-secret-missing': 4,
  'tool-missing': 4,
  'build-secret-missing': 4,
  'temporary-files': 4,
  'build-failed': 1,
  'timed-out': 124,
  'digest-missing': 5,
  'reference-unstable': 5,
  'result-not-written': 5,
};

describe('exitCodeOf', () => {
  for (const [code, exitCode] of Object.entries(EXPECTED)) {
    it(`is ${exitCode} for ${code}`, () => {
      expect(exitCodeOf(new TiltbuildError(code as ErrorCode, 'x'))).to.equal(exitCode);
    });
  }

  for (const [signal, exitCode] of [
    ['SIGHUP', 129],
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    it(`is ${exitCode} for ${signal}`, () => expect(exitCodeOf(new Interrupted(signal))).to.equal(exitCode));
  }

  for (const unknown of [new Error('x'), new TypeError('x'), 'x', 5, null, undefined, {code: 'usage'}]) {
    it(`is 70 for ${String(unknown)}`, () => expect(exitCodeOf(unknown)).to.equal(70));
  }
});

describe('the table of exit codes', () => {
  it('has every number that can come out', () => {
    const told = EXIT_CODE_TABLE.flatMap(([codes]) => codes.split(', ').map(Number));
    expect(told).to.have.members([0, ...new Set(Object.values(EXPECTED)), 70, 129, 130, 143]);
  });

  it('is in the help, a line for each row', () => {
    const lines = EXIT_CODE_HELP.split('\n');
    expect(lines).to.have.length(EXIT_CODE_TABLE.length + 1);
    for (const [index, [codes, meaning]] of EXIT_CODE_TABLE.entries()) {
      expect(lines[index + 1]).to.match(/^ {2}\S/);
      expect(lines[index + 1])
        .to.include(codes)
        .and.include(meaning);
    }
  });
});
