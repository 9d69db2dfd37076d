/** Covers how advice writes flags in a Tiltfile, written by hand and by our extension. */
import {expect} from 'chai';
import {advise, command, flag, formatAdvice} from '../../../src/text/advice.ts';
import {chooseFlagWriter, type TiltArgument} from '../../../src/tilt/tiltfile-phrases.ts';

const ARGUMENTS: Readonly<Record<string, TiltArgument>> = {
  namespace: {kind: 'text', name: 'namespace'},
  only: {kind: 'list', name: 'only'},
  push: {kind: 'switch', name: 'push'},
  context: {kind: 'tilt-up'},
};
const argumentOf = (name: string) => ARGUMENTS[name];

describe('chooseFlagWriter', () => {
  for (const [use, plain, byExtension] of [
    [flag('namespace'), '--namespace', '`kubectl_build(…, namespace=…)`'],
    [flag('namespace', 'NAME'), '--namespace NAME', "`kubectl_build(…, namespace='NAME')`"],
    [flag('namespace', ''), '--namespace=', "`kubectl_build(…, namespace='')`"],
    [flag('only', 'src/app'), '--only src/app', "`kubectl_build(…, only=['src/app'])`"],
    [flag('only', "it's"), "--only 'it'\\''s'", "`kubectl_build(…, only=['it\\'s'])`"],
    [flag('push'), '--push', '`kubectl_build(…, push=True)`'],
    [flag('builder-timeout', '5m'), '--builder-timeout 5m', '--builder-timeout 5m'],
  ] as const) {
    it(`writes ${plain} as ${byExtension} where our extension writes the command, and nowhere else`, () => {
      expect(chooseFlagWriter({KUBECTL_TILTBUILD_INPUTS: 'x'}, argumentOf)(use, 'posix')).to.equal(
        byExtension,
      );
      for (const env of [{}, {TILT_PORT: '1'}, {TILT_HOST: 'x'}, {EXPECTED_REF: 'a:b'}])
        expect(chooseFlagWriter(env, argumentOf)(use, 'posix')).to.equal(plain);
    });
  }

  it('names the flag of tilt up for the context under Tilt, and leaves commands alone', () => {
    const advice = advise`Use ${flag('context', 'NAME')}, or ${command('kubectl', 'get', 'x', '--namespace', 'y')}.`;
    for (const [env, shown] of [
      [{}, '--context NAME'],
      [{TILT_PORT: '1'}, '`tilt up --context NAME`'],
      [{KUBECTL_TILTBUILD_INPUTS: 'x'}, '`tilt up --context NAME`'],
    ] as const)
      expect(formatAdvice(advice, {writeFlag: chooseFlagWriter(env, argumentOf)})).to.equal(
        `Use ${shown}, or \`kubectl get x --namespace y\`.`,
      );
  });
});
