/** Covers durations, among them `--request-timeout`, as client-go's ParseTimeout and Go's ParseDuration read it. */
import {expect} from 'chai';
import {readAge, readDuration, readRequestTimeout} from '../../../../src/cluster/api/durations.ts';
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

  for (const text of 'soon|5 s| 5s|5s |-5s|-5|5S|5d|s|.s|1m30|1,5s|5s\n|1e3s|'.split('|')) {
    it(`rejects ${JSON.stringify(text)}`, () => {
      const {code, message} = refusalOf(() => readRequestTimeout(text));
      expect(code).to.equal('usage');
      expect(message).to.equal(`--request-timeout "${text}" is not a valid duration.`);
    });
  }
});

describe('readDuration', () => {
  it('knows zero and no longer timer than there is, and names the flag of an invalid one', () => {
    const read = (text: string) => readDuration('--builder-timeout', text);
    expect(['0', '1m30s', '1000h', '99999999'].map(read)).to.deep.equal([0, 90_000, LONGEST, LONGEST]);
    expect(refusalOf(() => read('soon')).message).to.contain('--builder-timeout "soon"');
  });
});

describe('readAge', () => {
  const read = (text: string) => readAge('--older-than', text);

  it('knows days, and is as long as it says', () => {
    expect(['7d', '24h', '60s', '1000h', '365d'].map(read)).to.deep.equal([
      604_800_000, 86_400_000, 60_000, 3_600_000_000, 31_536_000_000,
    ]);
  });

  for (const text of ['7', 'd', '-1d', '1.5d', '1d12h', 'week'])
    it(`rejects ${text}`, () => expect(refusalOf(() => read(text)).message).to.contain(`"${text}"`));
});
