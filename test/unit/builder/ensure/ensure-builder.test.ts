/** Covers what is done about a builder before a build: nothing for one that works, and no more than is allowed. */
import {expect} from 'chai';
import {ensureBuilder} from '../../../../src/builder/ensure/ensure-builder.ts';
import {readBuilderDeployment} from '../../../../src/builder/model/objects.ts';
import type {BuilderPolicy} from '../../../../src/builder/verdict/decision.ts';
import {judgeBuilder} from '../../../../src/builder/verdict/verdict.ts';
import type {ClusterFacts, ResourceRule} from '../../../../src/cluster/api/facts.ts';
import type {Product} from '../../../../src/cluster/product.ts';
import {node} from '../../../helpers/api-samples.ts';
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

/** Of the plugin's making as far as its annotation tells. */
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

interface Situation {
  readonly builders?: readonly unknown[];
  readonly configMaps?: readonly unknown[];
  readonly facts?: Partial<ClusterFacts>;
  readonly policy?: BuilderPolicy;
  readonly product?: Product;
  readonly get?: Script['get'];
  /** By the first argument, and what `exec` runs in the pod by that program's name. */
  readonly kubectl?: Readonly<Record<string, Said>>;
}

function situate({
  builders = [],
  configMaps = [],
  facts = {},
  policy = 'ensure',
  product = 'kind',
  get,
  kubectl = {},
}: Situation) {
  const does: Readonly<Record<string, Said>> = {
    pgrep: NOTHING_FOUND,
    cat: {stdout: MOUNT},
    apply: {},
    create: {},
    replace: {},
    ...kubectl,
  };
  const cluster = scriptCluster({
    get: get ?? {
      namespaces: [found({})],
      deployments: [found(workingDeployment({metadata: {resourceVersion: '99'}}))],
      pods: [list(pod())],
    },
    kubectl: (args) => does[whatItDoes(args)],
  });
  const ports = makePorts();
  const run = () =>
    ensureBuilder(
      {
        request: builderRequest({policy}),
        product,
        facts: {
          deployments: found(builders),
          configMaps: found(configMaps),
          nodes: found([node()]),
          ...facts,
        },
        cluster,
        toolVersion: '1.2.3',
      },
      ports,
    );
  return {run, cluster, ports, done: () => cluster.calls.map(({args}) => whatItDoes(args))};
}

function whatItDoes(args: readonly string[]): string {
  return (args[0] === 'exec' ? args[args.indexOf('--') + 1] : args[0]) ?? '';
}

