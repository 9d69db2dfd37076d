/** Covers how a builder is created and replaced: what kubectl is asked to do, and what its answers mean. */
import {expect} from 'chai';
import fc from 'fast-check';
import {createBuilder, planBuilder, replaceBuilder} from '../../../../src/builder/ensure/create-builder.ts';
import {readBuilderDeployment, readBuilderToml} from '../../../../src/builder/model/objects.ts';
import type {BuilderSettings} from '../../../../src/builder/model/settings.ts';
import {LOCAL_REGISTRY_PATH} from '../../../../src/cluster/api/paths.ts';
import type {Cluster} from '../../../../src/cluster/ports.ts';
import type {Product} from '../../../../src/cluster/product.ts';
import {hintsOf} from '../../../helpers/caught.ts';
import {
  builderRequest,
  failureOf,
  found,
  MISSING,
  nodeRuntime,
  pluginDeployment,
  type Said,
  type ScriptedCluster,
  scriptCluster,
} from '../builder-world.ts';

const NODES = [nodeRuntime()];
const FLAGS = ['--field-manager=kubectl-tiltbuild', '--filename', '-'];
const APPLY = ['apply', '--server-side', '--force-conflicts', ...FLAGS];
const CREATE = ['create', ...FLAGS];
const REPLACE = ['replace', ...FLAGS];
const OLD = readBuilderDeployment(pluginDeployment());

function plan(settings: Partial<BuilderSettings> = {}, product: Product = 'kind') {
  const request = builderRequest();
  return {request: {...request, settings: {...request.settings, ...settings}}, product, toolVersion: '1.2.3'};
}
const {configMap, deployment} = planBuilder(plan(), NODES);

/** The same with a mark on the pods, which has them restart. */
function replacing(version: string) {
  const replaced = structuredClone(deployment);
  Object.assign(replaced.spec.template.metadata.annotations, {'kubectl-tiltbuild/replaces': version});
  return replaced;
}

/** By kubectl's first argument. */
const answering = (said: Readonly<Record<string, Said>> = {}) =>
  scriptCluster({kubectl: (args) => said[args[0] ?? ''] ?? {}});

const sent = ({calls}: ScriptedCluster) => calls.map(({args, input}) => [args, input && JSON.parse(input)]);
const replace = (cluster: ScriptedCluster) => replaceBuilder({...plan(), cluster}, NODES, OLD);

const error = (reason: string, words: string) => ({
  exitCode: 1,
  stderr: `Error from server (${reason}): error when creating "STDIN": ${words}\n`,
});
const IMMUTABLE = {
  exitCode: 1,
  stderr:
    'The Deployment "buildkit" is invalid: spec.selector: Invalid value: {"matchLabels":{"app":"buildkit"}}: field is immutable\n',
};

describe('createBuilder', () => {
  for (const [what, said] of [
    ['', {}],
    ['somebody else is sending the ConfigMap', {apply: error('Conflict', 'the object has been modified')}],
    ['kubectl warns', {create: {stderr: 'Warning: would violate PodSecurity "restricted:latest"\n'}}],
  ] as const) {
    it(`sends the ConfigMap, and creates the Deployment${what && `, though ${what}`}`, async () => {
      const cluster = answering(said);
      await createBuilder({...plan(), cluster}, NODES);
      expect(sent(cluster)).to.deep.equal([
        [APPLY, configMap],
        [CREATE, deployment],
      ]);
    });
  }

  const forbidden = 'Error from server (Forbidden): deployments.apps is forbidden: no';
  const noted = {exitCode: 1, stderr: `Warning: x\n\n${forbidden}\n`};
  for (const [what, said, calls, detail] of [
    ['the ConfigMap is forbidden', {apply: noted}, 1, forbidden],
    ['the Deployment is forbidden', {create: noted}, 2, forbidden],
    ['kubectl is killed', {create: {exitCode: undefined}}, 2, 'kubectl failed without a message'],
  ] as const) {
    it(`gives what kubectl said if ${what}`, async () => {
      const cluster = answering(said);
      const failure = await failureOf(createBuilder({...plan(), cluster}, NODES));
      expect(failure).to.deep.include({code: 'builder-failed', detail: [detail]});
      expect(hintsOf(failure)).to.include('--dry-run');
      expect(cluster.calls).to.have.length(calls);
    });
  }
});

