/** Covers the builder's name, the runtime it exports into, and the right to read it. */

import {expect} from 'chai';
import {readBuilder} from '../../../src/cluster/api-objects.ts';
import {builderRuntime, chooseBuilder, demandBuilderAccess} from '../../../src/cluster/builder.ts';
import type {Answer, BuilderFacts} from '../../../src/cluster/facts.ts';
import {TiltbuildError} from '../../../src/errors.ts';
import {readApiRecording} from '../../helpers/api-samples.ts';

const found = (labels: Record<string, string>): Answer<BuilderFacts> => ({kind: 'found', value: {labels}});
const MISSING = {kind: 'missing'} as const;
const FORBIDDEN = {kind: 'forbidden', message: 'deployments.apps "buildkit" is forbidden'} as const;

describe('chooseBuilder', () => {
  for (const [flag, variable, builder] of [
    [undefined, undefined, {name: 'buildkit', given: false}],
    ['', '', {name: 'buildkit', given: false}],
    ['f', undefined, {name: 'f', given: true}],
    [undefined, 'v', {name: 'v', given: true}],
    ['f', 'v', {name: 'f', given: true}],
    ['', 'v', {name: 'v', given: true}],
    ['buildkit', undefined, {name: 'buildkit', given: true}],
  ] as const) {
    it(`takes flag ${flag} and variable ${variable} for ${builder.name}`, () => {
      expect(chooseBuilder(flag, variable)).to.deep.equal(builder);
    });
  }
});

describe('builderRuntime', () => {
  for (const [what, answer, product, runtime] of [
    [
      'the recorded builder',
      {kind: 'found', value: readBuilder(readApiRecording('builder-by-plugin').body)},
      'kind',
      'containerd',
    ],
    ['containerd', found({runtime: 'containerd'}), 'unknown', 'containerd'],
    ['rootless containerd', found({runtime: 'containerd', rootless: 'true'}), 'kind', 'other'],
    ['docker', found({runtime: 'docker', rootless: 'false'}), 'kind', 'other'],
    ['no label', found({}), 'kind', 'other'],
    ['no builder on kind', MISSING, 'kind', 'containerd'],
    ['no builder on minikube', MISSING, 'minikube', 'unknown'],
    ['no builder, who knows where', MISSING, 'unknown', 'unknown'],
    ['one that may not be read', FORBIDDEN, 'kind', 'unknown'],
    ['one that was not asked for', undefined, 'kind', 'unknown'],
  ] as const) {
    it(`is ${runtime} for ${what}`, () => expect(builderRuntime(answer, product)).to.equal(runtime));
  }
});

describe('demandBuilderAccess', () => {
  for (const answer of [undefined, MISSING, found({})]) {
    it(`is content with ${answer?.kind ?? 'nothing asked'}`, () => {
      expect(() => demandBuilderAccess(answer, 'ns')).not.to.throw();
    });
  }

  it('refuses where kubectl build would retry for ever', () => {
    const demand = () => demandBuilderAccess(FORBIDDEN, 'ns');
    expect(demand)
      .to.throw(TiltbuildError, 'read Deployments in namespace "ns"')
      .with.property('code', 'cluster-denied');
    expect(demand).to.throw().with.property('detail').that.deep.equals([FORBIDDEN.message]);
  });
});
