/** Covers reading what a real API server answered, and anything else in its place. */

import {expect} from 'chai';
import {readBuilder, readNodeList, readSecretTable, readStatus} from '../../../src/cluster/api-objects.ts';
import {readApiRecording} from '../../helpers/api-samples.ts';

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

  it('refuses a whole Secret, data and all', () => {
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

describe('readBuilder', () => {
  it('reads the labels of the builder that kubectl build made', () => {
    expect(readBuilder(body('builder-by-plugin'))).to.deep.equal({
      labels: {app: 'buildkit', rootless: 'false', runtime: 'containerd', worker: 'containerd'},
    });
  });

  it('skips labels that are no text', () => {
    expect(readBuilder({metadata: {labels: {a: 'b', c: 5, d: null}}})).to.deep.equal({labels: {a: 'b'}});
  });

  for (const nothing of NOTHING) {
    it(`finds no labels in ${JSON.stringify(nothing)}`, () => {
      expect(readBuilder(nothing)).to.deep.equal({labels: {}});
    });
  }
});

describe('readNodeList', () => {
  it('reads the node of a kind cluster', () => {
    expect(readNodeList(body('nodes-kind'))).to.deep.equal([
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

  it('stands a node without anything', () => {
    expect(readNodeList({items: [{}, null]})).to.deep.equal([
      {name: '', providerId: '', labels: {}},
      {name: '', providerId: '', labels: {}},
    ]);
  });

  for (const nothing of NOTHING) {
    it(`finds no nodes in ${JSON.stringify(nothing)}`, () => expect(readNodeList(nothing)).to.deep.equal([]));
  }
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
    it(`takes ${JSON.stringify(text)} for no word of the API server`, () => {
      expect(readStatus(text)).to.equal(undefined);
    });
  }
});
