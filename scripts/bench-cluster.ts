/**
 * Owns the benchmark on a real cluster: what a rebuild takes that changes nothing, and how long it is from a saved file
 * to a pod that is ready, by kubectl build and by kubectl tiltbuild. It has a namespace of its own, which is removed in
 * the end. Both use the builder that kubectl tiltbuild makes, since the one that kubectl build makes cannot run the RUN
 * step of the large image.
 */
import {randomBytes} from 'node:crypto';
import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {
  type Case,
  type Comparison,
  compare,
  oneRun,
  type Program,
  type Result,
  runProgram,
  runsAtOnce,
} from './bench-measure.ts';

export interface ClusterBench {
  /** The program of kubectl tiltbuild. */
  readonly tiltbuild: string;
  readonly kubectl: string;
  /** Has the kubeconfig, and the delegate on its PATH. */
  readonly env: Readonly<Record<string, string>>;
  /** Where contexts are made. */
  readonly directory: string;
  /** What the images are made from. It has to have `sleep` and `head`. */
  readonly baseImage: string;
  readonly rounds: number;
  readonly atOnce: number;
}

const NAMESPACE = 'kubectl-tiltbuild-bench';
const IN_NAMESPACE = ['--namespace', NAMESPACE];

interface Image {
  readonly name: string;
  readonly title: string;
  readonly steps: readonly string[];
  readonly rounds: number;
  readonly warmUps: number;
}

const IMAGES: readonly Image[] = [
  {name: 'tiny', title: 'a tiny image', steps: [], rounds: 10, warmUps: 2},
  {
    name: 'large',
    title: 'an image of 500 MB',
    steps: ['RUN head -c 500000000 /dev/urandom > /blob'],
    // Each is 1 GB of the node's disk, until containerd removes what the tag no longer names.
    rounds: 3,
    warmUps: 1,
  },
];

/** Each comparison is handed to `report` as soon as it is done. Throws where a program fails. */
export async function benchCluster(bench: ClusterBench, report: (result: Result) => void): Promise<void> {
  const kubectl = (...args: readonly string[]) => runProgram(program(bench, bench.kubectl, args));
  const manifest = join(bench.directory, 'bench-namespace.json');
  writeFileSync(manifest, JSON.stringify({apiVersion: 'v1', kind: 'Namespace', metadata: {name: NAMESPACE}}));
  await kubectl('create', '--filename', manifest);
  try {
    await runProgram(program(bench, bench.tiltbuild, ['builder', 'create', ...IN_NAMESPACE]));
    const [tiny] = IMAGES as [Image];
    for (const comparison of [
      ...compareRebuilds(bench, tiny),
      ...IMAGES.map((image) => toReady(bench, image)),
    ])
      report(await compare(comparison, bench.rounds));
    await runProgram(program(bench, bench.tiltbuild, ['builder', 'prune', '--all', ...IN_NAMESPACE]));
  } finally {
    await kubectl('delete', 'namespace', NAMESPACE);
  }
}

/** The aim: with all that is checked, a rebuild costs no more than plain kubectl build. */
function compareRebuilds(bench: ClusterBench, image: Image): readonly Comparison[] {
  const context = writeContext(bench, image);
  const build = [...IN_NAMESPACE, '--tag', 'localhost/bench:rebuild', context];
  const alone = program(bench, 'kubectl-build', build);
  const ours = program(bench, bench.tiltbuild, build);
  return [
    {
      title: 'A rebuild that changes nothing, on the cluster',
      cases: [
        oneRun('kubectl-build alone', alone),
        oneRun('kubectl build, through kubectl', program(bench, bench.kubectl, ['build', ...build])),
        oneRun('kubectl-tiltbuild', ours),
      ],
    },
    {
      title: `${bench.atOnce} rebuilds at once, on the cluster`,
      cases: [
        runsAtOnce('kubectl-build', alone, bench.atOnce),
        runsAtOnce('kubectl-tiltbuild', ours, bench.atOnce),
      ],
      rounds: 10,
    },
  ];
}

function toReady(bench: ClusterBench, image: Image): Comparison {
  const context = writeContext(bench, image);
  const saveToReady = (label: string, name: string, build: (args: readonly string[]) => Program): Case => {
    // One tag for all rounds: what a build leaves then goes with the next one.
    const tag = `localhost/${name}:dev`;
    const manifest = join(context, `${name}.json`);
    const kubectl = (...args: readonly string[]) =>
      runProgram(program(bench, bench.kubectl, [...args, ...IN_NAMESPACE]));
    return {
      name: label,
      prepare: () => {
        writeFileSync(join(context, 'marker'), randomName());
        writeFileSync(manifest, JSON.stringify(deployment(name, tag)));
      },
      run: async () => {
        await runProgram(build([...IN_NAMESPACE, '--tag', tag, context]));
        await kubectl('apply', '--server-side', '--filename', manifest);
        await kubectl('rollout', 'status', `deployment/${name}`, '--timeout', '300s');
      },
    };
  };
  return {
    title: `From save to a ready pod, ${image.title}`,
    cases: [
      saveToReady('kubectl build', `${image.name}-build`, (args) =>
        program(bench, bench.kubectl, ['build', ...args]),
      ),
      saveToReady('kubectl tiltbuild', `${image.name}-tiltbuild`, (args) =>
        program(bench, bench.tiltbuild, args),
      ),
    ],
    rounds: image.rounds,
    warmUps: image.warmUps,
  };
}

/** Manifests lie in it as well, which are no part of the image. */
function writeContext({directory, baseImage}: ClusterBench, {name, steps}: Image): string {
  const context = join(directory, `bench-${name}`);
  mkdirSync(context, {recursive: true});
  const lines = [`FROM ${baseImage}`, 'COPY marker /marker', ...steps, ''];
  writeFileSync(join(context, 'Dockerfile'), lines.join('\n'));
  writeFileSync(join(context, 'marker'), randomName());
  return context;
}

/** Rolled out anew with each one, though its tag stays. The image can come from nowhere but the node. */
function deployment(name: string, image: string): object {
  const labels = {app: name};
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {name},
    spec: {
      selector: {matchLabels: labels},
      template: {
        metadata: {labels, annotations: {build: randomName()}},
        spec: {
          // `sleep` as the first process hears no signal.
          terminationGracePeriodSeconds: 0,
          containers: [{name: 'sleep', image, imagePullPolicy: 'Never', command: ['sleep', '86400']}],
        },
      },
    },
  };
}

function program({env, directory}: ClusterBench, command: string, args: readonly string[]): Program {
  return {command, args, env, cwd: directory};
}

function randomName(): string {
  return randomBytes(8).toString('hex');
}
