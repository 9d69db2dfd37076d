/** Covers how a builder's settings are written on a command line. */
import {expect} from 'chai';
import {
  DEFAULT_BUILDER_IMAGE,
  DEFAULT_ROOTLESS_IMAGE,
  defaultBuilderSettings,
  parseNodeSelector,
  parseReplicas,
  parseToleration,
  takesBuilder,
} from '../../../../src/builder/model/settings.ts';
import {TiltbuildError} from '../../../../src/errors.ts';

function usageFault(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof TiltbuildError && error.code === 'usage' && error.remedy.length > 0)
      return error.message;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('defaultBuilderSettings', () => {
  it('pins the image to one version of BuildKit', () => {
    expect(defaultBuilderSettings('buildkit', 'default').image).to.equal(DEFAULT_BUILDER_IMAGE);
    expect(defaultBuilderSettings('buildkit', 'default', true).image).to.equal(DEFAULT_ROOTLESS_IMAGE);
    expect(DEFAULT_BUILDER_IMAGE).to.match(/:v\d+\.\d+\.\d+$/);
    expect(DEFAULT_ROOTLESS_IMAGE).to.match(/:v\d+\.\d+\.\d+-rootless$/);
  });
});

describe('parseReplicas', () => {
  it('takes a number from 1 up, or "nodes"', () => {
    expect(parseReplicas('1')).to.equal(1);
    expect(parseReplicas('12')).to.equal(12);
    expect(parseReplicas('nodes')).to.equal('nodes');
  });

  for (const text of ['', '0', '-1', '01', '1.5', '1e3', '10000', 'node', ' 1', 'NODES']) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      expect(usageFault(() => parseReplicas(text))).to.contain(JSON.stringify(text));
    });
  }
});

describe('parseToleration', () => {
  for (const [text, expected] of [
    ['key=value:NoSchedule', {key: 'key', operator: 'Equal', value: 'value', effect: 'NoSchedule'}],
    ['key=:NoExecute', {key: 'key', operator: 'Equal', value: '', effect: 'NoExecute'}],
    ['key:NoExecute', {key: 'key', operator: 'Exists', effect: 'NoExecute'}],
    [':NoSchedule', {operator: 'Exists', effect: 'NoSchedule'}],
    [
      'node-role.kubernetes.io/control-plane:NoSchedule',
      {key: 'node-role.kubernetes.io/control-plane', operator: 'Exists', effect: 'NoSchedule'},
    ],
    ['a.b_c=1:PreferNoSchedule', {key: 'a.b_c', operator: 'Equal', value: '1', effect: 'PreferNoSchedule'}],
  ] as const) {
    it(`reads ${text}`, () => {
      expect(parseToleration(text)).to.deep.equal(expected);
    });
  }

  for (const [text, reason] of [
    ['', 'no one ":"'],
    ['key', 'no one ":"'],
    ['key=value', 'no one ":"'],
    ['key:NoSchedule:NoExecute', 'no one ":"'],
    ['key:', '"" is not an effect'],
    ['key:noschedule', '"noschedule" is not an effect'],
    ['=value:NoSchedule', '"" is not a key'],
    ['-key:NoSchedule', '"-key" is not a key'],
    ['Example.com/key:NoSchedule', '"Example.com/key" is not a key'],
    ['/key:NoSchedule', '"/key" is not a key'],
    ['a/b/c:NoSchedule', '"a/b/c" is not a key'],
    [`${'k'.repeat(64)}:NoSchedule`, 'is not a key'],
    ['key=a b:NoSchedule', '"a b" is not a value'],
    ['key=a=b:NoSchedule', '"a=b" is not a value'],
    [`key=${'v'.repeat(64)}:NoSchedule`, 'is not a value'],
  ] as const) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      expect(usageFault(() => parseToleration(text))).to.contain(reason);
    });
  }
});

describe('parseNodeSelector', () => {
  it('reads labels with commas between', () => {
    expect(parseNodeSelector('disk=ssd')).to.deep.equal({disk: 'ssd'});
    expect(parseNodeSelector('disk=ssd,kubernetes.io/arch=amd64')).to.deep.equal({
      disk: 'ssd',
      'kubernetes.io/arch': 'amd64',
    });
  });

  it('reads an empty value, as the labels of roles have it', () => {
    expect(parseNodeSelector('node-role.kubernetes.io/worker=')).to.deep.equal({
      'node-role.kubernetes.io/worker': '',
    });
  });

  it('takes the same label twice, and keeps a key that an object has anyway', () => {
    expect(parseNodeSelector('a=1,a=1')).to.deep.equal({a: '1'});
    expect(Object.keys(parseNodeSelector('constructor=1'))).to.deep.equal(['constructor']);
  });

  for (const [text, reason] of [
    ['', 'has no "="'],
    ['disk', '"disk" has no "="'],
    ['a=1,', '"" has no "="'],
    ['a!=1', '"a!" is not a key'],
    ['=1', '"" is not a key'],
    ['a=1, b=2', '" b" is not a key'],
    ['a==1', '"=1" is not a value'],
    ['a=1,a=2', 'two values for "a"'],
  ] as const) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      expect(usageFault(() => parseNodeSelector(text))).to.contain(reason);
    });
  }
});

describe('takesBuilder', () => {
  const controlPlane = {key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule'};
  const dedicated = {key: 'dedicated', value: 'ci', effect: 'NoExecute'};
  for (const [what, node, tolerations, expected] of [
    ['an open node', {}, [], true],
    ['a taint', {taints: [controlPlane]}, [], false],
    ['a taint that only asks', {taints: [{...controlPlane, effect: 'PreferNoSchedule'}]}, [], true],
    ['a tolerated taint', {taints: [controlPlane]}, [`${controlPlane.key}:NoSchedule`], true],
    ['a taint of another effect', {taints: [controlPlane]}, [`${controlPlane.key}:NoExecute`], false],
    ['a tolerated value', {taints: [dedicated]}, ['dedicated=ci:NoExecute'], true],
    ['another value', {taints: [dedicated]}, ['dedicated=web:NoExecute'], false],
    ['one of two taints tolerated', {taints: [controlPlane, dedicated]}, [':NoSchedule'], false],
    ['both tolerated', {taints: [controlPlane, dedicated]}, [':NoSchedule', 'dedicated:NoExecute'], true],
    ['a cordoned node', {unschedulable: true}, [], false],
    ['a tolerated cordon', {unschedulable: true}, [':NoSchedule'], true],
  ] as const) {
    it(`says ${expected ? 'yes' : 'no'} for ${what}`, () => {
      expect(takesBuilder(node, tolerations.map(parseToleration))).to.equal(expected);
    });
  }
});
