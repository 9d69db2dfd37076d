/** Covers which credential plugins we run ourselves, and which answers of theirs are valid. */
import {expect} from 'chai';
import fc from 'fast-check';
import type {ExecFields, UserFields} from '../../../../src/cluster/kubeconfig/shape.ts';
import {comesFromPlugin, readPluginAnswer} from '../../../../src/cluster/target/credential-plugin.ts';

const V1 = 'client.authentication.k8s.io/v1';
const V1BETA1 = 'client.authentication.k8s.io/v1beta1';
const EXEC: ExecFields = {apiVersion: V1, command: 'login', interactiveMode: 'Never'};

describe('comesFromPlugin', () => {
  const beta = {...EXEC, apiVersion: V1BETA1, interactiveMode: undefined};
  for (const [what, user, expected] of [
    ['a plugin', {exec: EXEC}, true],
    ['a plugin that can ask the user', {exec: {...EXEC, interactiveMode: 'IfAvailable'}}, true],
    ['a plugin that must ask the user', {exec: {...EXEC, interactiveMode: 'Always'}}, false],
    ['a plugin without interactiveMode, in v1', {exec: {...EXEC, interactiveMode: undefined}}, false],
    ['a plugin without interactiveMode, in v1beta1', {exec: beta}, true],
    ['a plugin of a removed version', {exec: {...EXEC, apiVersion: `${V1}alpha1`}}, false],
    ['a plugin without a command', {exec: {...EXEC, command: ''}}, false],
    ['a plugin beside a token', {exec: EXEC, token: 'x'}, false],
    ['a plugin beside a token file', {exec: EXEC, tokenFile: '/x'}, false],
    ['a plugin beside a certificate', {exec: EXEC, 'client-certificate': '/x'}, false],
    ['a plugin beside a password', {exec: EXEC, username: 'x', password: 'y'}, false],
    ['a plugin that acts as another user', {exec: EXEC, as: 'jane', 'as-groups': ['dev']}, true],
    ['a token', {token: 'x'}, false],
    ['nothing', {}, false],
  ] as readonly (readonly [string, UserFields, boolean])[]) {
    it(`is ${expected} for ${what}`, () => {
      expect(comesFromPlugin({name: 'me', ...user})).to.equal(expected);
    });
  }
});

describe('readPluginAnswer', () => {
  const answer = (status: unknown, rest: object = {}) =>
    readPluginAnswer(JSON.stringify({kind: 'ExecCredential', apiVersion: V1, status, ...rest}), EXEC);

  it('reads a token and its expiration', () => {
    const expirationTimestamp = '2026-11-25T08:00:00Z';
    const expires = Date.UTC(2026, 10, 25, 8);
    expect(answer({token: 't'})).to.deep.equal({fields: {token: 't'}, expires: undefined});
    expect(answer({token: 't', expirationTimestamp})).to.deep.equal({fields: {token: 't'}, expires});
  });

  it('reads a certificate with its key, as a kubeconfig has them', () => {
    expect(answer({clientCertificateData: 'PEM ü', clientKeyData: 'KEY'})?.fields).to.deep.equal({
      'client-certificate-data': Buffer.from('PEM ü').toString('base64'),
      'client-key-data': 'S0VZ',
    });
  });

  for (const [what, status, rest] of [
    ['nothing', undefined, {}],
    ['an empty status', {}, {}],
    ['an empty token', {token: ''}, {}],
    ['a certificate without a key', {clientCertificateData: 'x'}, {}],
    ['a key beside a token', {token: 't', clientKeyData: 'x'}, {}],
    ['another version', {token: 't'}, {apiVersion: V1BETA1}],
    ['another kind', {token: 't'}, {kind: 'Status'}],
  ] as const) {
    it(`rejects ${what}`, () => {
      expect(answer(status, rest)).to.equal(undefined);
    });
  }

  it('rejects any other text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(readPluginAnswer(text, EXEC)).to.equal(undefined);
      }),
    );
  });
});
