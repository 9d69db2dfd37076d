/** Owns asking the programs that a build uses for their versions. */
import type {Ports} from '../ports.ts';

export interface FoundProgram {
  readonly path: string;
  /** Undefined if it reports none, or not in time. */
  readonly version?: string;
}

/** How to ask each, and where its answer has the version. */
const WAYS = {
  kubectl: {args: ['version', '--client', '--output', 'json'], pattern: /"gitVersion":\s*"([^"]+)"/},
  // A second line has the builder's version.
  'kubectl-buildkit': {args: ['version'], pattern: /^Client:\s+(\S+)/m},
  tilt: {args: ['version'], pattern: /^(v\d\S*?),?\s/},
} as const;

export type VersionPorts = Pick<Ports, 'files' | 'programs' | 'sleep'>;

/** `limit`: how long it may take to answer, in milliseconds. Undefined if the program is not on PATH. */
export async function askVersion(
  name: keyof typeof WAYS,
  limit: number,
  ports: VersionPorts,
): Promise<FoundProgram | undefined> {
  const path = await ports.programs.find(name);
  if (path === undefined) return undefined;
  if (name !== 'kubectl-buildkit') return await ask({name, path, limit}, {}, ports);
  // It asks the builder as well, in the current context whatever its flags are (its source, version.go), and prints
  // nothing before it has an answer. So it gets a cluster that refuses it at once.
  const {files} = ports;
  const directory = await files.makePrivateDirectory();
  try {
    const kubeconfig = files.join(directory.path, 'kubeconfig');
    await files.writePrivate(kubeconfig, NOWHERE);
    return await ask({name, path, limit}, {KUBECONFIG: kubeconfig}, ports);
  } finally {
    // The end of the process tries it again.
    await directory.remove().catch(() => undefined);
  }
}

interface Question {
  readonly name: keyof typeof WAYS;
  readonly path: string;
  readonly limit: number;
}

async function ask(
  {name, path, limit}: Question,
  env: Readonly<Record<string, string>>,
  {programs, sleep}: VersionPorts,
): Promise<FoundProgram> {
  const {args, pattern} = WAYS[name];
  const answer = programs.run(path, args, {timeout: limit, env});
  // A program that does not end when it is killed must not hold this up.
  const ended = await Promise.race([answer, sleep(limit).then(() => undefined)]);
  const version = pattern.exec(ended?.stdout ?? '')?.[1];
  return version === undefined ? {path} : {path, version};
}

const NOWHERE = JSON.stringify({
  apiVersion: 'v1',
  kind: 'Config',
  'current-context': 'nowhere',
  contexts: [{name: 'nowhere', context: {cluster: 'nowhere', user: 'nobody'}}],
  clusters: [{name: 'nowhere', cluster: {server: 'https://127.0.0.1:1'}}],
  users: [{name: 'nobody', user: {}}],
});
