/** Covers the check of the builder, and what can be done about it, where test/cli/doctor.test.ts has no such builder. */
import {expect} from 'chai';
import {readBuilderDeployment} from '../../../src/builder/model/objects.ts';
import {readEvents, readPods} from '../../../src/builder/model/pods.ts';
import {type BuilderSight, findRepair, judgeBuilder} from '../../../src/doctor/judge-builder.ts';
import type {Mark} from '../../../src/doctor/report.ts';
import {TiltbuildError} from '../../../src/errors.ts';
import {formatAdvice} from '../../../src/text/advice.ts';
import {
  nodeRuntime,
  pluginDeployment,
  readPod,
  startingDeployment,
  stuck,
  workingDeployment,
} from '../builder/builder-world.ts';

function sight(deployment: unknown, changes: Partial<BuilderSight> = {}): BuilderSight {
  return {
    ...{name: 'buildkit', namespace: 'default', product: 'kind', buildkitVersion: 'v0.32.2'},
    observed: {deployment: deployment === undefined ? undefined : readBuilderDeployment(deployment)},
    ...{pods: undefined, events: [], others: [], namespaceMissing: false},
    ...{cannotCreate: undefined, obstacle: undefined},
    ...changes,
  };
}

/** A builder of the plugin is replaced whatever else is wrong, so a recorded one is made to look like another. */
function stuckSight(name: string, product: BuilderSight['product'] = 'kind'): BuilderSight {
  const {deployment, pods, events} = stuck(name);
  const observed = {...readBuilderDeployment(deployment), mounts: [], rootless: true};
  return sight(undefined, {
    ...{product, observed: {deployment: observed}},
    ...{pods: readPods(pods), events: readEvents(events)},
  });
}

const PLUGIN = pluginDeployment();
const OLD = {...readBuilderDeployment(PLUGIN), image: 'docker.io/moby/buildkit:v0.12.5'};
/** Ours, on containerd, with RUN broken. */
const BROKEN = workingDeployment({labels: {rootless: 'false', worker: 'containerd', runtime: 'containerd'}});
const SCALED = startingDeployment({spec: {replicas: 0}});

const REPLACE = 'kubectl tiltbuild builder create buildkit --replace --namespace default';
const SCALE = 'kubectl scale deployment/buildkit --replicas 1 --namespace default';
const REMOVE = 'kubectl tiltbuild builder rm older --namespace default';
const cannotCreate = new TiltbuildError('builder-runtime', 'The nodes run cri-o.', {remedy: ['Push.']});
const older = {others: ['older', 'oldest']};
const ofOldVersion = sight(undefined, {product: 'gke', observed: {deployment: OLD}});

describe('judgeBuilder', () => {
  for (const [mark, what, given, words, fix] of [
    ['ok', 'rootless', sight(workingDeployment()), 'is ready: BuildKit v0.32.2, rootless'],
    [
      'ok',
      'of an unknown version',
      sight(workingDeployment(), {buildkitVersion: undefined}),
      'v0.32.2-rootless',
    ],
    ['warn', 'one of several', sight(workingDeployment(), older), '(older, oldest)', REMOVE],
    ['fail', 'missing for good', sight(undefined, {cannotCreate}), 'none can be created: The nodes', 'Push.'],
    ['fail', 'not to be replaced', sight(PLUGIN, {cannotCreate}), 'The nodes run cri-o.', REPLACE],
    ['warn', 'harmful only, where others may use it', ofOldVersion, 'others may use it', REPLACE],
    ['fail', 'ours that cannot run', sight(BROKEN), 'kubectl tiltbuild created it', REPLACE],
    ['warn', 'starting', sight(startingDeployment(), {pods: []}), 'is not ready yet: waiting for its pod'],
    ['warn', 'starting, with hidden pods', sight(startingDeployment()), '"buildkit" is not ready yet'],
    ['fail', 'scaled to 0', sight(SCALED, {pods: []}), 'is scaled to 0', SCALE],
  ] as readonly (readonly [Mark, string, BuilderSight, string, string?])[]) {
    it(`reports ${mark} for one that is ${what}, which --fix leaves alone`, () => {
      const finding = judgeBuilder(given);
      expect([finding.mark, finding.fix && formatAdvice(finding.fix)]).to.deep.equal([mark, fix]);
      expect(finding.found).to.contain(words);
      expect(findRepair(given)).to.equal(undefined);
    });
  }

  const nodes = ['a', 'b'].map((name) => nodeRuntime({name}));
  const made = (settings: object, replicas = 2) =>
    readBuilderDeployment({
      ...workingDeployment({
        labels: {rootless: 'false'},
        spec: {replicas},
        metadata: {annotations: {'kubectl-tiltbuild/settings': JSON.stringify(settings)}},
      }),
    });
  const busy = [readPod({node: 'a'}), readPod({node: 'b', ready: false})];
  const PODS = 'kubectl describe pods --namespace default --selector app=buildkit';
  const SPREAD = 'kubectl tiltbuild builder create buildkit --replace --replicas nodes --namespace default';
  for (const [mark, what, deployment, pods, product, fix] of [
    [
      'ok',
      'on every node',
      made({replicas: 'nodes'}),
      busy.map((one) => ({...one, ready: true})),
      'kind',
      undefined,
    ],
    ['warn', 'not ready on one', made({replicas: 'nodes'}), busy, 'gke', PODS],
    ['warn', 'not on one that joined', made({replicas: 'nodes'}, 1), busy.slice(0, 1), 'kind', 'Build once.'],
    ['warn', 'on one node of a local cluster', made({}, 1), busy.slice(0, 1), 'kind', SPREAD],
    ['ok', 'on one node elsewhere', made({}, 1), busy.slice(0, 1), 'gke', undefined],
  ] as const) {
    it(`reports ${mark} for one that is ${what}`, () => {
      const finding = judgeBuilder(sight(undefined, {product, pods, observed: {deployment, nodes}}));
      expect([finding.mark, finding.fix && formatAdvice(finding.fix)]).to.deep.equal([mark, fix]);
      expect(finding.found).to.contain('is ready on a');
    });
  }

  it('takes a builder without a node for stuck only where no node will join', () => {
    for (const [mark, product] of [
      ['fail', 'kind'],
      ['warn', 'gke'],
    ] as const) {
      const finding = judgeBuilder(stuckSight('unschedulable-cpu', product));
      expect(finding.mark).to.equal(mark);
      expect(finding.found).to.contain('Insufficient cpu');
    }
  });

  it('reads events to find what keeps a builder from starting', () => {
    expect(judgeBuilder(stuckSight('hostpath')).found).to.contain('is not a directory');
  });
});

describe('findRepair', () => {
  it('asks about what a build would do', () => {
    expect(findRepair(sight(undefined))).to.match(/ does not exist\. Create it\?$/);
    expect(findRepair(sight(PLUGIN))).to.match(/ harms its node.*\. Replace it with one that works\?$/);
    expect(findRepair(sight(undefined, {namespaceMissing: true}))).to.equal(undefined);
  });
});
