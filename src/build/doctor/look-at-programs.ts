/** Owns finding the programs that a build works with, and asking them for their versions. */
import type {Ports, Programs} from '../ports.ts';

export interface FoundProgram {
  readonly path: string;
  /** As it tells it; undefined where it does not, or not in time. */
  readonly version?: string;
}

export interface ProgramFacts {
  readonly kubectl?: FoundProgram;
  readonly build?: FoundProgram & {
    /** Whether it is the plugin of that name which builds with kaniko. */
    readonly isKaniko: boolean;
  };
  readonly buildkit?: FoundProgram;
  readonly tilt?: FoundProgram;
  /** The entries of PATH as they stand. */
  readonly path: readonly string[];
  /** The plugins that PATH has more than once, each with its files in the order of PATH. */
  readonly twins: readonly {readonly name: string; readonly files: readonly string[]}[];
}

/** Plugins of which a second one on PATH would be the wrong one. */
const PLUGINS = ['kubectl-build', 'kubectl-buildkit', 'kubectl-tiltbuild'];

export async function lookAtPrograms(limit: number, ports: Ports): Promise<ProgramFacts> {
  const {programs} = ports;
  const [kubectl, build, buildkit, tilt, twins] = await Promise.all([
    ask('kubectl', ['version', '--client', '--output', 'json'], /"gitVersion":\s*"([^"]+)"/, limit, ports),
    findBuild(programs),
    lookAtBuildkit(limit, ports),
    ask('tilt', ['version'], /^(v\d\S*?),?\s/, limit, ports),
    findTwins(programs),
  ]);
  return {kubectl, build, buildkit, tilt, path: programs.path, twins};
}

async function ask(
  name: string,
  args: readonly string[],
  pattern: RegExp,
  limit: number,
  {programs, sleep}: Ports,
  env: Readonly<Record<string, string>> = {},
): Promise<FoundProgram | undefined> {
  const path = await programs.find(name);
  if (path === undefined) return undefined;
  const answer = programs.run(path, args, {timeout: limit, env});
  // A program that cannot be ended is not waited for.
  const ended = await Promise.race([answer, sleep(limit).then(() => undefined)]);
  const version = pattern.exec(ended?.stdout ?? '')?.[1];
  return version === undefined ? {path} : {path, version};
}

/**
 * It is looked at and not run: it has no word for its version, and kvaps/kubectl-build, which builds with kaniko and
 * has the same name, makes a pod of whatever it is given, `--help` as well.
 */
async function findBuild(programs: Programs): Promise<ProgramFacts['build']> {
  const path = await programs.find('kubectl-build');
  if (path === undefined) return undefined;
  const start = await programs.readStart(path);
  return {path, isKaniko: start.startsWith('#!') && /\bkaniko\b/i.test(start)};
}

/**
 * `version` also asks the builder for its own, in the current context whatever the flags say (its source, version.go),
 * and tells nothing before it has an answer. It is given a cluster that refuses it at once.
 */
async function lookAtBuildkit(limit: number, ports: Ports): Promise<FoundProgram | undefined> {
  const {files} = ports;
  const directory = await files.makePrivateDirectory();
  try {
    const kubeconfig = files.join(directory, 'kubeconfig');
    await files.writePrivate(kubeconfig, NOWHERE);
    const env = {KUBECONFIG: kubeconfig};
    return await ask('kubectl-buildkit', ['version'], /^Client:\s+(\S+)/m, limit, ports, env);
  } finally {
    await files.remove(directory).catch(() => undefined);
  }
}

const NOWHERE = JSON.stringify({
  apiVersion: 'v1',
  kind: 'Config',
  'current-context': 'nowhere',
  contexts: [{name: 'nowhere', context: {cluster: 'nowhere', user: 'nobody'}}],
  clusters: [{name: 'nowhere', cluster: {server: 'https://127.0.0.1:1'}}],
  users: [{name: 'nobody', user: {}}],
});

async function findTwins(programs: Programs): Promise<ProgramFacts['twins']> {
  const all = await Promise.all(PLUGINS.map(async (name) => ({name, files: await programs.findAll(name)})));
  return all.filter(({files}) => files.length > 1);
}
