/** Covers what is done about a builder before a build: nothing about one that works, and no more than is allowed. */
import {expect} from 'chai';
import {ensureBuilder} from '../../../../src/builder/ensure/ensure-builder.ts';
import type {BuilderPolicy} from '../../../../src/builder/model/request.ts';
import type {ClusterFacts, ResourceRule} from '../../../../src/cluster/api/facts.ts';
import type {Product} from '../../../../src/cluster/product.ts';
import {node} from '../../../helpers/api-samples.ts';
import {hintsOf} from '../../../helpers/caught.ts';
import {
  builderRequest,
  failureOf,
  forbidden,
  found,
  list,
  MISSING,
  makePorts,
  pluginDeployment,
  pod,
  type Said,
  type Script,
  scriptCluster,
  startingDeployment,
  stuck,
  workingDeployment,
} from '../builder-world.ts';

/** Created by the plugin as far as its annotation shows. */
const ADOPTED = {'app.kubernetes.io/managed-by': 'kubectl', rootless: 'false'};

const BUILDERS = {
  missing: undefined,
  working: workingDeployment(),
  starting: startingDeployment(),
  'plugin-made': pluginDeployment(),
  'cannot-run': workingDeployment({labels: {...ADOPTED, runtime: 'containerd', worker: 'containerd'}}),
  'wrong-runtime': workingDeployment({labels: {...ADOPTED, runtime: 'docker', worker: 'runc'}}),
} as const;

const NOTHING_FOUND: Said = {exitCode: 1, stderr: 'command terminated with exit code 1\n'};
const MOUNT = '36 35 0:5 / /run/containerd/containerd.sock rw - tmpfs t rw\n';
const ANSWERS: Script['get'] = {
  namespaces: [found({})],
  deployments: [found(workingDeployment({metadata: {resourceVersion: '99'}}))],
  pods: [list(pod())],
};

interface Situation {
  readonly builders?: readonly unknown[];
  readonly facts?: Partial<ClusterFacts>;
  readonly policy?: BuilderPolicy;
  readonly product?: Product;
  readonly get?: Script['get'];
  /** By the first argument, or by the program that `exec` runs in the pod. */
  readonly kubectl?: Readonly<Record<string, Said>>;
}

function situate({builders = [], facts, policy = 'ensure', product = 'kind', get, kubectl}: Situation) {
  const answers: Readonly<Record<string, Said>> = {
    pgrep: NOTHING_FOUND,
    cat: {stdout: MOUNT},
    apply: {},
    create: {},
    replace: {},
    ...kubectl,
  };
  const cluster = scriptCluster({get: {...ANSWERS, ...get}, kubectl: (args) => answers[verbOf(args)]});
  const ports = makePorts();
  const known = {deployments: found(builders), configMaps: found([]), nodes: found([node()])};
  const task = {request: builderRequest({policy}), product, facts: {...known, ...facts}, cluster};
  const run = () => ensureBuilder({...task, toolVersion: '1.2.3'}, ports);
  return {run, cluster, ports, done: () => cluster.calls.map(({args}) => verbOf(args))};
}

function verbOf(args: readonly string[]): string {
  return (args[0] === 'exec' ? args[args.indexOf('--') + 1] : args[0]) ?? '';
}

