/** Covers sizes and ages as people read them. */
import {expect} from 'chai';
import {formatAge, formatBytes} from '../../../src/text/amounts.ts';

describe('formatBytes', () => {
  for (const [bytes, text] of [
    [0, '0B'],
    [999, '999B'],
    [1_000, '1.00kB'],
    [1_234_567, '1.23MB'],
    [5e9, '5.00GB'],
    [5e16, '50000.00TB'],
  ] as const) {
    it(`writes ${bytes} bytes as ${text}`, () => expect(formatBytes(bytes)).to.equal(text));
  }
});

describe('formatAge', () => {
  for (const [seconds, text] of [
    [-5, '0s'],
    [119, '119s'],
    [120, '2m'],
    [7200, '2h'],
    [172_800, '2d'],
  ] as const) {
    it(`writes ${seconds} s as ${text}`, () => expect(formatAge(seconds * 1000)).to.equal(text));
  }
});
