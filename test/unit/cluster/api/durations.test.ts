/** Covers durations, among them `--request-timeout`, as client-go's ParseTimeout and Go's ParseDuration read it. */
import {expect} from 'chai';
import {readDuration, readRequestTimeout} from '../../../../src/cluster/api/durations.ts';
import {refusalOf} from '../../../helpers/caught.ts';

const DEFAULT = 30_000;
/** The longest delay of a timer in Node; a longer one fires at once. */
const LONGEST = 2 ** 31 - 1;

describe('readRequestTimeout', () => {
  for (const [text, milliseconds] of [
    [undefined, DEFAULT],
    ['0', DEFAULT],
    ['0s', DEFAULT],
    ['00', DEFAULT],
    ['0h0m0s', DEFAULT],
    ['30', 30_000],
    ['1', 1000],
    ['5s', 5000],
    ['+5s', 5000],
    ['500ms', 500],
    ['1m30s', 90_000],
    ['1h1m1s1ms', 3_661_001],
    ['1.5s', 1500],
    ['.5s', 500],
    ['1.s', 1000],
    ['1s1s', 2000],
    ['2000us', 2],
    ['2000µs', 2], // U+00B5, the micro sign
    ['2000μs', 2], // U+03BC, the Greek letter
    ['3000000ns', 3],
  ] as const) {
    it(`is ${milliseconds} ms for ${text}`, () => expect(readRequestTimeout(text)).to.equal(milliseconds));
  }

  for (const text of ['1000h', '99999999']) {
    it(`does not exceed the longest timer for ${text}`, () => {
      expect(readRequestTimeout(text)).to.be.within(DEFAULT, LONGEST);
    });
  }

  for (const text of 'soon|5 s| 5s|5s |-5s|-5|5S|5d|s|.s|1m30|1,5s|5s\n|1e3s|'.split('|')) {
    it(`rejects ${JSON.stringify(text)}`, () => {
      const {code, message} = refusalOf(() => readRequestTimeout(text));
      expect({code, message}).to.deep.equal({
        code: 'usage',
        message: `--request-timeout "${text}" is not a valid duration.`,
      });
    });
  }
});

describe('readDuration', () => {
  for (const [text, milliseconds] of [
    ['0', 0],
    ['1m30s', 90_000],
    ['99999999', LONGEST],
  ] as const) {
    it(`is ${milliseconds} ms for ${text}`, () =>
      expect(readDuration('--timeout', text)).to.equal(milliseconds));
  }

  it('names the flag of an invalid duration', () => {
    const {message} = refusalOf(() => readDuration('--builder-timeout', 'soon'));
    expect(message).to.equal('--builder-timeout "soon" is not a valid duration.');
  });
});
