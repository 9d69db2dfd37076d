/** Covers which nodes a builder can run on, and which runtime it is created for. */
import {expect} from 'chai';
import {chooseRuntime, listLeftOut, selectBuilderNodes} from '../../../../src/builder/manifest/nodes.ts';
import type {NodeRuntime} from '../../../../src/builder/model/node-runtimes.ts';
import {parseToleration} from '../../../../src/builder/model/settings.ts';
import {hintsOf, refusalOf} from '../../../helpers/caught.ts';
import {nodeRuntime} from '../builder-world.ts';

const ctd = 'containerd://2.1.9';
const docker = 'docker://28.0.1';
const crio = 'cri-o://1.30.0';
const node = (name: string, containerRuntimeVersion: string, more: Partial<NodeRuntime> = {}) =>
  nodeRuntime({name, containerRuntimeVersion, ...more});
const pool = (name: string, version: string) => node(name, version, {labels: {pool: name}});

const UNMATCHED = {pool: 'x', disk: 'ssd'};

type Row<Expected extends readonly unknown[]> = readonly [
  string,
  readonly NodeRuntime[],
  ...Expected,
  Record<string, string>?,
];

describe('chooseRuntime', () => {
  const choose = (nodes: readonly NodeRuntime[], nodeSelector: Record<string, string>) =>
    chooseRuntime(nodes, {nodeSelector, tolerations: []});
  const windows = node('w', docker, {labels: {'kubernetes.io/os': 'windows'}});
  const cordoned = {unschedulable: true};
  for (const [what, nodes, runtime, selector = {}] of [
    ['two of the same', [node('a', ctd), node('b', 'containerd://1.7.27-k3s1')], 'containerd'],
    ['Docker', [node('a', docker)], 'docker'],
    ['Windows nodes beside it', [node('a', ctd), windows], 'containerd'],
    ['cordoned nodes beside it', [node('a', ctd), node('b', docker, cordoned)], 'containerd'],
    ['cordoned nodes only', [node('a', ctd, cordoned)], 'containerd'],
    ['one of two, by the selector', [pool('new', ctd), pool('old', docker)], 'docker', {pool: 'old'}],
  ] as readonly Row<[string]>[]) {
    it(`takes ${runtime} for ${what}`, () => expect(choose(nodes, selector)).to.equal(runtime));
  }

  const host = node('c', ctd, {labels: {'kubernetes.io/hostname': 'c-host'}});
  const mix = [host, ...Array.from({length: 7}, (_, index) => node(`d${index}`, docker))];
  const useless = [node('o', crio), node('d', docker)];
  const [onContainerd, onDocker] = [
    'containerd, for example, kubernetes.io/hostname=c-host',
    'docker, for example, kubernetes.io/hostname=d',
  ];
  for (const [what, nodes, message, detail, remedy, selector = {}] of [
    ['CRI-O', [node('a', crio), node('b', crio)], 'The nodes run cri-o;', 'cri-o: a, b', 'rootless'],
    ['a mix', mix, 'different', 'containerd: c\ndocker: d0, d1, d2, d3, d4 and 2 more', onContainerd],
    ['a mix with a useless one', useless, 'different container runtimes', 'cri-o: o\ndocker: d', onDocker],
    ['one that reports none', [node('a', '')], 'an unknown runtime', 'an unknown runtime: a', ''],
    ['a version without a form', [node('a', 'containerd')], '"containerd"', '"containerd": a', ''],
    ['no node', [], 'no Linux node', '', 'Add a node'],
    [
      'no match',
      [node('a', ctd)],
      'the labels pool=x, disk=ssd',
      'a',
      'Correct the node selector',
      UNMATCHED,
    ],
  ] as readonly Row<[string, string, string]>[]) {
    it(`rejects ${what}`, () => {
      const error = refusalOf(() => choose(nodes, selector));
      expect([error.code, error.detail.join('\n')]).to.deep.equal(['builder-runtime', detail]);
      expect(error.message).to.contain(message);
      expect(hintsOf(error)).to.contain(remedy);
    });
  }
});

describe('selectBuilderNodes', () => {
  const controlPlane = {key: 'node-role.kubernetes.io/control-plane', value: '', effect: 'NoSchedule'};
  const dedicated = {key: 'dedicated', value: 'ci', effect: 'NoExecute'};
  const preferred = {...controlPlane, effect: 'PreferNoSchedule'};
  for (const [what, changes, tolerations, expected] of [
    ['an open node', {}, [], true],
    ['a taint', {taints: [controlPlane]}, [], false],
    ['a taint that is a preference', {taints: [preferred]}, [], true],
    ['a tolerated taint', {taints: [controlPlane]}, [`${controlPlane.key}:NoSchedule`], true],
    ['a taint of another effect', {taints: [controlPlane]}, [`${controlPlane.key}:NoExecute`], false],
    ['a tolerated value', {taints: [dedicated]}, ['dedicated=ci:NoExecute'], true],
    ['another value', {taints: [dedicated]}, ['dedicated=web:NoExecute'], false],
    ['one of two taints tolerated', {taints: [controlPlane, dedicated]}, [':NoSchedule'], false],
    ['both tolerated', {taints: [controlPlane, dedicated]}, [':NoSchedule', 'dedicated:NoExecute'], true],
    ['a cordoned node', {unschedulable: true}, [], false],
    ['a tolerated cordon', {unschedulable: true}, [':NoSchedule'], true],
  ] as readonly (readonly [string, Partial<NodeRuntime>, readonly string[], boolean])[]) {
    it(`${expected ? 'has' : 'leaves out'} ${what}, beside one that is open`, () => {
      const nodes = [node('open', ctd), node('a', ctd, changes)];
      const placement = {nodeSelector: {}, tolerations: tolerations.map(parseToleration)};
      const names = selectBuilderNodes(nodes, placement).map(({name}) => name);
      expect(names).to.deep.equal(expected ? ['open', 'a'] : ['open']);
    });
  }
});

describe('listLeftOut', () => {
  const taint = (key: string, value: string, effect = 'NoSchedule') => ({taints: [{key, value, effect}]});
  const labels = {pool: 'build'};
  const placement = {nodeSelector: labels, tolerations: [parseToleration('gpu:NoSchedule')]};
  it('names the nodes that take no builder, and why', () => {
    const left = listLeftOut(
      [
        node('used', ctd, {labels}),
        node('tolerated', ctd, {labels, ...taint('gpu', 'a100')}),
        node('soft', ctd, {labels, ...taint('x', '', 'PreferNoSchedule')}),
        node('windows', ctd, {labels: {...labels, 'kubernetes.io/os': 'windows'}}),
        node('other', ctd, {labels: {pool: 'web'}}),
        node('cordoned', ctd, {labels, unschedulable: true}),
        node('control', ctd, {labels, ...taint('node-role.kubernetes.io/control-plane', '')}),
        node('paid', ctd, {labels, ...taint('team', 'a', 'NoExecute')}),
      ],
      placement,
    );
    expect(left.map(({name, why}) => `${name} ${why}`)).to.deep.equal([
      'windows runs windows',
      'other does not have the label pool=build',
      'cordoned is cordoned',
      'control has the taint node-role.kubernetes.io/control-plane:NoSchedule',
      'paid has the taint team=a:NoExecute',
    ]);
  });
});
