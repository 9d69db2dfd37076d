/** Covers reading the answers of a real API server, and anything else in their place. */
import {expect} from 'chai';
import {
  mapAnswer,
  readItems,
  readNodes,
  readRulesReview,
  readSecretNames,
  readSecretTable,
  readSelfReview,
  readStatus,
  rulesReview,
} from '../../../../src/cluster/api/objects.ts';
import {readApiRecording, readBuilderRecording} from '../../../helpers/api-samples.ts';

const body = (name: string) => readApiRecording(name).body;
const rule = {verbs: ['get'], apiGroups: [''], resources: ['pods'], resourceNames: ['a']};

describe('the readers of answers', () => {
  const emptyNode = {name: '', providerId: '', labels: {}};
  const nothing = [undefined, null, 5, 'text', [], {}, {items: 5, metadata: null, rows: {}, kind: 'Table'}];
  for (const answer of [...nothing, {status: {resourceRules: null}}]) {
    it(`find nothing in ${JSON.stringify(answer)}`, () => {
      const {length} = readSecretNames(answer) ?? [];
      const read = [readSecretTable(answer), length, readSelfReview(answer), readItems(answer)];
      expect(read).to.deep.equal([undefined, 0, '', []]);
      expect(readRulesReview(answer)).to.equal(undefined);
      expect(readNodes([answer])).to.deep.equal([emptyNode]);
    });
  }
});

describe('readSecretTable', () => {
  for (const [name, found] of [
    ['secret-table', {type: 'kubernetes.io/dockerconfigjson'}],
    ['secret-opaque-table', {type: 'Opaque'}],
    ...['secret-partial', 'secret-missing', 'forbidden-secret', 'nodes-kind', 'version'].map((name) => [
      name,
    ]),
  ] as const) {
    it(`reads ${found ? 'the type' : 'no type'} from the recording ${name}`, () => {
      expect(readSecretTable(body(name as string))).to.deep.equal(found);
    });
  }

  it('rejects a whole Secret with its data', () => {
    const secret = {kind: 'Secret', apiVersion: 'v1', type: 'Opaque', data: {password: 'aHVudGVyMg=='}};
    for (const whole of [secret, {kind: 'SecretList', items: [secret]}]) {
      expect(readSecretTable(whole)).to.equal(undefined);
      expect(readSecretNames(whole)).to.equal(undefined);
    }
  });

  it('goes by the name of the column, and keeps nothing but the type', () => {
    const definitions = [{name: 'Data'}, {name: 'Type'}];
    const row = {cells: ['hunter2', 'Opaque'], object: {kind: 'Secret', data: {a: 'hunter2'}}};
    const read = (columnDefinitions: readonly object[], ...rows: readonly object[]) =>
      readSecretTable({kind: 'Table', columnDefinitions, rows});
    expect(read(definitions, row)).to.deep.equal({type: 'Opaque'});
    const others = [{name: 'Data'}, {name: 'Age'}];
    for (const none of [read(others, row), read(definitions), read(definitions, {cells: ['x', 5]})])
      expect(none).to.equal(undefined);
  });
});

describe('readSecretNames', () => {
  it('reads names alone from the recording secrets-table-by-type', () => {
    expect(readSecretNames(body('secrets-table-by-type'))).to.deep.equal(['docker-registry']);
  });
});

describe('readSelfReview', () => {
  it("reads the user's name", () => {
    expect(readSelfReview({status: {userInfo: {username: 'jane', groups: ['a']}}})).to.equal('jane');
  });
});

describe('readNodes', () => {
  it('reads the node of a kind cluster', () => {
    const [node, ...others] = readNodes(readItems(body('nodes-kind')));
    expect(node).to.include({
      name: 'kind-control-plane',
      providerId: 'kind://docker/kind/kind-control-plane',
    });
    expect(node?.labels)
      .to.include({'kubernetes.io/os': 'linux'})
      .and.have.property('kubernetes.io/hostname');
    expect(others).to.deep.equal([]);
  });

  it('skips labels that are not strings', () => {
    expect(readNodes([{metadata: {labels: {a: 'b', c: 5, d: null}}}])[0]?.labels).to.deep.equal({a: 'b'});
  });
});

describe('readRulesReview', () => {
  const review = (status: unknown) => readRulesReview({kind: 'SelfSubjectRulesReview', status});
  const none = {verbs: [], apiGroups: [], resources: [], resourceNames: []};
  const denied = readBuilderRecording('can-i-denied').body;
  for (const [what, read, rules] of [
    [
      'the rules, also incomplete ones',
      {resourceRules: [rule, {verbs: ['*']}, null], incomplete: false},
      [rule, {...none, verbs: ['*']}, none],
    ],
    ['that there are none', {resourceRules: []}, []],
    ['no list that is not whole', {resourceRules: [rule], incomplete: true, evaluationError: 'x'}, undefined],
    ['no other review', denied.status, undefined],
  ] as const) {
    it(`reads ${what}`, () => expect(review(read)).to.deep.equal(rules));
  }

  it('is asked for by namespace', () => {
    expect(rulesReview('ns')).to.deep.include({kind: 'SelfSubjectRulesReview', spec: {namespace: 'ns'}});
  });
});

describe('mapAnswer', () => {
  it('changes what was found, and no other answer', () => {
    const length = (text: string) => text.length;
    const forbidden = {kind: 'forbidden', message: 'no'} as const;
    expect(mapAnswer({kind: 'found', value: 'abc'}, length)).to.deep.equal({kind: 'found', value: 3});
    expect(mapAnswer(forbidden, length)).to.equal(forbidden);
  });
});

describe('readStatus', () => {
  for (const [text, message] of [
    [JSON.stringify(body('secret-missing')), 'secrets "nope" not found'],
    [JSON.stringify(body('unauthorized')), 'Unauthorized'],
    ['<html>Bad gateway</html>\n', undefined],
    ['', undefined],
    ['{"message":"not found"}', undefined],
    ['{"kind":"Status","message":5}', undefined],
    ['null', undefined],
  ] as const) {
    it(`reads ${message} from ${JSON.stringify(text)}`, () => expect(readStatus(text)).to.equal(message));
  }
});