describe('ensureBuilder', () => {
  for (const [state, policy, onKind, onGke = onKind] of [
    ['missing', 'ensure', 'create'],
    ['missing', 'check', 'warn'],
    ['missing', 'never', 'use'],
    ['working', 'ensure', 'use'],
    ['working', 'check', 'use'],
    ['working', 'never', 'use'],
    ['starting', 'ensure', 'wait'],
    ['starting', 'check', 'wait'],
    ['starting', 'never', 'use'],
    ['plugin-made', 'ensure', 'replace', 'warn'],
    ['plugin-made', 'check', 'warn'],
    ['plugin-made', 'never', 'use'],
    ['cannot-run', 'ensure', 'replace', 'warn'],
    ['cannot-run', 'check', 'warn'],
    ['cannot-run', 'never', 'use'],
    ['wrong-runtime', 'ensure', 'replace', 'warn'],
    ['wrong-runtime', 'check', 'warn'],
    ['wrong-runtime', 'never', 'use'],
  ] as const) {
    for (const [product, wanted] of [
      ['kind', onKind],
      ['gke', onGke],
    ] as const) {
      it(`means with ${policy} on ${product}, for one that is ${state}: ${wanted}`, async () => {
        const builder = BUILDERS[state];
        const situation = situate({builders: builder === undefined ? [] : [builder], policy, product});
        const used = await situation.run();
        const {cluster, ports, done} = situation;
        const changes = done().filter((what) => what !== 'pgrep' && what !== 'cat');
        const warnings = ports.said.filter((text) =>
          text.includes(' To mend it: kubectl tiltbuild builder '),
        );
        switch (wanted) {
          case 'use':
            expect([cluster.gets, cluster.calls, ports.said]).to.deep.equal([[], [], []]);
            break;
          case 'warn':
            expect([changes, warnings, ports.said]).to.deep.equal([[], ports.said, warnings]);
            expect(warnings).to.have.length(1);
            break;
          case 'wait':
            expect([cluster.calls, ports.said]).to.deep.equal([[], []]);
            expect(used?.resourceVersion).to.equal('99');
            break;
          case 'create':
            expect(done()).to.deep.equal(['apply', 'create']);
            expect(used?.resourceVersion).to.equal('99');
            break;
          case 'replace':
            expect(done()).to.deep.equal(['pgrep', 'cat', 'apply', 'replace']);
            expect(used?.resourceVersion).to.equal('99');
            break;
        }
        if (wanted === 'use' || wanted === 'warn') {
          expect(used).to.deep.equal(builder && readBuilderDeployment(builder));
        }
      });
    }
  }

  it('asks nothing and runs nothing for one that works, whatever else there is', async () => {
    const {run, cluster} = situate({
      builders: [workingDeployment({name: 'other'}), BUILDERS.working],
      configMaps: [{metadata: {name: 'buildkit'}}],
      facts: {nodes: forbidden('no'), configMaps: forbidden('no')},
    });
    expect((await run())?.name).to.equal('buildkit');
    expect([cluster.gets, cluster.calls]).to.deep.equal([[], []]);
  });

  for (const [what, policy, product] of [
    ['check', 'check', 'kind'],
    ['a cluster of others', 'ensure', 'gke'],
  ] as const) {
    it(`does not look for builds on one that stays as it is: ${what}`, async () => {
      const {run, cluster} = situate({builders: [BUILDERS['plugin-made']], policy, product});
      await run();
      expect(cluster.calls).to.deep.equal([]);
    });
  }

  it('goes by the buildkitd.toml of the builder, and not of another one', async () => {
    const builder = BUILDERS['cannot-run'];
    const mounted = workingDeployment({
      labels: builder.metadata.labels as Record<string, string>,
      spec: {
        template: {
          spec: {
            containers: [
              {
                name: 'buildkitd',
                image: 'docker.io/moby/buildkit:v0.32.2',
                volumeMounts: [{name: 's', mountPath: '/srv/shared'}],
              },
            ],
            volumes: [{name: 's', hostPath: {path: '/srv/shared'}}],
          },
        },
      },
    });
    const toml = '[otel]\nsocketPath = "/srv/shared/otel.sock"\n';
    const configMap = (name: string) => ({metadata: {name}, data: {'buildkitd.toml': toml}});
    for (const [name, changes] of [
      ['buildkit', 0],
      ['buildkit-2', 4],
    ] as const) {
      const {run, cluster} = situate({builders: [mounted], configMaps: [configMap(name)]});
      await run();
      expect(cluster.calls, name).to.have.length(changes);
    }
  });
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

  for (const [what, facts, named] of [
    ['one right', {rules: granted('pods/exec')}, ['create pods/exec']],
    ['some rights', {rules: granted('pods/exec', 'pods')}, ['list pods', 'create pods/exec']],
    [
      'all rights',
      {rules: []},
      ['get deployments.apps', 'list deployments.apps', 'list pods', 'create pods/exec'],
    ],
    [
      'the right to list builders, where the server does not list rights',
      {deployments: forbidden('said so')},
      ['list deployments.apps'],
    ],
    [
      'the right to list builders, whatever the server lists',
      {deployments: forbidden('said so'), rules: granted()},
      ['list deployments.apps'],
    ],
  ] as const) {
    it(`names what is missing: ${what}`, async () => {
      for (const builders of [[], [BUILDERS['plugin-made']], [BUILDERS.starting], [BUILDERS.working]]) {
        const {run, cluster, ports} = situate({builders, facts});
        const error = await failureOf(run());
        expect(error.code).to.equal('cluster-denied');
        expect(error.message).to.include(`You may not ${named.join(', ')} in namespace "default"`);
        expect(error.remedy.join('\n')).to.include(`kubectl auth can-i ${named[0]} --namespace default`);
        expect(error.detail).to.deep.equal('deployments' in facts ? ['said so'] : []);
        expect([cluster.gets, cluster.calls, ports.said]).to.deep.equal([[], [], []]);
      }
    });
  }

  it('is content with the rights that a build needs, and with a server that does not list them', async () => {
    for (const rules of [granted(), undefined]) {
      const {run} = situate({builders: [BUILDERS.working], facts: {...(rules && {rules})}});
      expect((await run())?.name).to.equal('buildkit');
    }
  });

  it('names what making one takes on top, and only where one is made', async () => {
    const {run, cluster, ports} = situate({facts: {rules: granted()}});
    const error = await failureOf(run());
    expect(error.code).to.equal('cluster-denied');
    expect(error.message).to.include('create deployments.apps').and.include('create configmaps');
    expect([cluster.calls, ports.said]).to.deep.equal([[], []]);
  });

  it('leaves all to kubectl build with never, rights and all', async () => {
    const {run, ports} = situate({policy: 'never', facts: {deployments: forbidden('no'), rules: []}});
    expect(await run()).to.equal(undefined);
    expect(ports.said).to.deep.equal([]);
  });

  for (const policy of ['ensure', 'check'] as const) {
    it(`names a namespace that is missing, where kubectl build would try for ever: ${policy}`, async () => {
      const {run, cluster} = situate({policy, get: {namespaces: [MISSING]}});
      const error = await failureOf(run());
      expect(error.code).to.equal('namespace-missing');
      expect(error.message).to.include('"default"');
      expect(error.remedy.join('\n')).to.include('kubectl create namespace default');
      expect([cluster.gets, cluster.calls]).to.deep.equal([['/api/v1/namespaces/default'], []]);
    });
  }

  it('makes a builder in a namespace that may not be looked at', async () => {
    const {run, done} = situate({
      get: {
        namespaces: [forbidden('no')],
        deployments: [found(BUILDERS.working)],
        pods: [list(pod())],
      },
    });
    await run();
    expect(done()).to.deep.equal(['apply', 'create']);
  });

  it('cannot make one where the nodes may not be looked at', async () => {
    const {run, cluster} = situate({facts: {nodes: forbidden('no')}});
    const error = await failureOf(run());
    expect(error.code).to.equal('cluster-denied');
    expect(error.message).to.include('list the nodes');
    expect(error.remedy.join('\n')).to.include('--builder-policy never');
    expect(cluster.calls).to.deep.equal([]);
  });
});