/** A cluster that does what each call asks for, in an order that `scheduler` chooses. */
function simulate(scheduler: fc.Scheduler) {
  const state: {configMap?: Sent; deployment?: Sent; version: number} = {version: 1};
  const store = (object: Sent) => {
    state.version += 1;
    const metadata = {...object.metadata, uid: 'u', generation: state.version};
    state.deployment = {...object, metadata: {...metadata, resourceVersion: String(state.version)}};
    return {};
  };
  const kubectl = (args: readonly string[], input = '{}'): Said => {
    const object: Sent = JSON.parse(input);
    switch (args[0]) {
      case 'apply':
        state.configMap = object;
        return {};
      case 'create':
        return state.deployment === undefined ? store(object) : error('AlreadyExists', 'it exists');
      case 'replace':
        return object.metadata.resourceVersion === state.deployment?.metadata.resourceVersion
          ? store(object)
          : error('Conflict', 'the object has been modified');
      default:
        throw new RangeError(args.join(' '));
    }
  };
  const {get: _, kubectl: __, ...rest} = scriptCluster();
  const cluster: Cluster = {
    ...rest,
    get: scheduler.scheduleFunction(async (path: string) =>
      state.deployment === undefined || path.endsWith('/kube-system') ? MISSING : found(state.deployment),
    ),
    kubectl: scheduler.scheduleFunction(async (args: readonly string[], input?: string) => {
      return {exitCode: 0, stdout: '', stderr: '', ...kubectl(args, input)};
    }),
  };
  return {state, cluster};
}

type Sent = {readonly metadata: Readonly<Record<string, unknown>>; readonly [field: string]: unknown};

describe('builders that are created or replaced at the same time', () => {
  const settings = [
    {allowNetworkHost: true},
    {},
    {containerd: {socket: '/run/other/containerd.sock'}},
  ] as const;
  const tomlOf = ({deployment, configMap}: {deployment?: unknown; configMap?: unknown}) => [
    readBuilderDeployment(deployment).toml,
    readBuilderToml(configMap),
  ];

  for (const [what, isThere] of [
    ['none', false],
    ['one', true],
  ] as const) {
    it(`leave the configuration of the one that is there, where there was ${what}`, async () => {
      const winners = new Set<string | undefined>();
      await fc.assert(
        fc.asyncProperty(fc.scheduler(), async (scheduler) => {
          const {state, cluster} = simulate(scheduler);
          if (isThere) {
            const version = {uid: 'u', generation: 1, resourceVersion: '1'};
            state.deployment = {...deployment, metadata: {...deployment.metadata, ...version}};
          }
          const old = state.deployment && readBuilderDeployment(state.deployment);
          const all = settings.map((changes) => {
            const creation = {...plan(changes), cluster};
            return old ? replaceBuilder(creation, NODES, old) : createBuilder(creation, NODES);
          });
          await scheduler.waitFor(Promise.all(all));
          const [toml, shown] = tomlOf(state);
          expect(shown).to.equal(toml);
          winners.add(toml);
        }),
        {numRuns: 300},
      );
      expect([...winners].sort()).to.deep.equal(
        settings.map((changes) => tomlOf(planBuilder(plan(changes), NODES))[0]).sort(),
      );
    });
  }

  it('leave alone what is no builder, which is an error, or is one of an older version', async () => {
    const nobodys = pluginDeployment({metadata: {annotations: {}}});
    for (const [other, words] of [
      [pluginDeployment(), undefined],
      [nobodys, 'The Deployment "buildkit" in namespace "default" is no builder'],
    ] as const) {
      const cluster = scriptCluster({
        get: {deployments: [found(other)]},
        kubectl: ([verb]) => (verb === 'create' ? error('AlreadyExists', 'it exists') : {}),
      });
      const creating = createBuilder({...plan(), cluster}, NODES);
      if (words === undefined) await creating;
      else expect((await failureOf(creating)).message).to.include(words);
      expect(cluster.calls.map(({args}) => args[0])).to.deep.equal(['apply', 'create']);
    }
  });
});

