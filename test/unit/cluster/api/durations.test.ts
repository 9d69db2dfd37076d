/** Covers lengths of time, among them `--request-timeout`, as client-go's ParseTimeout and Go's ParseDuration read it. */
import {expect} from 'chai';
import {readDuration, readRequestTimeout} from '../../../../src/cluster/api/durations.ts';
import {TiltbuildError} from '../../../../src/errors.ts';

const DEFAULT = 30_000;
/** The longest that a timer of Node's can be; anything above fires at once. */
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
    it(`is no longer than a timer can be for ${text}`, () => {
      expect(readRequestTimeout(text)).to.be.within(DEFAULT, LONGEST);
    });
  }

  for (const text of [
    'soon',
    '5 s',
    ' 5s',
    '5s ',
    '-5s',
    '-5',
    '5S',
    '5d',
    's',
    '.s',
    '1m30',
    '1,5s',
    '5s\n',
    '1e3s',
  ]) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      expect(() => readRequestTimeout(text))
        .to.throw(TiltbuildError, `--request-timeout "${text}" is not a length of time`)
        .with.property('code', 'usage');
    });
  }
});

describe('readDuration', () => {
  for (const [text, milliseconds] of [
    ['0', 0],
    ['0s', 0],
    ['30', 30_000],
    ['1m30s', 90_000],
    ['500ms', 500],
    ['99999999', LONGEST],
  ] as const) {
    it(`is ${milliseconds} ms for ${text}`, () =>
      expect(readDuration('--timeout', text)).to.equal(milliseconds));
  }

  for (const text of ['', 'soon', '-5s', '5 s']) {
    it(`names the flag where it refuses ${JSON.stringify(text)}`, () => {
      expect(() => readDuration('--builder-timeout', text))
        .to.throw(TiltbuildError, `--builder-timeout "${text}" is not a length of time`)
        .with.property('code', 'usage');
    });
  }
});