describe('ensureBuilder, beside other builders', () => {
  const ours = workingDeployment({name: 'ours'});
  const theirs = pluginDeployment({name: 'theirs'});
  const nobodys = workingDeployment({
    name: 'nobodys',
    labels: {'app.kubernetes.io/managed-by': 'Helm'},
    metadata: {annotations: {}},
  });

  it('warns of every other one, once', async () => {
    const {run, ports} = situate({builders: [ours, BUILDERS.working, theirs]});
    await run();
    expect(ports.said).to.have.length(1);
    expect(ports.said[0])
      .to.include('other builders beside "buildkit"')
      .and.include('"ours", "theirs"')
      .and.include('kubectl tiltbuild builder rm NAME');
  });

  for (const [what, builders, policy] of [
    ['itself', [BUILDERS.working], 'ensure'],
    ['what only has the labels', [BUILDERS.working, nobodys], 'ensure'],
    ['anything with never', [BUILDERS.working, ours, theirs], 'never'],
  ] as const) {
    it(`does not warn of ${what}`, async () => {
      const {run, ports} = situate({builders, policy});
      await run();
      expect(ports.said).to.deep.equal([]);
    });
  }
});

describe('ensureBuilder, where there is none', () => {
  it('says that it makes one', async () => {
    const {run, ports} = situate({});
    await run();
    expect(ports.said).to.have.length(1);
    expect(ports.said[0]).to.include('no builder "buildkit" in namespace "default" yet');
  });

  it('uses the one that another one made meanwhile', async () => {
    const stderr =
      'Error from server (AlreadyExists): error when creating "STDIN": deployments.apps "buildkit" already exists\n';
    const {run} = situate({kubectl: {create: {exitCode: 1, stderr}}});
    expect((await run())?.resourceVersion).to.equal('99');
  });

  it('hands on what kubectl said where it may not be made', async () => {
    const stderr = 'Error from server (Forbidden): deployments.apps is forbidden: no\n';
    const {run} = situate({kubectl: {create: {exitCode: 1, stderr}}});
    const error = await failureOf(run());
    expect(error.code).to.equal('builder-failed');
    expect(error.detail.join('\n')).to.include('deployments.apps is forbidden');
  });
});

