/**
 * Owns the benchmark on a real cluster: from a saved file to a pod that is ready, by kubectl build and by kubectl
 * tiltbuild, in a namespace of its own that is removed in the end. Both use the builder that kubectl tiltbuild makes,
 * since the one that kubectl build makes cannot run the RUN step of the large image.
 */
import {randomBytes} from 'node:crypto';
import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {type Case, type Comparison, compare, type Program, type Result, runProgram} from './bench-measure.ts';

export interface ClusterBench {
  /** The compiled program. */
  readonly binary: string;
  readonly kubectl: string;
  /** Has the kubeconfig, and the delegate on its PATH. */
  readonly env: Readonly<Record<string, string>>;
  /** Where contexts are made. */
  readonly directory: string;
}

const NAMESPACE = 'kubectl-tiltbuild-bench';
const ROUNDS = 5;

const IMAGES = [
  {name: 'a tiny image', dockerfile: 'FROM busybox:1.37\nCOPY marker /marker\n'},
  {
    name: 'an image of 500 MB',
    dockerfile: 'FROM busybox:1.37\nCOPY marker /marker\nRUN head -c 500000000 /dev/urandom > /blob\n',
  },
];

export async function benchCluster(bench: ClusterBench, rounds: number): Promise<readonly Result[]> {
  const {binary, kubectl, env, directory} = bench;
  const program = (command: string, ...args: string[]): Program => ({command, args, env, cwd: directory});
  const inNamespace = ['--namespace', NAMESPACE];
  await runProgram(program(kubectl, 'create', 'namespace', NAMESPACE));
  try {
    await runProgram(program(binary, 'builder', 'create', ...inNamespace));
    const results: Result[] = [];
    for (const [index, image] of IMAGES.entries()) {
      const context = join(directory, `context-${index}`);
      mkdirSync(context);
      writeFileSync(join(context, 'Dockerfile'), image.dockerfile);
      const deployment = `bench-${index}`;
      let builds = 0;
      const saveToReady = (name: string, build: (tag: string) => Program): Case => ({
        name,
        prepare: () => writeFileSync(join(context, 'marker'), randomBytes(16).toString('hex')),
        run: async () => {
          builds += 1;
          const tag = `localhost/bench-${index}:${builds}`;
          await runProgram(build(tag));
          const [verb, ...words] =
            builds === 1
              ? ['create', 'deployment', deployment, `--image=${tag}`, '--', 'sleep', '3600']
              : ['set', 'image', `deployment/${deployment}`, `*=${tag}`];
          await runProgram(program(kubectl, verb as string, ...inNamespace, ...words));
          await runProgram(program(kubectl, 'rollout', 'status', `deployment/${deployment}`, ...inNamespace));
        },
      });
      const comparison: Comparison = {
        title: `From save to a ready pod, ${image.name}`,
        cases: [
          saveToReady('kubectl build', (tag) =>
            program(kubectl, 'build', ...inNamespace, '-t', tag, context),
          ),
          saveToReady('kubectl tiltbuild', (tag) => program(binary, ...inNamespace, '-t', tag, context)),
        ],
        rounds: ROUNDS,
      };
      results.push(await compare(comparison, rounds));
    }
    return results;
  } finally {
    await runProgram(program(kubectl, 'delete', 'namespace', NAMESPACE, '--wait=false'));
  }
}