describe('replaceBuilder', () => {
  it('replaces the very one that was looked at, and deletes it if its selector cannot be changed', async () => {
    const metadata = {...deployment.metadata, resourceVersion: '4556'};
    const next = replacing('4556');
    const replaced = [
      [APPLY, configMap],
      [REPLACE, {...next, metadata}],
    ];
    const cluster = answering();
    await replace(cluster);
    expect(sent(cluster)).to.deep.equal(replaced);

    const immutable = answering({replace: IMMUTABLE});
    await replace(immutable);
    expect(sent(immutable)).to.deep.equal([
      ...replaced,
      [['delete', 'deployment/buildkit', '--ignore-not-found'], undefined],
      [CREATE, next],
    ]);
  });

  it('has other pods than the one before, and than the one before that, even if nothing else changes', async () => {
    const annotations = new Set([JSON.stringify(deployment.spec.template.metadata.annotations)]);
    for (const resourceVersion of ['7', '8']) {
      const cluster = answering();
      const old = {...readBuilderDeployment(deployment), resourceVersion};
      await replaceBuilder({...plan(), cluster}, NODES, old);
      annotations.add(JSON.stringify(sent(cluster)[1]?.[1].spec.template.metadata.annotations));
    }
    expect(annotations.size).to.equal(3);
  });

  for (const [what, said, calls] of [
    ['the ConfigMap', {apply: error('Forbidden', 'no')}, 1],
    ['one that is gone', {replace: error('NotFound', 'deployments.apps "buildkit" not found')}, 2],
    ['one that must not be deleted', {replace: IMMUTABLE, delete: error('Forbidden', 'no')}, 3],
  ] as const) {
    it(`fails if kubectl cannot replace ${what}`, async () => {
      const cluster = answering(said);
      expect(await failureOf(replace(cluster))).to.include({code: 'builder-failed'});
      expect(cluster.calls).to.have.length(calls);
    });
  }

  const changed = (changes: Record<string, unknown>) =>
    found(pluginDeployment({metadata: {resourceVersion: '9', ...changes}}));

  /** The first so many attempts come too late. */
  async function replaceLate(count: number, answer: ReturnType<typeof changed> | typeof MISSING) {
    let replaced = 0;
    const cluster = scriptCluster({
      get: {deployments: [answer]},
      kubectl: ([verb]) =>
        verb === 'replace' && ++replaced <= count ? error('Conflict', 'the object has been modified') : {},
    });
    const failure = await replace(cluster).catch((caught) => caught);
    const versions = sent(cluster).map(([, object]) => object.metadata.resourceVersion);
    return {failure, versions, cluster};
  }

  it('looks again and replaces it if only its status changed, until it gives up', async () => {
    const {versions, cluster, failure} = await replaceLate(1, changed({}));
    expect(failure).to.equal(undefined);
    expect(cluster.gets.toSorted()).to.deep.equal([
      LOCAL_REGISTRY_PATH,
      '/api/v1/namespaces/kube-system',
      '/apis/apps/v1/namespaces/default/deployments/buildkit',
    ]);
    expect(versions).to.deep.equal([undefined, '4556', '9']);

    const hopeless = await replaceLate(99, changed({}));
    const remove = 'kubectl tiltbuild builder rm buildkit --namespace default';
    expect(hintsOf(hopeless.failure)).to.include(remove);
    expect(hopeless.versions.length).to.be.below(10);
  });

  for (const [what, answer] of [
    ['somebody else changed it', changed({generation: 3})],
    ['it is another one now', changed({uid: 'another'})],
    ['it is gone', MISSING],
  ] as const) {
    it(`leaves it alone if ${what}`, async () => {
      const {versions, failure} = await replaceLate(9, answer);
      expect([versions, failure]).to.deep.equal([[undefined, '4556'], undefined]);
    });
  }
});

describe('planBuilder', () => {
  it('uses the distribution of the nodes if the product is not known', () => {
    const nodes = [nodeRuntime({kubeletVersion: 'v1.36.2+k3s1'})];
    const unknown = plan({replicas: 'nodes'}, 'unknown');
    expect(planBuilder(unknown, nodes)).to.deep.equal(planBuilder(plan({}, 'k3s'), NODES));
    expect(planBuilder(unknown, NODES)).to.deep.equal({configMap, deployment});
  });

  it('has as many replicas as there are nodes that can hold one', () => {
    const nodes = [nodeRuntime({unschedulable: true}), nodeRuntime(), nodeRuntime()];
    expect(planBuilder(plan({replicas: 'nodes'}), nodes).deployment.spec.replicas).to.equal(2);
  });

  it('fails without permission to list nodes, before anything is sent', async () => {
    const cluster = answering();
    for (const run of [createBuilder, replaceBuilder])
      expect(await failureOf(run({...plan(), cluster}, undefined, OLD))).to.include({code: 'cluster-denied'});
    expect(cluster.calls).to.deep.equal([]);
  });
});
