/** Covers a builder's name, the command that creates it, and the runtime that it exports into. */
import {expect} from 'chai';
import {builderRuntime, chooseBuilder, createCommand} from '../../../../src/builder/model/builder.ts';
import {readBuilderDeployment} from '../../../../src/builder/model/objects.ts';
import {formatAdvice} from '../../../../src/text/advice.ts';

describe('chooseBuilder', () => {
  for (const [flag, variable, builder] of [
    [undefined, undefined, {name: 'buildkit', given: false}],
    ['', '', {name: 'buildkit', given: false}],
    ['f', 'v', {name: 'f', given: true}],
    ['', 'v', {name: 'v', given: true}],
    ['buildkit', undefined, {name: 'buildkit', given: true}],
  ] as const) {
    it(`takes flag ${flag} and variable ${variable} for ${builder.name}`, () => {
      expect(chooseBuilder(flag, variable)).to.deep.equal(builder);
    });
  }
});

describe('createCommand', () => {
  it('is a command that can be pasted', () => {
    const command = createCommand({name: 'b', namespace: 'n s'}, '--replace', '--allow', 'network.host');
    expect(formatAdvice(command)).to.equal(
      "kubectl tiltbuild builder create b --replace --allow network.host --namespace 'n s'",
    );
  });
});

describe('builderRuntime', () => {
  const labelled = (labels: Record<string, string>) => readBuilderDeployment({metadata: {labels}});
  for (const [what, deployment, product, runtime] of [
    ['containerd', labelled({runtime: 'containerd'}), 'unknown', 'containerd'],
    ['rootless, as Go writes it', labelled({runtime: 'containerd', rootless: 'True'}), 'kind', 'other'],
    ['docker', labelled({runtime: 'docker', rootless: 'false'}), 'kind', 'other'],
    ['no label', labelled({}), 'kind', 'other'],
    ['no builder on kind', undefined, 'kind', 'containerd'],
    ['no builder on minikube', undefined, 'minikube', 'other'],
  ] as const) {
    it(`is ${runtime} for ${what}`, () => expect(builderRuntime(deployment, product)).to.equal(runtime));
  }
});
