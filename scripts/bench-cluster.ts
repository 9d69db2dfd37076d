/**
 * Owns the benchmark on a real cluster: the time of a rebuild without changes, and from a saved file to a ready pod,
 * with kubectl build and with kubectl tiltbuild. It creates a namespace, and deletes it at the end. Both use the builder
 * that kubectl tiltbuild creates, because the one of kubectl build cannot run the RUN step of the large image.
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
  readonly tiltbuild: string;
  readonly kubectl: string;
  /** With KUBECONFIG, and the delegate on PATH. */
  readonly env: Readonly<Record<string, string>>;
  /** Where build contexts are created. */
  readonly directory: string;
  /** The base image, which needs `sleep` and `head`. */
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
    // Each takes 1 GB of the node's disk until containerd removes the untagged ones.
    rounds: 3,
    warmUps: 1,
  },
];

/** Calls `report` after each comparison. Throws if a program fails. */
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

/** The aim: a rebuild with all checks takes no longer than with plain kubectl build. */
function compareRebuilds(bench: ClusterBench, image: Image): readonly Comparison[] {
  const context = writeContext(bench, image);
  const build = [...IN_NAMESPACE, '--tag', 'localhost/bench:rebuild', context];
  const alone = program(bench, 'kubectl-build', build);
  const ours = program(bench, bench.tiltbuild, build);
  const reference = ['--image', 'localhost/bench', '--ref-file', join(bench.directory, 'ref')];
  const named = [...IN_NAMESPACE, ...reference, context];
  const builtin = (args: readonly string[]) =>
    program(bench, bench.tiltbuild, ['--engine', 'builtin', ...args]);
  return [
    {
      title: 'A rebuild that changes nothing, on the cluster',
      cases: [
        oneRun('kubectl-build alone', alone),
        oneRun('kubectl build, through kubectl', program(bench, bench.kubectl, ['build', ...build])),
        oneRun('kubectl-tiltbuild', ours),
        oneRun('kubectl-tiltbuild, builtin engine', builtin(build)),
        oneRun('kubectl-tiltbuild, builtin engine, reference file', builtin(named)),
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
    // One tag for all rounds: the next build untags the image of the last one.
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

/** Also holds the manifests, which are not part of the image. */
function writeContext({directory, baseImage}: ClusterBench, {name, steps}: Image): string {
  const context = join(directory, `bench-${name}`);
  mkdirSync(context, {recursive: true});
  const lines = [`FROM ${baseImage}`, 'COPY marker /marker', ...steps, ''];
  writeFileSync(join(context, 'Dockerfile'), lines.join('\n'));
  writeFileSync(join(context, 'marker'), randomName());
  return context;
}

/** The annotation makes each manifest roll out although the tag stays. The image can only come from the node. */
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
          // `sleep` as the first process ignores signals.
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
