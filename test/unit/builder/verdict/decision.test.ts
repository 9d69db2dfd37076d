/** Covers what is done about a builder: from the verdict, the policy and whose it is to an action. */
import {expect} from 'chai';
import {type BuilderSituation, decideBuilder} from '../../../../src/builder/verdict/decision.ts';
import type {Product} from '../../../../src/cluster/product.ts';

const PLACE = {name: 'b', namespace: 'ns'};
const CREATE = 'kubectl tiltbuild builder create b --namespace ns';

const LOCAL: readonly Product[] = [
  'kind',
  'minikube',
  'docker-desktop',
  'rancher-desktop',
  'colima',
  'orbstack',
  'microk8s',
  'crc',
  'k3s',
];
const REMOTE: readonly Product[] = ['gke', 'eks', 'aks', 'unknown'];
const MAKERS = {
  plugin: {madeByPlugin: true, managedByUs: false},
  us: {madeByPlugin: false, managedByUs: true},
  others: {madeByPlugin: false, managedByUs: false},
} as const;

/** Every situation there is. */
const SITUATIONS: readonly (BuilderSituation & {readonly maker: keyof typeof MAKERS})[] = (
  ['ensure', 'check', 'never'] as const
).flatMap((policy) =>
  [...LOCAL, ...REMOTE].flatMap((product) =>
    (['plugin', 'us', 'others'] as const).flatMap((maker) =>
      ([true, false, 'unknown'] as const).map((buildRunning) => ({
        ...PLACE,
        policy,
        product,
        maker,
        ...MAKERS[maker],
        buildRunning,
      })),
    ),
  ),
);

describe('decideBuilder', () => {
  const verdicts = ['missing', 'working', 'starting', 'plugin-made', 'wrong-runtime', 'cannot-run'] as const;

  for (const kind of verdicts) {
    it(`uses the builder in silence under the policy never when it is ${kind}`, () => {
      for (const situation of SITUATIONS.filter(({policy}) => policy === 'never')) {
        expect(decideBuilder({kind, reason: 'is so'}, situation)).to.deep.equal({kind: 'use'});
      }
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
    it(`is to ${action} when it is ${kind} under the policy ${policy}, everywhere and whoever made it`, () => {
      for (const situation of SITUATIONS.filter((one) => one.policy === policy)) {
        expect(decideBuilder({kind, reason: 'is so'}, situation).kind).to.equal(action);
      }
    });
  }

  for (const kind of ['plugin-made', 'wrong-runtime', 'cannot-run'] as const) {
    it(`replaces a ${kind} one only if the plugin made it, it is idle, and the cluster is local`, () => {
      const verdict = {kind, reason: 'is so'};
      for (const situation of SITUATIONS.filter(({policy}) => policy !== 'never')) {
        const {policy, product, maker, buildRunning} = situation;
        const replaced =
          policy === 'ensure' && LOCAL.includes(product) && maker === 'plugin' && buildRunning === false;
        const action = decideBuilder(verdict, situation);
        const label = [policy, product, maker, buildRunning].join();
        expect(action.kind, label).to.equal(replaced ? 'replace' : 'warn');
        expect(action, label)
          .to.have.property('note')
          .that.contains('the builder "b" in namespace "ns" is so; ');
        if (!replaced) expect(action).to.have.property('command', `${CREATE} --replace`);
      }
    });
  }

  const situation: BuilderSituation = {
    ...PLACE,
    ...MAKERS.plugin,
    policy: 'ensure',
    product: 'kind',
    buildRunning: false,
  };
  for (const [why, changes] of [
    ['the policy is to check only', {policy: 'check'}],
    ['another version', MAKERS.us],
    ['somebody else made it', MAKERS.others],
    ['not a local development cluster', {product: 'eks'}],
    ['a build is running on it', {buildRunning: true}],
    ['cannot be seen whether a build is running', {buildRunning: 'unknown'}],
  ] as const) {
    it(`says why it leaves it: ${why}`, () => {
      const action = decideBuilder({kind: 'cannot-run', reason: 'is so'}, {...situation, ...changes});
      expect(action).to.have.property('note').that.contains(why);
    });
  }

  it('gives the command that makes one where there is none and none may be made', () => {
    const action = decideBuilder({kind: 'missing', reason: ''}, {...situation, policy: 'check'});
    expect(action).to.have.property('command', CREATE);
  });
});
