/** Covers what is done about a builder before a build: nothing about one that works, and no more than is allowed. */
import {expect} from 'chai';
import {noteOtherBuilders} from '../../../../src/builder/ensure/choose-action.ts';
import {ensureBuilder} from '../../../../src/builder/ensure/ensure-builder.ts';
import {PodList} from '../../../../src/builder/ensure/pod-list.ts';
import type {BuilderPolicy} from '../../../../src/builder/model/request.ts';
import {DEFAULT_BUILDER_IMAGE} from '../../../../src/builder/model/settings.ts';
import type {ClusterFacts, ResourceRule} from '../../../../src/cluster/api/facts.ts';
import type {Product} from '../../../../src/cluster/product.ts';
import {TiltbuildError} from '../../../../src/errors.ts';
import {formatAdvice} from '../../../../src/text/advice.ts';
import {node} from '../../../helpers/api-samples.ts';
import {BuildkitStandIn} from '../../../helpers/buildkit-stand-in.ts';
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
} as const;

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
  /** What `cat` prints in the pod. */
  readonly mounts?: string;
  /** What `kubectl create` says. */
  readonly created?: Said;
}

function situate({
  builders = [],
  facts,
  policy = 'ensure',
  product = 'kind',
  get,
  mounts = MOUNT,
  created = {},
}: Situation) {
  /** By the first argument, or by the program that `exec` runs in the pod. */
  const answers: Readonly<Record<string, Said>> = {
    cat: {stdout: mounts},
    apply: {},
    create: created,
    replace: {},
  };
  const cluster = scriptCluster({
    get: {...ANSWERS, ...get},
    kubectl: (args) => answers[verbOf(args)],
    tunnel: () => new BuildkitStandIn('sha256:0').connect(),
  });
  const ports = makePorts();
  const known = {deployments: found(builders), configMaps: found([]), nodes: found([node()])};
  const task = {request: builderRequest({policy}), product, facts: {...known, ...facts}, cluster};
  const pods = new PodList(task.request.settings, cluster);
  const run = () => ensureBuilder({...task, pods, toolVersion: '1.2.3'}, ports);
  return {run, cluster, ports, done: () => cluster.calls.map(({args}) => verbOf(args))};
}

function verbOf(args: readonly string[]): string {
  return (args[0] === 'exec' ? args[args.indexOf('--') + 1] : args[0]) ?? '';
}

describe('ensureBuilder', () => {
  const repaired = ['cat', 'apply', 'replace'];
  for (const [state, policy, product, done, used, note] of [
    ['missing', 'ensure', 'kind', ['apply', 'create'], '99', 'no builder "buildkit" in namespace "default"'],
    ['missing', 'check', 'kind', [], undefined, 'does not exist'],
    ['starting', 'check', 'kind', [], '99', undefined],
    ['starting', 'never', 'kind', [], '10', undefined],
    ['plugin-made', 'ensure', 'kind', repaired, '99', 'harms its node at every start'],
    ['plugin-made', 'ensure', 'gke', [], '4556', 'not a local development cluster'],
    ['cannot-run', 'check', 'kind', [], '10', 'cannot run RUN steps'],
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

  it('says what stays of the old one on its node', async () => {
    const {run, ports} = situate({builders: [BUILDERS['plugin-made']], mounts: MOUNT.repeat(8)});
    await run();
    expect(ports.said).to.have.length(2);
    expect(ports.said[1]).to.include('left 7 mounts');
  });

  it('goes back to the image of the old one, but not if somebody else has changed the builder meanwhile', async () => {
    const withImage = (image: string) => {
      const container = {name: 'buildkitd', image};
      return found(startingDeployment({spec: {template: {spec: {containers: [container]}}}}));
    };
    const ours = withImage(DEFAULT_BUILDER_IMAGE);
    const waiting = {reason: 'ErrImagePull', message: 'manifest unknown'};
    const failing = list(pod({phase: 'Pending', state: {waiting}}));
    // The first look is for running builds.
    const pods = [failing, failing, list(pod())];
    for (const [current, count] of [
      [ours, 2],
      [withImage('registry.example/other:1'), 1],
    ] as const) {
      const get = {deployments: [ours, current, found(BUILDERS.working)], pods};
      const {run, done} = situate({builders: [resting], get});
      const failure = await run().catch((error) => error);
      expect(failure instanceof TiltbuildError && failure.code).to.equal(
        count === 2 ? false : 'builder-image',
      );
      expect(done().filter((verb) => verb === 'replace')).to.have.length(count);
    }
  });

  const resting = pluginDeployment({status: {readyReplicas: 0}});
  it('waits for one that it keeps and that is not ready, because kubectl build would wait forever', async () => {
    const deployments = [found(resting), found(BUILDERS['plugin-made'])];
    const pods = [list(pod({ready: false})), list(pod())];
    const {run, ports} = situate({builders: [resting], product: 'gke', get: {deployments, pods}});
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
      ...{name: 'old', owner: 'old', ready: false, restartCount: 4},
      state: {waiting: {reason: 'CrashLoopBackOff'}},
      lastState: {terminated: {exitCode: 1, reason: 'Error'}},
    });
    // The API server has the new one, and the controller has not seen it yet.
    const unseen = startingDeployment({metadata: {generation: 3}, status: {observedGeneration: 2}});
    const {run, done} = situate({
      builders: [pluginDeployment({status: {readyReplicas: 0}})],
      get: {deployments: [found(unseen), found(BUILDERS.working)], pods: [list(crashing), list(pod())]},
    });
    expect((await run())?.readyReplicas).to.equal(1);
    // Without a ready pod there was nothing to look into.
    expect(done()).to.deep.equal(['apply', 'replace']);
  });
});

