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
const NOTHING = [undefined, null, 5, 'text', [], {}, {items: 5, metadata: null, rows: {}, kind: 'Table'}];

describe('readSecretTable', () => {
  for (const [name, type] of [
    ['secret-table', 'kubernetes.io/dockerconfigjson'],
    ['secret-opaque-table', 'Opaque'],
  ] as const) {
    it(`reads the type from the recording ${name}`, () => {
      expect(readSecretTable(body(name))).to.deep.equal({type});
    });
  }

  for (const name of ['secret-partial', 'secret-missing', 'forbidden-secret', 'nodes-kind', 'version']) {
    it(`finds no type in the recording ${name}`, () => {
      expect(readSecretTable(body(name))).to.equal(undefined);
    });
  }

  it('rejects a whole Secret with its data', () => {
    const secret = {kind: 'Secret', apiVersion: 'v1', type: 'Opaque', data: {password: 'aHVudGVyMg=='}};
    expect(readSecretTable(secret)).to.equal(undefined);
    expect(readSecretTable({kind: 'SecretList', items: [secret]})).to.equal(undefined);
  });

  it('goes by the name of the column, and keeps nothing but the type', () => {
    const table = {
      kind: 'Table',
      columnDefinitions: [{name: 'Data'}, {name: 'Type'}],
      rows: [{cells: ['hunter2', 'Opaque'], object: {kind: 'Secret', data: {a: 'hunter2'}}}],
    };
    expect(readSecretTable(table)).to.deep.equal({type: 'Opaque'});
    expect(readSecretTable({...table, columnDefinitions: [{name: 'Data'}, {name: 'Age'}]})).to.equal(
      undefined,
    );
    expect(readSecretTable({...table, rows: []})).to.equal(undefined);
    expect(readSecretTable({...table, rows: [{cells: ['x', 5]}]})).to.equal(undefined);
  });

  for (const nothing of NOTHING) {
    it(`finds no type in ${JSON.stringify(nothing)}`, () =>
      expect(readSecretTable(nothing)).to.equal(undefined));
  }
});

describe('readSecretNames', () => {
  it('reads names alone from the recording secrets-table-by-type', () => {
    expect(readSecretNames(body('secrets-table-by-type'))).to.deep.equal(['docker-registry']);
  });

  it('rejects a list of whole Secrets', () => {
    expect(readSecretNames({kind: 'SecretList', items: [{data: {a: 'hunter2'}}]})).to.equal(undefined);
  });

  for (const nothing of NOTHING) {
    it(`finds no name in ${JSON.stringify(nothing)}`, () =>
      expect(readSecretNames(nothing) ?? []).to.deep.equal([]));
  }
});

describe('readSelfReview', () => {
  it("reads the user's name", () => {
    expect(readSelfReview({status: {userInfo: {username: 'jane', groups: ['a']}}})).to.equal('jane');
  });

  for (const nothing of NOTHING) {
    it(`finds nobody in ${JSON.stringify(nothing)}`, () => expect(readSelfReview(nothing)).to.equal(''));
  }
});

describe('readItems', () => {
  it('gives the objects of a list as they came', () => {
    const list = body('nodes-kind') as {items: unknown[]};
    expect(readItems(list)).to.equal(list.items).and.have.length(1);
  });

  for (const nothing of NOTHING) {
    it(`finds no objects in ${JSON.stringify(nothing)}`, () => expect(readItems(nothing)).to.deep.equal([]));
  }
});

describe('readNodes', () => {
  it('reads the node of a kind cluster', () => {
    expect(readNodes(readItems(body('nodes-kind')))).to.deep.equal([
      {
        name: 'kind-control-plane',
        providerId: 'kind://docker/kind/kind-control-plane',
        labels: {
          'beta.kubernetes.io/arch': 'amd64',
          'beta.kubernetes.io/os': 'linux',
          'kubernetes.io/arch': 'amd64',
          'kubernetes.io/hostname': 'kind-control-plane',
          'kubernetes.io/os': 'linux',
        },
      },
    ]);
  });

  it('skips labels that are not strings', () => {
    const [node] = readNodes([{metadata: {labels: {a: 'b', c: 5, d: null}}}]);
    expect(node).to.deep.equal({name: '', providerId: '', labels: {a: 'b'}});
  });

  for (const nothing of NOTHING) {
    it(`reads ${JSON.stringify(nothing)} as an empty node`, () => {
      expect(readNodes([nothing])).to.deep.equal([{name: '', providerId: '', labels: {}}]);
    });
  }
});

describe('readRulesReview', () => {
  const rule = {verbs: ['get'], apiGroups: [''], resources: ['pods'], resourceNames: ['a']};
  const review = (status: unknown) => readRulesReview({kind: 'SelfSubjectRulesReview', status});

  it('reads the rules, also incomplete ones', () => {
    expect(review({resourceRules: [rule, {verbs: ['*']}, null], incomplete: false})).to.deep.equal([
      rule,
      {verbs: ['*'], apiGroups: [], resources: [], resourceNames: []},
      {verbs: [], apiGroups: [], resources: [], resourceNames: []},
    ]);
  });

  it('reads that there are none', () => expect(review({resourceRules: []})).to.deep.equal([]));

  it('rejects an incomplete list', () => {
    const status = {resourceRules: [rule], incomplete: true, evaluationError: 'webhook'};
    expect(review(status)).to.equal(undefined);
  });

  it('rejects another review', () => {
    const denied = readBuilderRecording('can-i-denied') as {body: unknown};
    expect(readRulesReview(denied.body)).to.equal(undefined);
  });

  for (const nothing of [...NOTHING, {status: {resourceRules: null}}]) {
    it(`finds no rules in ${JSON.stringify(nothing)}`, () => {
      expect(readRulesReview(nothing)).to.equal(undefined);
    });
  }

  it('is asked for by namespace', () => {
    expect(rulesReview('ns')).to.deep.equal({
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectRulesReview',
      spec: {namespace: 'ns'},
    });
  });
});

describe('mapAnswer', () => {
  it('changes what was found, and no other answer', () => {
    const length = (text: string) => text.length;
    const forbidden = {kind: 'forbidden', message: 'no'} as const;
    expect(mapAnswer({kind: 'found', value: 'abc'}, length)).to.deep.equal({kind: 'found', value: 3});
    expect(mapAnswer({kind: 'missing'}, length)).to.deep.equal({kind: 'missing'});
    expect(mapAnswer(forbidden, length)).to.equal(forbidden);
  });
});

describe('readStatus', () => {
  for (const [name, message] of [
    ['secret-missing', 'secrets "nope" not found'],
    ['unauthorized', 'Unauthorized'],
  ] as const) {
    it(`reads the message of the recording ${name}`, () => {
      expect(readStatus(JSON.stringify(body(name)))).to.equal(message);
    });
  }

  for (const text of [
    '<html>Bad gateway</html>\n',
    '',
    '{"message":"not found"}',
    '{"kind":"Status","message":5}',
    'null',
  ]) {
    it(`finds no message in ${JSON.stringify(text)}`, () => {
      expect(readStatus(text)).to.equal(undefined);
    });
  }
});
