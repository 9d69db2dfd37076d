/** Covers how a builder is made and replaced: what kubectl is asked to do, and what its answers mean. */
import {expect} from 'chai';
import {createBuilder, planBuilder, replaceBuilder} from '../../../../src/builder/ensure/make-builder.ts';
import {type NodeRuntime, readNodeRuntimes} from '../../../../src/builder/model/node-runtimes.ts';
import {readBuilderDeployment, readBuilderToml} from '../../../../src/builder/model/objects.ts';
import type {BuilderSettings} from '../../../../src/builder/model/settings.ts';
import {judgeBuilder} from '../../../../src/builder/verdict/verdict.ts';
import type {Product} from '../../../../src/cluster/product.ts';
import {node} from '../../../helpers/api-samples.ts';
import {
  builderRequest,
  failureOf,
  found,
  MISSING,
  pluginDeployment,
  type Said,
  type Scripted,
  type ScriptedCluster,
  scriptCluster,
} from '../builder-world.ts';

const NODES = readNodeRuntimes([node()]);
const APPLY = [
  'apply',
  '--server-side',
  '--force-conflicts',
  '--field-manager=kubectl-tiltbuild',
  '--filename',
  '-',
];
const CREATE = ['create', '--field-manager=kubectl-tiltbuild', '--filename', '-'];
const REPLACE = ['replace', '--field-manager=kubectl-tiltbuild', '--filename', '-'];
const OLD = readBuilderDeployment(pluginDeployment());

function making(settings: Partial<BuilderSettings> = {}, product: Product = 'kind') {
  const request = builderRequest();
  return {request: {...request, settings: {...request.settings, ...settings}}, product, toolVersion: '1.2.3'};
}

/** By kubectl's first argument. */
function answering(said: Readonly<Record<string, Said>> = {}): ScriptedCluster {
  return scriptCluster({kubectl: (args) => said[args[0] ?? ''] ?? {}});
}

function sent({calls}: ScriptedCluster) {
  return calls.map(({args, input}) => [args, input === undefined ? undefined : JSON.parse(input)] as const);
}

const error = (reason: string, words: string) => ({
  exitCode: 1,
  stderr: `Error from server (${reason}): error when creating "STDIN": ${words}\n`,
});

describe('createBuilder', () => {
  it('sends the ConfigMap, which may be an older builder’s, and creates the Deployment', async () => {
    const cluster = answering();
    await createBuilder({...making(), cluster}, NODES);
    const {configMap, deployment} = planBuilder(making(), NODES);
    expect(sent(cluster)).to.deep.equal([
      [APPLY, configMap],
      [CREATE, deployment],
    ]);
  });

  it('makes one on which RUN works, of this version', async () => {
    const cluster = answering();
    await createBuilder({...making({name: 'own', namespace: 'ns'}), cluster}, NODES);
    const [configMap, deployment] = sent(cluster).map(([, object]) => object);
    const made = readBuilderDeployment(deployment);
    expect(made).to.include({name: 'own', namespace: 'ns', managedByUs: true});
    expect(made.annotations).to.include({'kubectl-tiltbuild/version': '1.2.3'});
    const verdict = judgeBuilder({deployment: made, toml: readBuilderToml(configMap) ?? '', nodes: NODES});
    // It has no pods yet, and nothing is wrong with it.
    expect(verdict.kind).to.equal('starting');
  });

  for (const [what, said] of [
    [
      'another one made the Deployment meanwhile',
      {create: error('AlreadyExists', 'deployments.apps "buildkit" already exists')},
    ],
    ['another one is sending the ConfigMap', {apply: error('Conflict', 'the object has been modified')}],
    ['kubectl warns', {create: {stderr: 'Warning: would violate PodSecurity "restricted:latest"\n'}}],
  ] as const) {
    it(`is content where ${what}`, async () => {
      const cluster = answering(said);
      await createBuilder({...making(), cluster}, NODES);
      expect(cluster.calls).to.have.length(2);
    });
  }

  for (const [what, said, calls, detail] of [
    [
      'may not send the ConfigMap',
      {apply: error('Forbidden', 'configmaps "buildkit" is forbidden: no')},
      1,
      ['Error from server (Forbidden): error when creating "STDIN": configmaps "buildkit" is forbidden: no'],
    ],
    [
      'may not create the Deployment',
      {
        create: {
          exitCode: 1,
          stderr: 'Warning: x\n\nError from server (Forbidden): deployments.apps is forbidden: no\n',
        },
      },
      2,
      ['Error from server (Forbidden): deployments.apps is forbidden: no'],
    ],
    ['is killed', {create: {exitCode: undefined}}, 2, ['kubectl failed and did not say why']],
  ] as const) {
    it(`says what kubectl said where it ${what}`, async () => {
      const cluster = answering(said);
      const failure = await failureOf(createBuilder({...making(), cluster}, NODES));
      expect(failure.code).to.equal('builder-failed');
      expect(failure.detail).to.deep.equal(detail);
      expect(failure.remedy.join('\n')).to.include('--dry-run');
      expect(cluster.calls).to.have.length(calls);
    });
  }
});

