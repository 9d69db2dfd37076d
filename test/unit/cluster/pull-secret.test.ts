/** Covers which pull secret a build uses, and the error for one that cannot be used. */
import {expect} from 'chai';
import type {Answer, SecretFacts} from '../../../src/cluster/api/facts.ts';
import {
  choosePullSecret,
  type PullSecretChoice,
  resolvePullSecret,
} from '../../../src/cluster/pull-secret.ts';
import {TiltbuildError} from '../../../src/errors.ts';
import {refusalOf} from '../../helpers/caught.ts';

const VARIABLE = 'KUBECTL_BUILD_REGISTRY_SECRET';
const named = (name: string, by: string): PullSecretChoice => ({kind: 'named', name, by});
const byDefault: PullSecretChoice = {kind: 'default', name: 'docker-registry'};
const found = (type: string): Answer<SecretFacts> => ({kind: 'found', value: {type}});
const DOCKERCONFIG = found('kubernetes.io/dockerconfigjson');
const MISSING = {kind: 'missing'} as const;
const FORBIDDEN = {kind: 'forbidden', message: 'secrets "s" is forbidden'} as const;

describe('choosePullSecret', () => {
  for (const [flag, variable, choice] of [
    [undefined, undefined, byDefault],
    ['f', undefined, named('f', '--registry-secret')],
    [undefined, 'v', named('v', VARIABLE)],
    ['f', 'v', named('f', '--registry-secret')],
    ['', 'v', {kind: 'none', by: '--registry-secret'}],
    [undefined, '', {kind: 'none', by: VARIABLE}],
    ['f', '', named('f', '--registry-secret')],
  ] as const) {
    it(`is ${choice.kind} for the flag ${JSON.stringify(flag)} and the variable ${JSON.stringify(variable)}`, () => {
      expect(choosePullSecret(flag, variable)).to.deep.equal(choice);
    });
  }
});

describe('resolvePullSecret', () => {
  const byFlag = named('s', '--registry-secret');
  const byVariable = named('s', VARIABLE);
  for (const [choice, answer, secret] of [
    [byFlag, DOCKERCONFIG, {name: 's', reason: 'given by --registry-secret'}],
    [byVariable, DOCKERCONFIG, {name: 's', reason: `given by ${VARIABLE}`}],
    [byDefault, DOCKERCONFIG, {name: 'docker-registry', reason: 'the default'}],
    [byDefault, MISSING, {reason: 'none: there is no secret "docker-registry"'}],
    [{kind: 'none', by: VARIABLE}, undefined, {reason: `none: ${VARIABLE} is empty`}],
  ] as const) {
    it(`uses ${JSON.stringify(secret)}`, () =>
      expect(resolvePullSecret(choice, answer, 'ns')).to.deep.equal(secret));
  }

  for (const type of ['Opaque', 'kubernetes.io/dockercfg', '', 'kubernetes.io/DockerConfigJson']) {
    it(`does not use a default one of type "${type}", and says so`, () => {
      const {name, note, reason} = resolvePullSecret(byDefault, found(type), 'ns');
      expect([name, reason]).to.deep.equal([
        undefined,
        `none: the secret "docker-registry" is of type ${type}`,
      ]);
      expect(note).to.include(`"ns" is of type ${type}, not kubernetes.io/dockerconfigjson`);
    });
  }

  it('uses one unchecked without permission to read it, and says so', () => {
    const {name, note} = resolvePullSecret(byVariable, FORBIDDEN, 'ns');
    expect(name).to.equal('s');
    expect(note).to.include('unchecked').and.include(FORBIDDEN.message);
  });

  for (const [answer, why] of [
    [MISSING, 'does not exist in namespace "ns"'],
    [found('Opaque'), 'is of type Opaque, not kubernetes.io/dockerconfigjson'],
  ] as const) {
    it(`rejects a named one that ${why}`, () => {
      const error = refusalOf(() => resolvePullSecret(byVariable, answer, 'ns'));
      expect(error.code).to.equal('pull-secret-missing');
      expect(error.message).to.contain(`The pull secret "s" (from ${VARIABLE}) ${why}`);
    });
  }

  it('takes a missing answer for a bug', () => {
    const take = () => resolvePullSecret(byDefault, undefined, 'ns');
    expect(take).to.throw(Error).and.not.instanceOf(TiltbuildError);
  });
});