describe('ensureBuilder, where one is broken', () => {
  const broken = BUILDERS['plugin-made'];

  for (const [what, pgrep, words] of [
    ['on which a build is running', {stdout: '17\n'}, 'a build is running on it'],
    [
      'that cannot be looked into',
      {exitCode: 1, stderr: 'error: unable to upgrade connection\n'},
      'it cannot be seen whether a build is running on it',
    ],
    [
      'without pgrep',
      {exitCode: 126, stderr: 'command terminated with exit code 126\n'},
      'it cannot be seen whether',
    ],
  ] as const) {
    it(`keeps one ${what}, and warns`, async () => {
      const {run, ports, done} = situate({builders: [broken], kubectl: {pgrep}});
      expect((await run())?.uid).to.equal(broken.metadata.uid);
      expect(done()).to.deep.equal(['pgrep']);
      expect(ports.said).to.have.length(1);
      expect(ports.said[0])
        .to.include(words)
        .and.include('To mend it: kubectl tiltbuild builder create buildkit --namespace default --replace');
    });
  }

  it('replaces one without a ready pod without a look into it', async () => {
    const {run, done} = situate({builders: [pluginDeployment({status: {readyReplicas: 0}})]});
    await run();
    expect(done()).to.deep.equal(['apply', 'replace']);
  });

  it('keeps one of ours, which another version may have made so', async () => {
    const ours = pluginDeployment({labels: {'app.kubernetes.io/managed-by': 'kubectl-tiltbuild'}});
    const {run, ports, done} = situate({builders: [ours]});
    expect((await run())?.managedByUs).to.equal(true);
    expect(done()).not.to.include('replace');
    expect(ports.said.join()).to.include('kubectl tiltbuild made it');
  });

  it('says why it is replaced, and what stays of it on its node', async () => {
    const {run, ports} = situate({builders: [broken], kubectl: {cat: {stdout: MOUNT.repeat(8)}}});
    await run();
    expect(ports.said).to.have.length(2);
    expect(ports.said[0]).to.include('harms its node at every start').and.include('is replaced');
    expect(ports.said[1]).to.include('left 7 mounts');
  });

  for (const [what, cat] of [
    ['there is nothing but its own', {stdout: MOUNT}],
    ['it cannot be seen', {exitCode: 1, stderr: 'error: x\n'}],
  ] as const) {
    it(`says nothing of leftovers where ${what}`, async () => {
      const {run, ports} = situate({builders: [broken], kubectl: {cat}});
      await run();
      expect(ports.said).to.have.length(1);
    });
  }

  it('waits for one that stays as it is and is not ready, since kubectl build would wait for ever', async () => {
    const resting = pluginDeployment({status: {readyReplicas: 0}});
    const ready = found(pluginDeployment());
    const {run, ports, cluster} = situate({
      builders: [resting],
      product: 'gke',
      get: {deployments: [found(resting), ready], pods: [list(pod({ready: false})), list(pod())]},
    });
    expect((await run())?.readyReplicas).to.equal(1);
    expect(cluster.gets).to.have.length(4);
    expect(ports.said[0]).to.include('To mend it');
  });

  it('leaves one for Docker to kubectl build, which may still make it one for containerd', async () => {
    const docker = workingDeployment({
      labels: {...ADOPTED, runtime: 'docker', worker: 'runc'},
      status: {readyReplicas: 0},
    });
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
    // The API server has taken the new one, and the controller has not come to it yet.
    const taken = startingDeployment({
      metadata: {generation: 3, resourceVersion: '50'},
      status: {observedGeneration: 2},
    });
    const {run} = situate({
      builders: [pluginDeployment({status: {readyReplicas: 0}})],
      get: {
        deployments: [found(taken), found(workingDeployment())],
        pods: [list(crashing), list(pod())],
      },
      kubectl: {logs: {}},
    });
    expect((await run())?.readyReplicas).to.equal(1);
  });

  it('does not take it for replaced where its status alone was quicker than the replacement', async () => {
    const {run} = situate({
      builders: [broken],
      get: {
        deployments: [found(pluginDeployment({metadata: {resourceVersion: '4557'}}))],
        pods: [list(pod())],
        events: [list()],
      },
      kubectl: {
        replace: {
          exitCode: 1,
          stderr:
            'Error from server (Conflict): error when replacing "STDIN": Operation cannot be fulfilled on deployments.apps "buildkit": the object has been modified\n',
        },
      },
    });
    const used = await run().catch(() => undefined);
    if (used !== undefined) expect(judgeBuilder({deployment: used}).kind).to.equal('working');
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
