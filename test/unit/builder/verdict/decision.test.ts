/** Covers what is done about a builder, by its verdict, the policy, and who created it. */
import {expect} from 'chai';
import {readBuilderDeployment} from '../../../../src/builder/model/objects.ts';
import {type BuilderSituation, decideBuilder} from '../../../../src/builder/verdict/decision.ts';
import type {Verdict} from '../../../../src/builder/verdict/verdict.ts';
import {formatAdvice} from '../../../../src/text/advice.ts';

const CREATE = 'kubectl tiltbuild builder create b';

const createdBy = (annotations: object, labels: object) =>
  readBuilderDeployment({metadata: {annotations, labels}});
const adopted = {'buildkit.mobyproject.org/builder': ''};
const MAKERS = {
  plugin: createdBy(adopted, {}),
  us: createdBy(adopted, {'app.kubernetes.io/managed-by': 'kubectl-tiltbuild'}),
  others: createdBy({}, {}),
} as const;
const POLICIES = ['ensure', 'check', 'never'] as const;
const IDLE = {kind: 'idle'} as const;
const ACTIVITIES = [IDLE, {kind: 'building'}, {kind: 'unknown', why: 'it says nothing'}] as const;

/** Every situation there is. */
const SITUATIONS: readonly (BuilderSituation & {readonly maker: keyof typeof MAKERS})[] = POLICIES.flatMap(
  (policy) =>
    (['kind', 'k3s', 'gke', 'unknown'] as const).flatMap((product) =>
      (['plugin', 'us', 'others'] as const).flatMap((maker) =>
        ACTIVITIES.map((activity) => {
          const situation = {policy, product, maker, deployment: MAKERS[maker], activity};
          return {name: 'b', namespace: 'ns', ...situation};
        }),
      ),
    ),
);

function decide(kind: Verdict['kind'], situation: BuilderSituation) {
  const missing = kind === 'missing' && {deployment: undefined};
  return decideBuilder({kind, reason: 'is so'}, {...situation, ...missing});
}

describe('decideBuilder', () => {
  for (const [kind, ...actions] of [
    ['missing', 'create', 'warn', 'use'],
    ['working', 'use', 'use', 'use'],
    ['starting', 'wait', 'wait', 'use'],
  ] as const) {
    it(`chooses ${actions.join(', ')} for a ${kind} one under ${POLICIES.join(', ')}, everywhere`, () => {
      for (const situation of SITUATIONS)
        expect(decide(kind, situation).kind).to.equal(actions[POLICIES.indexOf(situation.policy)]);
    });
  }

  for (const kind of ['plugin-made', 'wrong-runtime', 'cannot-run'] as const) {
    it(`replaces a ${kind} one only if the plugin created it, it is idle, and the cluster is local`, () => {
      for (const situation of SITUATIONS) {
        const {policy, product, maker, activity, deployment} = situation;
        const isLocal = product === 'kind' || product === 'k3s';
        const action = decide(kind, situation);
        const label = [policy, product, maker, activity.kind].join();
        if (policy === 'never') {
          expect(action, label).to.deep.equal({kind: 'use'});
          continue;
        }
        if (policy === 'ensure' && isLocal && maker === 'plugin' && activity === IDLE) {
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

  const SITUATION = {policy: 'ensure', product: 'kind', activity: IDLE, name: 'b', namespace: 'ns'} as const;
  for (const [why, changes] of [
    ['the policy is to check only', {policy: 'check'}],
    ['another version', {deployment: MAKERS.us}],
    ['somebody else created it', {deployment: MAKERS.others}],
    ['not a local development cluster', {product: 'eks'}],
    ['you cannot', {obstacle: 'you cannot'}],
    ['a build is running on it', {activity: {kind: 'building'}}],
    ['a build may be running on it (it says nothing)', {activity: ACTIVITIES[2]}],
  ] as const) {
    it(`says why it does not replace one: ${why}`, () => {
      const action = decide('cannot-run', {...SITUATION, deployment: MAKERS.plugin, ...changes});
      expect(action).to.have.property('note').that.contains(why);
    });
  }

  it('gives the command that creates a missing one, where it must not be created', () => {
    const action = decide('missing', {...SITUATION, deployment: undefined, policy: 'check'});
    expect(action.kind === 'warn' && formatAdvice(action.command)).to.equal(`${CREATE} --namespace ns`);
  });
});
