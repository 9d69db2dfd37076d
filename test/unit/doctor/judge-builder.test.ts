/** Covers what is said of a builder, and what can be done about it, case by case. */
import {expect} from 'chai';
import {readBuilderDeployment} from '../../../src/builder/model/objects.ts';
import {readEvents, readPods} from '../../../src/builder/model/pods.ts';
import {type BuilderSight, findRepair, judgeBuilder} from '../../../src/doctor/judge-builder.ts';
import type {Mark} from '../../../src/doctor/report.ts';
import {TiltbuildError} from '../../../src/errors.ts';
import {pluginDeployment, startingDeployment, stuck, workingDeployment} from '../builder/builder-world.ts';

function sight(deployment: unknown, changes: Partial<BuilderSight> = {}): BuilderSight {
  return {
    name: 'buildkit',
    namespace: 'default',
    product: 'kind',
    fixedNodes: true,
    observed: {
      deployment: deployment === undefined ? undefined : readBuilderDeployment(deployment),
      toml: undefined,
      tomlUnknown: false,
      nodes: undefined,
    },
    pods: undefined,
    events: [],
    buildkitVersion: 'v0.32.2',
    others: [],
    namespaceMissing: false,
    unmakeable: undefined,
    obstacle: undefined,
    ...changes,
  };
}

function stuckSight(name: string): BuilderSight {
  const {deployment, pods, events} = stuck(name);
  return sight(deployment, {pods: readPods(pods), events: readEvents(events)});
}

/** Ours, on containerd, with RUN broken. */
const brokenRun = (labels = {}) =>
  workingDeployment({labels: {rootless: 'false', worker: 'containerd', runtime: 'containerd', ...labels}});

const REPLACE = 'kubectl tiltbuild builder create buildkit --replace --namespace default';
const CREATE = 'kubectl tiltbuild builder create buildkit --namespace default';
const unmakeable = new TiltbuildError('builder-runtime', 'The nodes run cri-o.', {remedy: ['Push.']});

interface Case {
  readonly what: string;
  readonly sight: BuilderSight;
  readonly mark: Mark;
  readonly words: readonly string[];
  readonly cure?: string;
  /** The question's last sentence. */
  readonly repair?: string;
}

const CASES: readonly Case[] = [
  {
    what: 'one that works',
    sight: sight(workingDeployment()),
    mark: 'ok',
    words: ['"buildkit" is ready: BuildKit v0.32.2, rootless'],
  },
  {
    what: 'one whose version is not told',
    sight: sight(workingDeployment(), {buildkitVersion: undefined}),
    mark: 'ok',
    words: ['is ready: docker.io/moby/buildkit:v0.32.2-rootless'],
  },
  {
    what: 'one of several',
    sight: sight(workingDeployment(), {others: ['older', 'oldest']}),
    mark: 'warn',
    words: ['is ready', 'older, oldest', 'travels through your machine'],
    cure: 'kubectl tiltbuild builder rm older --namespace default',
  },
  {
    what: 'none',
    sight: sight(undefined),
    mark: 'warn',
    words: ['no "buildkit" yet'],
    cure: CREATE,
    repair: 'Make it?',
  },
  {
    what: 'none, in no namespace',
    sight: sight(undefined, {namespaceMissing: true}),
    mark: 'fail',
    words: ['no namespace "default"'],
    cure: 'kubectl create namespace default',
  },
  {
    what: 'none, where none can be made',
    sight: sight(undefined, {unmakeable}),
    mark: 'fail',
    words: ['none can be made: The nodes run cri-o.'],
    cure: 'Push.',
  },
  {
    what: "the plugin's own",
    sight: sight(pluginDeployment()),
    mark: 'warn',
    words: ['harms its node', 'cannot run RUN steps', 'the next build'],
    cure: REPLACE,
    repair: 'Put one that works in its place?',
  },
  {
    what: "the plugin's own, where others may use it",
    sight: sight(pluginDeployment(), {product: 'gke'}),
    mark: 'fail',
    words: ['harms its node', 'others may use it'],
    cure: REPLACE,
  },
  {
    what: "the plugin's own, where it cannot be replaced",
    sight: sight(pluginDeployment(), {unmakeable}),
    mark: 'fail',
    words: ['The nodes run cri-o.'],
    cure: REPLACE,
  },
  {
    what: "the plugin's own of an old BuildKit, which RUN works on, where others may use it",
    sight: (() => {
      const seen = sight(pluginDeployment(), {product: 'gke'});
      const {deployment} = seen.observed;
      const old = deployment && {...deployment, image: 'docker.io/moby/buildkit:v0.12.5'};
      return {...seen, observed: {...seen.observed, deployment: old}};
    })(),
    mark: 'warn',
    words: ['harms its node', 'others may use it'],
    cure: REPLACE,
  },
  {
    what: 'one of ours that RUN does not work on',
    sight: sight(brokenRun()),
    mark: 'fail',
    words: ['cannot run RUN steps', 'kubectl tiltbuild made it'],
    cure: REPLACE,
  },
  {
    what: 'one that starts',
    sight: sight(startingDeployment(), {pods: []}),
    mark: 'warn',
    words: ['is not ready yet', "waiting for the builder's pod"],
  },
  {
    what: 'one whose pods may not be seen',
    sight: sight(startingDeployment()),
    mark: 'warn',
    words: ['"buildkit" is not ready yet'],
  },
  {
    what: 'one that is scaled to 0',
    sight: sight(startingDeployment({spec: {replicas: 0}}), {pods: []}),
    mark: 'fail',
    words: ['is scaled to 0'],
    cure: 'kubectl scale deployment/buildkit --replicas 1 --namespace default',
  },
];

describe('judgeBuilder', () => {
  for (const {what, sight, mark, words, cure, repair} of CASES) {
    it(`says ${mark} of ${what}`, () => {
      const finding = judgeBuilder(sight);
      expect([finding.mark, finding.cure?.text]).to.deep.equal([mark, cure]);
      for (const word of words) expect(finding.found).to.contain(word);
      expect(findRepair(sight)?.replace(/^.*\. /, '')).to.equal(repair);
    });
  }

  // A builder of the plugin's is replaced whatever else is the matter, so that these show what is wrong with others.
  for (const [name, mark, word] of [
    ['image', 'fail', 'cannot be pulled'],
    ['quota', 'fail', 'quota'],
    ['podsecurity', 'fail', 'Pod Security'],
    ['unschedulable-cpu', 'fail', 'Insufficient cpu'],
  ] as const) {
    it(`names what a builder that is stuck waits for: ${name}`, () => {
      const {observed, ...rest} = stuckSight(name);
      const deployment = observed.deployment && {
        ...observed.deployment,
        mounts: [],
        labels: {rootless: 'true'},
      };
      const stuckOne = {...rest, observed: {...observed, deployment}};
      const finding = judgeBuilder(stuckOne);
      expect(finding.mark).to.equal(mark);
      expect(finding.found).to.contain(word);
      expect(findRepair(stuckOne)).to.equal(undefined);
    });
  }
});
