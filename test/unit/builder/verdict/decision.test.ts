/** Covers what is done about a builder, by its verdict, the policy, and who created it. */
import {expect} from 'chai';
import {readBuilderDeployment} from '../../../../src/builder/model/objects.ts';
import {type BuilderSituation, decideBuilder} from '../../../../src/builder/verdict/decision.ts';
import type {Verdict} from '../../../../src/builder/verdict/verdict.ts';
import {formatAdvice} from '../../../../src/text/advice.ts';

const CREATE = 'kubectl tiltbuild builder create b';
const KINDS = ['missing', 'working', 'starting', 'plugin-made', 'wrong-runtime', 'cannot-run'] as const;

const createdBy = (annotations: object, labels: object) =>
  readBuilderDeployment({metadata: {annotations, labels}});
const adopted = {'buildkit.mobyproject.org/builder': ''};
const MAKERS = {
  plugin: createdBy(adopted, {}),
  us: createdBy(adopted, {'app.kubernetes.io/managed-by': 'kubectl-tiltbuild'}),
  others: createdBy({}, {}),
} as const;

/** Every situation there is. */
const SITUATIONS: readonly (BuilderSituation & {readonly maker: keyof typeof MAKERS})[] = (
  ['ensure', 'check', 'never'] as const
).flatMap((policy) =>
  (['kind', 'k3s', 'gke', 'unknown'] as const).flatMap((product) =>
    (['plugin', 'us', 'others'] as const).flatMap((maker) =>
      ([true, false, 'unknown'] as const).map((buildRunning) => ({
        name: 'b',
        namespace: 'ns',
        policy,
        product,
        maker,
        deployment: MAKERS[maker],
        buildRunning,
      })),
    ),
  ),
);

function decide(kind: Verdict['kind'], situation: BuilderSituation) {
  const missing = kind === 'missing' && {deployment: undefined};
  return decideBuilder({kind, reason: 'is so'}, {...situation, ...missing});
}

describe('decideBuilder', () => {
  for (const kind of KINDS) {
    it(`uses a ${kind} one without a word under the policy never`, () => {
      for (const situation of SITUATIONS.filter(({policy}) => policy === 'never'))
        expect(decide(kind, situation)).to.deep.equal({kind: 'use'});
    });
  }

  for (const [kind, policy, action] of [
    ['missing', 'ensure', 'create'],
    ['missing', 'check', 'warn'],
    ['working', 'ensure', 'use'],
    ['working', 'check', 'use'],
    ['starting', 'ensure', 'wait'],
    ['starting', 'check', 'wait'],
  ] as const) {
    it(`chooses to ${action} for a ${kind} one under ${policy}, everywhere and whoever created it`, () => {
      for (const situation of SITUATIONS.filter((one) => one.policy === policy))
        expect(decide(kind, situation).kind).to.equal(action);
    });
  }

  for (const kind of ['plugin-made', 'wrong-runtime', 'cannot-run'] as const) {
    it(`replaces a ${kind} one only if the plugin created it, it is idle, and the cluster is local`, () => {
      for (const situation of SITUATIONS.filter(({policy}) => policy !== 'never')) {
        const {policy, product, maker, buildRunning, deployment} = situation;
        const isLocal = product === 'kind' || product === 'k3s';
        const isIdle = buildRunning === false;
        const action = decide(kind, situation);
        const label = [policy, product, maker, buildRunning].join();
        if (policy === 'ensure' && isLocal && maker === 'plugin' && isIdle) {
          expect(action, label).to.include({kind: 'replace', old: deployment});
        } else {
          expect(action.kind === 'warn' && formatAdvice(action.command), label).to.equal(
            `${CREATE} --replace --namespace ns`,
          );
        }
        expect(action).to.have.property('note').that.contains('builder "b" in namespace "ns" is so; ');
      }
    });
  }

  for (const [why, changes] of [
    ['the policy is to check only', {policy: 'check'}],
    ['another version', {deployment: MAKERS.us}],
    ['somebody else created it', {deployment: MAKERS.others}],
    ['not a local development cluster', {product: 'eks'}],
    ['you cannot', {obstacle: 'you cannot'}],
    ['a build is running on it', {buildRunning: true}],
    ['a build may be running on it', {buildRunning: 'unknown'}],
  ] as const) {
    it(`says why it does not replace one: ${why}`, () => {
      const situation = {
        policy: 'ensure',
        product: 'kind',
        buildRunning: false,
        name: 'b',
        namespace: 'ns',
      } as const;
      const action = decide('cannot-run', {...situation, deployment: MAKERS.plugin, ...changes});
      expect(action).to.have.property('note').that.contains(why);
    });
  }

  it('gives the command that creates a missing one, where it must not be created', () => {
    const action = decide('missing', {...(SITUATIONS[0] as BuilderSituation), policy: 'check'});
    expect(action.kind === 'warn' && formatAdvice(action.command)).to.equal(`${CREATE} --namespace ns`);
  });
});