describe('ensureBuilder', () => {
  const repaired = ['pgrep', 'cat', 'apply', 'replace'];
  for (const [state, policy, product, done, used, note] of [
    [
      'missing',
      'ensure',
      'kind',
      ['apply', 'create'],
      '99',
      'no builder "buildkit" in namespace "default" yet',
    ],
    ['missing', 'check', 'kind', [], undefined, 'does not exist'],
    ['missing', 'never', 'kind', [], undefined, undefined],
    ['working', 'ensure', 'gke', [], '10', undefined],
    ['working', 'check', 'kind', [], '10', undefined],
    ['working', 'never', 'kind', [], '10', undefined],
    ['starting', 'ensure', 'kind', [], '99', undefined],
    ['starting', 'check', 'kind', [], '99', undefined],
    ['starting', 'never', 'kind', [], '10', undefined],
    ['plugin-made', 'ensure', 'kind', repaired, '99', 'harms its node at every start'],
    ['plugin-made', 'ensure', 'gke', [], '4556', 'not a local development cluster'],
    ['plugin-made', 'check', 'kind', [], '4556', 'the policy is to check only'],
    ['plugin-made', 'never', 'kind', [], '4556', undefined],
    ['cannot-run', 'ensure', 'kind', repaired, '99', 'cannot run RUN steps'],
    ['cannot-run', 'check', 'kind', [], '10', 'cannot run RUN steps'],
    ['wrong-runtime', 'ensure', 'kind', repaired, '99', 'is for docker, and the nodes run containerd'],
    ['wrong-runtime', 'ensure', 'gke', [], '10', 'is for docker'],
  ] as const) {
    it(`does ${done.join(', ') || 'nothing'} for a ${state} one under ${policy} on ${product}`, async () => {
      const builder = BUILDERS[state];
      const situation = situate({builders: builder ? [builder] : [], policy, product});
      const result = await situation.run();
      expect(situation.done()).to.deep.equal(done);
      expect(result?.resourceVersion).to.equal(used);
      const {said} = situation.ports;
      expect(said).to.have.length(note === undefined ? 0 : 1);
      expect(said.join()).to.include(note ?? '');
      if (done.length > 0 || note === undefined) return;
      expect(said[0]).to.include('To repair it: kubectl tiltbuild builder create buildkit ');
    });
  }

  it('asks nothing and runs nothing for one that works, whatever else is there', async () => {
    const {run, cluster} = situate({
      builders: [BUILDERS.working, workingDeployment({name: 'other'})],
      facts: {nodes: forbidden('no'), configMaps: forbidden('no')},
    });
    expect((await run())?.name).to.equal('buildkit');
    expect([cluster.gets, cluster.calls]).to.deep.equal([[], []]);
  });

  for (const [name, changes] of [
    ['buildkit', 0],
    ['buildkit-2', 4],
  ] as const) {
    it(`reads the buildkitd.toml of the builder, and not of another one: ${name}`, async () => {
      const volumeMounts = [{name: 's', mountPath: '/srv/shared'}];
      const container = {name: 'buildkitd', image: 'docker.io/moby/buildkit:v0.32.2', volumeMounts};
      const volumes = [{name: 's', hostPath: {path: '/srv/shared'}}];
      const builder = workingDeployment({
        labels: {...ADOPTED, worker: 'containerd'},
        spec: {template: {spec: {containers: [container], volumes}}},
      });
      const data = {'buildkitd.toml': '[otel]\nsocketPath = "/srv/shared/otel.sock"\n'};
      const configMaps = found([{metadata: {name}, data}]);
      const {run, cluster} = situate({builders: [builder], facts: {configMaps}});
      await run();
      expect(cluster.calls).to.have.length(changes);
    });
  }
});

describe('ensureBuilder, before anything else', () => {
  const granted = (...left: readonly string[]): readonly ResourceRule[] =>
    [
      {verbs: ['get', 'list'], apiGroups: ['apps'], resources: ['deployments']},
      {verbs: ['list'], apiGroups: [''], resources: ['pods']},
      {verbs: ['create'], apiGroups: [''], resources: ['pods/exec']},
    ]
      .filter(({resources}) => !left.includes(resources[0] ?? ''))
      .map((rule) => ({...rule, resourceNames: []}));

  const all = ['get deployments.apps', 'list deployments.apps', 'list pods', 'create pods/exec'];
  for (const [what, facts, named] of [
    ['one', {rules: granted('pods/exec')}, ['create pods/exec']],
    ['two', {rules: granted('pods/exec', 'pods')}, ['list pods', 'create pods/exec']],
    ['all', {rules: []}, all],
    ['listing, by a 403', {deployments: forbidden('said so')}, ['list deployments.apps']],
    [
      'listing, whatever the rules say',
      {deployments: forbidden('said so'), rules: granted()},
      ['list deployments.apps'],
    ],
  ] as const) {
    it(`names missing permissions: ${what}`, async () => {
      for (const builders of [[], [BUILDERS['plugin-made']], [BUILDERS.working]]) {
        const {run, cluster, ports} = situate({builders, facts});
        const error = await failureOf(run());
        expect(error).to.deep.include({
          code: 'cluster-denied',
          detail: 'deployments' in facts ? ['said so'] : [],
        });
        expect(error.message).to.include(`permission to ${named.join(', ')} in namespace "default"`);
        expect(hintsOf(error)).to.include(`To check: kubectl auth can-i ${named[0]} --namespace default`);
        expect([cluster.gets, cluster.calls, ports.said]).to.deep.equal([[], [], []]);
      }
    });
  }

  it('needs no more than a build does for one that works', async () => {
    for (const rules of [granted(), undefined]) {
      const {run} = situate({builders: [BUILDERS.working], facts: {...(rules && {rules})}});
      expect((await run())?.name).to.equal('buildkit');
    }
  });

  it('names what creating one needs besides, if one is created', async () => {
    const {run, cluster} = situate({facts: {rules: granted()}});
    const error = await failureOf(run());
    expect(error.code).to.equal('cluster-denied');
    expect(error.message).to.include('create deployments.apps').and.include('create configmaps');
    expect(cluster.calls).to.deep.equal([]);
  });

  it('checks nothing under the policy never', async () => {
    const {run, ports} = situate({policy: 'never', facts: {deployments: forbidden('no'), rules: []}});
    expect(await run()).to.equal(undefined);
    expect(ports.said).to.deep.equal([]);
  });

  for (const policy of ['ensure', 'check'] as const) {
    it(`names a missing namespace under ${policy}, where kubectl build would retry`, async () => {
      const {run, cluster} = situate({policy, get: {namespaces: [MISSING]}});
      const error = await failureOf(run());
      expect(error.code).to.equal('namespace-missing');
      expect(hintsOf(error)).to.include('kubectl create namespace default');
      expect([cluster.gets, cluster.calls]).to.deep.equal([['/api/v1/namespaces/default'], []]);
    });
  }

  it('creates a builder in a namespace that it has no permission to get', async () => {
    const {run, done} = situate({get: {namespaces: [forbidden('no')]}});
    await run();
    expect(done()).to.deep.equal(['apply', 'create']);
  });
});

