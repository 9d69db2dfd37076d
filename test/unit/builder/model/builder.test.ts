/** Covers the builder's name, and the runtime that it exports into. */
import {expect} from 'chai';
import {builderRuntime, chooseBuilder} from '../../../../src/builder/model/builder.ts';
import {readBuilderDeployment} from '../../../../src/builder/model/objects.ts';
import {readApiRecording} from '../../../helpers/api-samples.ts';

const labelled = (labels: Record<string, string>) => readBuilderDeployment({metadata: {labels}});

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
  for (const [what, deployment, product, runtime] of [
    [
      'the recorded builder',
      readBuilderDeployment(readApiRecording('builder-by-plugin').body),
      'kind',
      'containerd',
    ],
    ['containerd', labelled({runtime: 'containerd'}), 'unknown', 'containerd'],
    ['rootless containerd', labelled({runtime: 'containerd', rootless: 'true'}), 'kind', 'other'],
    ['rootless, as Go writes it', labelled({runtime: 'containerd', rootless: 'True'}), 'kind', 'other'],
    ['docker', labelled({runtime: 'docker', rootless: 'false'}), 'kind', 'other'],
    ['no label', labelled({}), 'kind', 'other'],
    ['no builder on kind', undefined, 'kind', 'containerd'],
    ['no builder on minikube', undefined, 'minikube', 'unknown'],
    ['no builder, who knows where', undefined, 'unknown', 'unknown'],
  ] as const) {
    it(`is ${runtime} for ${what}`, () => expect(builderRuntime(deployment, product)).to.equal(runtime));
  }
});
