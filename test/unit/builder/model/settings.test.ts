/** Covers how a builder's settings are written on a command line. */
import {expect} from 'chai';
import {
  DEFAULT_BUILDER_IMAGE,
  DEFAULT_ROOTLESS_IMAGE,
  parseNodeSelector,
  parseReplicas,
  parseToleration,
} from '../../../../src/builder/model/settings.ts';
import {refusalOf} from '../../../helpers/caught.ts';

describe('the default images', () => {
  it('are pinned to one version of BuildKit', () => {
    expect(DEFAULT_BUILDER_IMAGE).to.match(/:v\d+\.\d+\.\d+$/);
    expect(DEFAULT_ROOTLESS_IMAGE).to.match(/:v\d+\.\d+\.\d+-rootless$/);
  });
});

type Parse = (text: string) => unknown;

const when = (effect: string, key: string, value: string) => ({key, operator: 'Equal', value, effect});
const VALID: readonly (readonly [Parse, text: string, value: unknown])[] = [
  [parseReplicas, '1', 1],
  [parseReplicas, '12', 12],
  [parseReplicas, 'nodes', 'nodes'],
  [parseToleration, 'key=value:NoSchedule', when('NoSchedule', 'key', 'value')],
  [parseToleration, 'key=:NoExecute', when('NoExecute', 'key', '')],
  [parseToleration, 'a.b_c=1:PreferNoSchedule', when('PreferNoSchedule', 'a.b_c', '1')],
  [parseToleration, 'a.io/b:NoExecute', {key: 'a.io/b', operator: 'Exists', effect: 'NoExecute'}],
  [parseToleration, ':NoSchedule', {operator: 'Exists', effect: 'NoSchedule'}],
  [parseNodeSelector, 'disk=ssd,kubernetes.io/arch=amd64', {disk: 'ssd', 'kubernetes.io/arch': 'amd64'}],
  [parseNodeSelector, 'node-role.kubernetes.io/worker=', {'node-role.kubernetes.io/worker': ''}],
  [parseNodeSelector, 'a=1,a=1', {a: '1'}],
  [parseNodeSelector, 'constructor=1', {constructor: '1'}],
];

const INVALID: readonly (readonly [Parse, text: string, reason: string])[] = [
  ...['', '0', '-1', '01', '1.5', '1e3', '10000', 'node', ' 1', 'NODES'].map(
    (text) => [parseReplicas, text, JSON.stringify(text)] as const,
  ),
  [parseToleration, '', 'exactly one ":"'],
  [parseToleration, 'key=value', 'exactly one ":"'],
  [parseToleration, 'key:NoSchedule:NoExecute', 'exactly one ":"'],
  [parseToleration, 'key:', '"" is not an effect'],
  [parseToleration, 'key:noschedule', '"noschedule" is not an effect'],
  [parseToleration, '=value:NoSchedule', '"" is not a valid label key'],
  [parseToleration, '-key:NoSchedule', '"-key" is not a valid label key'],
  [parseToleration, 'Example.com/key:NoSchedule', '"Example.com/key" is not a valid label key'],
  [parseToleration, '/key:NoSchedule', '"/key" is not a valid label key'],
  [parseToleration, 'a/b/c:NoSchedule', '"a/b/c" is not a valid label key'],
  [parseToleration, `${'k'.repeat(64)}:NoSchedule`, 'is not a valid label key'],
  [parseToleration, 'key=a b:NoSchedule', '"a b" is not a valid label value'],
  [parseToleration, 'key=a=b:NoSchedule', '"a=b" is not a valid label value'],
  [parseToleration, `key=${'v'.repeat(64)}:NoSchedule`, 'is not a valid label value'],
  [parseNodeSelector, '', 'has no "="'],
  [parseNodeSelector, 'disk', '"disk" has no "="'],
  [parseNodeSelector, 'a=1,', '"" has no "="'],
  [parseNodeSelector, 'a!=1', '"a!" is not a valid label key'],
  [parseNodeSelector, 'a=1, b=2', '" b" is not a valid label key'],
  [parseNodeSelector, 'a==1', '"=1" is not a valid label value'],
  [parseNodeSelector, 'a=1,a=2', 'two values for "a"'],
];

for (const parse of [parseReplicas, parseToleration, parseNodeSelector]) {
  describe(parse.name, () => {
    for (const [, text, value] of VALID.filter(([parser]) => parser === parse)) {
      it(`reads ${text}`, () => expect(parse(text)).to.deep.equal(value));
    }
    for (const [, text, reason] of INVALID.filter(([parser]) => parser === parse)) {
      it(`rejects ${JSON.stringify(text)}`, () => {
        const {code, message} = refusalOf(() => parse(text));
        expect(code).to.equal('usage');
        expect(message).to.contain(reason);
      });
    }
  });
}