describe('ensureBuilder, beside other builders', () => {
  const ours = workingDeployment({name: 'ours'});
  const theirs = pluginDeployment({name: 'theirs'});
  const labelled = {'app.kubernetes.io/managed-by': 'Helm'};
  const nobodys = workingDeployment({name: 'nobodys', labels: labelled, metadata: {annotations: {}}});

  for (const [what, others, policy, names] of [
    ['of each other one, in one note', [ours, theirs], 'ensure', '"ours", "theirs"'],
    ['of nothing if there is no other', [], 'ensure', undefined],
    ['of nothing that only has the labels', [nobodys], 'ensure', undefined],
    ['of nothing under the policy never', [ours, theirs], 'never', undefined],
  ] as const) {
    it(`warns ${what}`, async () => {
      const {run, ports} = situate({builders: [BUILDERS.working, ...others], policy});
      await run();
      expect(ports.said).to.have.length(names === undefined ? 0 : 1);
      for (const word of names ? [names, 'besides "buildkit"', 'kubectl tiltbuild builder rm NAME'] : [])
        expect(ports.said[0]).to.include(word);
    });
  }
});

describe('ensureBuilder, with a broken one', () => {
  const broken = BUILDERS['plugin-made'];
  const resting = pluginDeployment({status: {readyReplicas: 0}});

  for (const [what, pgrep, why] of [
    ['on which a build is running', {stdout: '17\n'}, 'a build is running on it'],
    ['that it cannot look into', {exitCode: 1, stderr: 'error: no connection\n'}, 'a build may be running'],
  ] as const) {
    it(`keeps one ${what}, and warns`, async () => {
      const {run, ports, done} = situate({builders: [broken], kubectl: {pgrep}});
      expect((await run())?.uid).to.equal(broken.metadata.uid);
      expect(done()).to.deep.equal(['pgrep']);
      expect(ports.said.join()).to.include(why).and.include('To repair it: ');
    });
  }

  it('replaces one without a ready pod without a look into it', async () => {
    const {run, done} = situate({builders: [resting]});
    await run();
    expect(done()).to.deep.equal(['apply', 'replace']);
  });

  for (const [what, cat, notes] of [
    ['says what stays of it on its node', {stdout: MOUNT.repeat(8)}, 2],
    ['says nothing of leftovers if there are none', {stdout: MOUNT}, 1],
    ['says nothing of leftovers if it cannot see them', {exitCode: 1, stderr: 'error: x\n'}, 1],
  ] as const) {
    it(what, async () => {
      const {run, ports} = situate({builders: [broken], kubectl: {cat}});
      await run();
      expect(ports.said).to.have.length(notes);
      if (notes === 2) expect(ports.said[1]).to.include('left 7 mounts');
    });
  }

  it('waits for one that it keeps and that is not ready, because kubectl build would wait forever', async () => {
    const {run, ports} = situate({
      builders: [resting],
      product: 'gke',
      get: {
        deployments: [found(resting), found(broken)],
        pods: [list(pod({ready: false})), list(pod())],
      },
    });
    expect((await run())?.readyReplicas).to.equal(1);
    expect(ports.sleeps).to.have.length(1);
  });

  it('leaves one for Docker to kubectl build, which may still change it to containerd', async () => {
    const labels = {...ADOPTED, runtime: 'docker', worker: 'runc'};
    const docker = workingDeployment({labels, status: {readyReplicas: 0}});
    const {run, cluster} = situate({builders: [docker], product: 'gke'});
    expect((await run())?.readyReplicas).to.equal(0);
    expect(cluster.gets).to.deep.equal([]);
  });

  it('does not take the troubles of the old pod for those of the new one', async () => {
    const crashing = pod({
      name: 'old',
      owner: 'old',
      ready: false,
      restartCount: 4,
      state: {waiting: {reason: 'CrashLoopBackOff'}},
      lastState: {terminated: {exitCode: 1, reason: 'Error'}},
    });
    // The API server has the new one, and the controller has not seen it yet.
    const unseen = startingDeployment({metadata: {generation: 3}, status: {observedGeneration: 2}});
    const {run} = situate({
      builders: [resting],
      get: {
        deployments: [found(unseen), found(BUILDERS.working)],
        pods: [list(crashing), list(pod())],
      },
    });
    expect((await run())?.readyReplicas).to.equal(1);
  });

  it('shows what keeps the new one from starting', async () => {
    const {deployment, pods, events} = stuck('hostpath');
    const {run} = situate({
      builders: [broken],
      get: {
        deployments: [found({...startingDeployment(), status: deployment.status})],
        pods: [list(pod()), list(...pods)],
        events: [list(...events)],
      },
    });
    const error = await failureOf(run());
    expect(error.code).to.equal('builder-failed');
    expect(error.message).to.include('/run/k3s/containerd is not a directory');
  });
});