describe('replaceBuilder', () => {
  it('replaces the very one that was looked at', async () => {
    const cluster = answering();
    await replaceBuilder({...making(), cluster}, NODES, OLD);
    const {configMap, deployment} = planBuilder(making(), NODES);
    const metadata = {...deployment.metadata, resourceVersion: '4556'};
    expect(sent(cluster)).to.deep.equal([
      [APPLY, configMap],
      [REPLACE, {...deployment, metadata}],
    ]);
  });

  it('deletes one whose selector cannot be changed, and creates the new one', async () => {
    const cluster = answering({
      replace: {
        exitCode: 1,
        stderr:
          'The Deployment "buildkit" is invalid: spec.selector: Invalid value: {"matchLabels":{"app":"buildkit"}}: field is immutable\n',
      },
    });
    await replaceBuilder({...making(), cluster}, NODES, OLD);
    const {deployment} = planBuilder(making(), NODES);
    expect(sent(cluster).slice(2)).to.deep.equal([
      [['delete', 'deployment/buildkit', '--ignore-not-found'], undefined],
      [CREATE, deployment],
    ]);
    expect(deployment.metadata).not.to.have.property('resourceVersion');
  });

  for (const [what, said, calls] of [
    ['the ConfigMap', {apply: error('Forbidden', 'no')}, 1],
    ['the Deployment', {replace: error('Forbidden', 'no')}, 2],
    ['one that is gone', {replace: error('NotFound', 'deployments.apps "buildkit" not found')}, 2],
    [
      'one that may not be deleted',
      {replace: {exitCode: 1, stderr: 'x: field is immutable\n'}, delete: error('Forbidden', 'no')},
      3,
    ],
  ] as const) {
    it(`fails where kubectl cannot replace ${what}`, async () => {
      const cluster = answering(said);
      const failure = await failureOf(replaceBuilder({...making(), cluster}, NODES, OLD));
      expect(failure.code).to.equal('builder-failed');
      expect(cluster.calls).to.have.length(calls);
    });
  }

  describe('where it was changed meanwhile', () => {
    const CONFLICT = error('Conflict', 'the object has been modified');
    const changed = (changes: Record<string, unknown>) =>
      found(pluginDeployment({metadata: {resourceVersion: '9', ...changes}}));

    /** The first so many attempts come too late. */
    function conflicting(count: number, deployments: readonly Scripted[]) {
      let replaced = 0;
      return scriptCluster({
        get: {deployments},
        kubectl: (args) => {
          if (args[0] !== 'replace') return {};
          replaced += 1;
          return replaced <= count ? CONFLICT : {};
        },
      });
    }

    it('looks again and replaces it, if only its status changed', async () => {
      const cluster = conflicting(1, [changed({})]);
      await replaceBuilder({...making(), cluster}, NODES, OLD);
      expect(cluster.gets).to.deep.equal(['/apis/apps/v1/namespaces/default/deployments/buildkit']);
      expect(sent(cluster).map(([args, object]) => [args[0], object.metadata.resourceVersion])).to.deep.equal(
        [
          ['apply', undefined],
          ['replace', '4556'],
          ['replace', '9'],
        ],
      );
    });

    for (const [what, answer] of [
      ['somebody else changed it', changed({generation: 3})],
      ['it is another one now', changed({uid: 'another'})],
      ['it is gone', MISSING],
    ] as const) {
      it(`leaves it where ${what}`, async () => {
        const cluster = conflicting(9, [answer]);
        await replaceBuilder({...making(), cluster}, NODES, OLD);
        expect(cluster.calls.map(({args}) => args[0])).to.deep.equal(['apply', 'replace']);
      });
    }

    it('gives up at some time', async () => {
      const cluster = conflicting(99, [changed({})]);
      const failure = await failureOf(replaceBuilder({...making(), cluster}, NODES, OLD));
      expect(failure.code).to.equal('builder-failed');
      expect(failure.remedy.join('\n')).to.include('builder rm buildkit --namespace default');
      expect(cluster.calls.length).to.be.below(10);
    });
  });

  for (const make of [
    (cluster: ScriptedCluster) => createBuilder({...making(), cluster}, undefined),
    (cluster: ScriptedCluster) => replaceBuilder({...making(), cluster}, undefined, OLD),
  ]) {
    it('sends nothing where it cannot be planned', async () => {
      const cluster = answering();
      expect((await failureOf(make(cluster))).code).to.equal('cluster-denied');
      expect(cluster.calls).to.deep.equal([]);
    });
  }
});

