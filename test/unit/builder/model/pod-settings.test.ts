/** Covers how the settings of a builder's pods are written on a command line. */
import {expect} from 'chai';
import {
  demandConsistency,
  parseAnnotation,
  parseLabel,
  parseParallelism,
  parseResources,
  parseSnapshotter,
  readQuantity,
} from '../../../../src/builder/model/pod-settings.ts';
import {refusalOf} from '../../../helpers/caught.ts';

describe('readQuantity', () => {
  // As resource.ParseQuantity of Kubernetes has them.
  for (const [text, value] of [
    ...([
      ['0', 0],
      ['1', 1],
      ['+1', 1],
      ['1.', 1],
      ['.5', 0.5],
      ['500m', 0.5],
      ['2Gi', 2 ** 31],
    ] as const),
    ...([
      ['1e3', 1000],
      ['1E3', 1000],
      ['1E', 1e18],
      ['1.5k', 1500],
      ['12e-1', 1.2],
      ['1Ei', 2 ** 60],
    ] as const),
  ]) {
    it(`reads ${text}`, () => expect(readQuantity(text)).to.equal(value));
  }
  for (const text of [
    '',
    '.',
    '-1',
    '1GB',
    '1 Gi',
    '1K',
    '1ki',
    '1e',
    '1e1k',
    'Gi',
    '1toString',
    '1,5',
    '0x1',
  ])
    it(`reads none in ${JSON.stringify(text)}`, () => expect(readQuantity(text)).to.equal(undefined));
});

type Parse = (text: string) => unknown;
const annotation = (text: string) => parseAnnotation('--pod-annotation', text);
const memory = (text: string) => parseResources('limit', undefined, text);
const request = (text: string) => demandConsistency({requests: {cpu: text}, limits: {cpu: '1'}});

const VALID: readonly (readonly [Parse, text: string, value: unknown])[] = [
  [memory, '4Gi', {memory: '4Gi'}],
  [memory, '1M', {memory: '1M'}],
  [memory, '0', {memory: '0'}],
  [parseLabel, 'example.com/team=a', ['example.com/team', 'a']],
  [parseLabel, 'team=', ['team', '']],
  [annotation, 'Example.com/A=b=c d', ['Example.com/A', 'b=c d']],
  [parseParallelism, '16', 16],
  [parseSnapshotter, 'fuse-overlayfs', 'fuse-overlayfs'],
  [request, '1000m', undefined],
];

const INVALID: readonly (readonly [Parse, text: string, reason: string])[] = [
  [memory, '4GB', '--limit-memory "4GB" cannot be used'],
  [memory, '512', '--limit-memory "512" cannot be used: it is less than a megabyte'],
  [memory, '512m', '"512m" cannot be used'],
  [parseLabel, 'team', 'no "="'],
  [parseLabel, 'team=a b', '"a b" is not a valid label value'],
  [parseLabel, '-team=a', '"-team" is not a valid label key'],
  [parseLabel, 'app=x', 'found by "app"'],
  [annotation, 'a b=c', '--pod-annotation "a b=c" cannot be used'],
  [annotation, 'kubectl-tiltbuild/settings=x', 'found by'],
  [annotation, 'buildkit.mobyproject.org/builder=x', 'found by'],
  ...['0', '-1', '1.5', 'all', ''].map((text) => [parseParallelism, text, '--max-parallelism'] as const),
  ...['', 'a b', '-native', 'a"', 'x\n'].map((text) => [parseSnapshotter, text, 'snapshotter'] as const),
  [request, '1001m', '--request-cpu "1001m" is more than --limit-cpu "1"'],
];

describe("the settings of a builder's pods", () => {
  for (const [parse, text, value] of VALID)
    it(`take ${text}`, () => expect(parse(text)).to.deep.equal(value));
  for (const [parse, text, reason] of INVALID) {
    it(`reject ${JSON.stringify(text)}: ${reason}`, () => {
      const {code, message} = refusalOf(() => parse(text));
      expect(code).to.equal('usage');
      expect(message).to.contain(reason);
    });
  }
});
