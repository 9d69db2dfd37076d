/** Covers how advice is put in a Tiltfile, by hand and by our extension, and that commands stay what they are. */
import {expect} from 'chai';
import {chooseRephrasing} from '../../../src/tilt/tiltfile-phrases.ts';

const EXTENSION = {KUBECTL_TILTBUILD_INPUTS: 'x', TILT_PORT: '10350'};

describe('chooseRephrasing', () => {
  for (const [text, rephrased] of [
    ['Or name another one with --namespace.', 'Or name another one with `kubectl_build(…, namespace=…)`.'],
    ['else name it with --registry-secret:', 'else name it with `kubectl_build(…, registry_secret=…)`:'],
    ['With --registry-secret NAME, say.', "With `kubectl_build(…, registry_secret='NAME')`, say."],
    ['(--registry-secret= for none):', "(`kubectl_build(…, registry_secret='')` for none):"],
    ['Add it: --only src/app', "Add it: `kubectl_build(…, only=['src/app'])`"],
    ['Take it out of what --ignore matches.', 'Take it out of what `kubectl_build(…, ignore=…)` matches.'],
    ['leave --push out, and it stays', 'leave `kubectl_build(…, push=True)` out, and it stays'],
    ['name it: --secret id=a,src=FILE', "name it: `kubectl_build(…, secret='id=a,src=FILE')`"],
    ['or choose another one with --context.', 'or choose another one with `tilt up --context`.'],
    ['with --context NAME.', 'with `tilt up --context NAME`.'],
    ['To wait longer: --builder-timeout 5m', 'To wait longer: --builder-timeout 5m'],
    ['  kubectl create secret x --namespace ns', '  kubectl create secret x --namespace ns'],
    ['To check: kubectl auth can-i x --namespace ns', 'To check: kubectl auth can-i x --namespace ns'],
    ['Use `kubectl x --namespace NAME`, or not', 'Use `kubectl x --namespace NAME`, or not'],
    [
      'Use a kind cluster (`kind create cluster`), or choose another with --context.',
      'Use a kind cluster (`kind create cluster`), or choose another with `tilt up --context`.',
    ],
    ['with --platform linux/ARCH.', "with `kubectl_build(…, platform='linux/ARCH')`."],
    ['There is nothing to say.', 'There is nothing to say.'],
  ] as const) {
    it(`makes ${rephrased} of ${text}`, () => {
      expect(chooseRephrasing(EXTENSION)(text)).to.equal(rephrased);
      expect(chooseRephrasing({})(text)).to.equal(text);
    });
  }

  for (const env of [{TILT_PORT: '1'}, {TILT_HOST: 'x'}, {EXPECTED_REF: 'a:b'}]) {
    it(`leaves flags to who writes the command, but for the context (${Object.keys(env)})`, () => {
      const rephrase = chooseRephrasing(env);
      expect(rephrase('with --namespace NAME, or with --context NAME')).to.equal(
        'with --namespace NAME, or with `tilt up --context NAME`',
      );
    });
  }
});