describe('planBuilder', () => {
  const mounts = (nodes: readonly NodeRuntime[] | undefined, ...of: Parameters<typeof making>) => {
    const {deployment} = planBuilder(making(...of), nodes);
    return readBuilderDeployment(deployment).mounts.map(({hostPath}) => hostPath);
  };

  it('goes by the distribution of the nodes where the product tells nothing', () => {
    const k3s = readNodeRuntimes([node({kubeletVersion: 'v1.36.2+k3s1'})]);
    expect(mounts(k3s, {}, 'unknown')).to.include('/run/k3s/containerd');
    expect(mounts(NODES, {}, 'unknown'))
      .to.include('/run/containerd')
      .and.not.include('/run/k3s/containerd');
  });

  it('goes by the runtime of the nodes', () => {
    const docker = readNodeRuntimes([node({containerRuntimeVersion: 'docker://28.0.1'})]);
    expect(mounts(docker, {}, 'minikube')).to.include('/var/run/docker.sock');
  });

  it('makes as many as there are nodes to hold one', () => {
    const nodes = readNodeRuntimes(['a', 'b', 'c'].map((name) => node({name})));
    const [first, ...others] = nodes as [NodeRuntime, ...NodeRuntime[]];
    const plan = planBuilder(making({replicas: 'nodes'}), [{...first, unschedulable: true}, ...others]);
    expect(plan.deployment.spec.replicas).to.equal(2);
  });

  it('needs no look at the nodes for a rootless one', () => {
    expect(mounts(undefined, {rootless: true}).filter(Boolean)).to.deep.equal([]);
  });

  for (const [what, versions, words] of [
    ['cri-o', ['cri-o://1.33.0'], 'cri-o'],
    ['several runtimes', ['containerd://2.1.9', 'docker://28.0.1'], 'different container runtimes'],
  ] as const) {
    it(`refuses ${what}`, async () => {
      const nodes = readNodeRuntimes(
        versions.map((containerRuntimeVersion, index) => node({name: `n${index}`, containerRuntimeVersion})),
      );
      const failure = await failureOf((async () => planBuilder(making(), nodes))());
      expect(failure.code).to.equal('builder-runtime');
      expect(failure.message).to.include(words);
    });
  }
});