describe('ensureBuilder, before anything else', () => {
  const rule = (verbs: string[], resource: string, apiGroup = ''): ResourceRule => ({
    ...{verbs, apiGroups: [apiGroup], resources: [resource], resourceNames: []},
  });
  const granted = [rule(['get', 'list'], 'deployments', 'apps')];
  const enough = [...granted, rule(['list'], 'pods'), rule(['create'], 'pods/exec')];

  for (const [facts, ...named] of [
    [{rules: granted}, 'list pods', 'create pods/exec'],
    [{deployments: forbidden('said so')}, 'list deployments.apps'],
    [{deployments: forbidden('said so'), rules: enough}, 'list deployments.apps'],
  ] as const) {
    it(`names missing permissions: ${named.join(', ')} for ${Object.keys(facts).join(' and ')}`, async () => {
      for (const builders of [[], [BUILDERS['plugin-made']], [BUILDERS.working]]) {
        const {run, cluster, ports} = situate({builders, facts});
        const error = await failureOf(run());
        const detail = 'deployments' in facts ? ['said so'] : [];
        expect(error).to.deep.include({code: 'cluster-denied', detail});
        expect(error.message).to.include(`permission to ${named.join(', ')} in namespace "default"`);
        expect(hintsOf(error)).to.include(`To check: kubectl auth can-i ${named[0]} --namespace default`);
        expect([cluster.gets, cluster.calls, ports.said]).to.deep.equal([[], [], []]);
      }
    });
  }

  it('needs no more than a build does for one that works, and more to create one', async () => {
    for (const rules of [enough, undefined])
      expect(await situate({builders: [BUILDERS.working], facts: {...(rules && {rules})}}).run()).to.be.an(
        'object',
      );
    const {run, cluster} = situate({facts: {rules: enough}});
    expect((await failureOf(run())).message).to.include('create deployments.apps, create configmaps');
    expect(cluster.calls).to.deep.equal([]);
  });

  it('checks nothing under the policy never', async () => {
    const {run, ports} = situate({policy: 'never', facts: {deployments: forbidden('no'), rules: []}});
    expect(await run()).to.equal(undefined);
    expect(ports.said).to.deep.equal([]);
  });

  it('names a missing namespace under check too, where kubectl build would retry', async () => {
    const {run, cluster} = situate({policy: 'check', get: {namespaces: [MISSING]}});
    const error = await failureOf(run());
    expect(error.code).to.equal('namespace-missing');
    expect(hintsOf(error)).to.include('kubectl create namespace default');
    expect([cluster.gets, cluster.calls]).to.deep.equal([['/api/v1/namespaces/default'], []]);
  });

  it('waits for the builder that another command creates at the same time, and does not say that it creates one', async () => {
    const created = {exitCode: 1, stderr: 'Error from server (AlreadyExists): it exists\n'};
    const {run, ports, done} = situate({created});
    expect((await run())?.resourceVersion).to.equal('99');
    expect(done()).to.deep.equal(['apply', 'create']);
    expect(ports.said).to.deep.equal(['another command is creating the builder "buildkit"; waiting for it.']);
  });

  it('creates a builder in a namespace that it has no permission to get', async () => {
    const {run, done} = situate({get: {namespaces: [forbidden('no')]}});
    await run();
    expect(done()).to.deep.equal(['apply', 'create']);
  });
});

describe('noteOtherBuilders', () => {
  it('names each other builder, and not what only has the labels', () => {
    const labels = {'app.kubernetes.io/managed-by': 'Helm'};
    const nobodys = workingDeployment({name: 'nobodys', labels, metadata: {annotations: {}}});
    const others = [workingDeployment({name: 'ours'}), nobodys, pluginDeployment({name: 'theirs'})];
    const note = (...builders: readonly unknown[]) =>
      noteOtherBuilders({deployments: found(builders)}, 'buildkit');
    expect(note(BUILDERS.working, nobodys)).to.equal(undefined);
    expect(formatAdvice(note(BUILDERS.working, ...others) ?? ''))
      .to.include('besides "buildkit": "ours", "theirs".')
      .and.include('kubectl tiltbuild builder rm NAME');
  });
});
