/** Covers the numbers that errors become where no table of ours says so, and that the help names them. */
import {expect} from 'chai';
import {EXIT_CODE_TABLE, exitCodeOf} from '../../../../src/cli/render/exit-codes.ts';
import {Interrupted, type InterruptSignal} from '../../../../src/errors.ts';

describe('exitCodeOf', () => {
  for (const [signal, number] of [
    ['SIGHUP', 1],
    ['SIGINT', 2],
    ['SIGTERM', 15],
  ] as const satisfies readonly (readonly [InterruptSignal, number])[]) {
    it(`is 128 and the number of ${signal}, as in a shell, and the help has it`, () => {
      expect(exitCodeOf(new Interrupted(signal))).to.equal(128 + number);
      expect(EXIT_CODE_TABLE.at(-1)?.join())
        .to.include(String(128 + number))
        .and.include(signal);
    });
  }

  for (const unknown of [new Error('x'), new TypeError('x'), 'x', 5, null, undefined, {code: 'usage'}]) {
    it(`is 70 for ${String(unknown)}`, () => expect(exitCodeOf(unknown)).to.equal(70));
  }
});
