/** Covers the check of the builder, and what can be done about it, case by case. */
import {expect} from 'chai';
import {readBuilderDeployment} from '../../../src/builder/model/objects.ts';
import {readEvents, readPods} from '../../../src/builder/model/pods.ts';
import {type BuilderSight, findRepair, judgeBuilder} from '../../../src/doctor/judge-builder.ts';
import type {Mark} from '../../../src/doctor/report.ts';
import {TiltbuildError} from '../../../src/errors.ts';
import {formatAdvice} from '../../../src/text/advice.ts';
import {pluginDeployment, startingDeployment, stuck, workingDeployment} from '../builder/builder-world.ts';

function sight(deployment: unknown, changes: Partial<BuilderSight> = {}): BuilderSight {
  return {
    name: 'buildkit',
    namespace: 'default',
    product: 'kind',
    observed: {deployment: deployment === undefined ? undefined : readBuilderDeployment(deployment)},
    pods: undefined,
    events: [],
    buildkitVersion: 'v0.32.2',
    others: [],
    namespaceMissing: false,
    cannotCreate: undefined,
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
const cannotCreate = new TiltbuildError('builder-runtime', 'The nodes run cri-o.', {remedy: ['Push.']});

interface Case {
  readonly what: string;
  readonly sight: BuilderSight;
  readonly mark: Mark;
  readonly words: readonly string[];
  readonly fix?: string;
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
    what: 'one whose version is unknown',
    sight: sight(workingDeployment(), {buildkitVersion: undefined}),
    mark: 'ok',
    words: ['is ready: docker.io/moby/buildkit:v0.32.2-rootless'],
  },
  {
    what: 'one of several',
    sight: sight(workingDeployment(), {others: ['older', 'oldest']}),
    mark: 'warn',
    words: ['is ready', 'older, oldest', 'passes through your machine'],
    fix: 'kubectl tiltbuild builder rm older --namespace default',
  },
  {
    what: 'none',
    sight: sight(undefined),
    mark: 'warn',
    words: ['no "buildkit" yet'],
    fix: CREATE,
    repair: 'Create it?',
  },
  {
    what: 'none, in no namespace',
    sight: sight(undefined, {namespaceMissing: true}),
    mark: 'fail',
    words: ['no namespace "default"'],
    fix: 'kubectl create namespace default',
  },
  {
    what: 'none, where none can be created',
    sight: sight(undefined, {cannotCreate}),
    mark: 'fail',
    words: ['none can be created: The nodes run cri-o.'],
    fix: 'Push.',
  },
  {
    what: "the plugin's own",
    sight: sight(pluginDeployment()),
    mark: 'warn',
    words: ['harms its node', 'cannot run RUN steps', 'the next build'],
    fix: REPLACE,
    repair: 'Replace it with one that works?',
  },
  {
    what: "the plugin's own, where others may use it",
    sight: sight(pluginDeployment(), {product: 'gke'}),
    mark: 'fail',
    words: ['harms its node', 'others may use it'],
    fix: REPLACE,
  },
  {
    what: "the plugin's own, where it cannot be replaced",
    sight: sight(pluginDeployment(), {cannotCreate}),
    mark: 'fail',
    words: ['The nodes run cri-o.'],
    fix: REPLACE,
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
    fix: REPLACE,
  },
  {
    what: 'one of ours that cannot run RUN steps',
    sight: sight(brokenRun()),
    mark: 'fail',
    words: ['cannot run RUN steps', 'kubectl tiltbuild created it'],
    fix: REPLACE,
  },
  {
    what: 'one that starts',
    sight: sight(startingDeployment(), {pods: []}),
    mark: 'warn',
    words: ['is not ready yet', 'waiting for its pod'],
  },
  {
    what: 'one whose pods cannot be listed',
    sight: sight(startingDeployment()),
    mark: 'warn',
    words: ['"buildkit" is not ready yet'],
  },
  {
    what: 'one that is scaled to 0',
    sight: sight(startingDeployment({spec: {replicas: 0}}), {pods: []}),
    mark: 'fail',
    words: ['is scaled to 0'],
    fix: 'kubectl scale deployment/buildkit --replicas 1 --namespace default',
  },
];

describe('judgeBuilder', () => {
  for (const {what, sight, mark, words, fix, repair} of CASES) {
    it(`reports ${mark} for ${what}`, () => {
      const finding = judgeBuilder(sight);
      expect([finding.mark, finding.fix && formatAdvice(finding.fix)]).to.deep.equal([mark, fix]);
      for (const word of words) expect(finding.found).to.contain(word);
      expect(findRepair(sight)?.replace(/^.*\. /, '')).to.equal(repair);
    });
  }

  // A builder of the plugin is replaced whatever else is wrong, so these are made to look like others.
  for (const [name, mark, word] of [
    ['image', 'fail', 'cannot be pulled'],
    ['quota', 'fail', 'quota'],
    ['podsecurity', 'fail', 'Pod Security'],
    ['unschedulable-cpu', 'fail', 'Insufficient cpu'],
  ] as const) {
    it(`names what keeps a builder from starting: ${name}`, () => {
      const {observed, ...rest} = stuckSight(name);
      const deployment = observed.deployment && {...observed.deployment, mounts: [], rootless: true};
      const stuckOne = {...rest, observed: {...observed, deployment}};
      const finding = judgeBuilder(stuckOne);
      expect(finding.mark).to.equal(mark);
      expect(finding.found).to.contain(word);
      expect(findRepair(stuckOne)).to.equal(undefined);
    });
  }
});
