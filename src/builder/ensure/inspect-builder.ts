/** Owns looks at a builder: its pods, their events, and what a small program tells that runs in one of them. */
import {eventsPath, type ObjectPlace, podsPath} from '../../cluster/api/paths.ts';
import type {Cluster} from '../../cluster/ports.ts';
import type {BuilderDeployment} from '../model/objects.ts';
import {type BuilderEvent, type BuilderPod, readEvents, readPods} from '../model/pods.ts';

/** Where no pod runs, kubectl waits for one: a minute for `exec`, twenty seconds for `logs`. */
export const POD_WAIT = ['--pod-running-timeout', '10s'];

/** kubectl's arguments for `command` in BuildKit's container of `where`: a pod, or `deployment/NAME` for any of its. */
export function execArgs(where: string, command: readonly string[]): readonly string[] {
  return ['exec', where, ...POD_WAIT, '--container', 'buildkitd', '--', ...command];
}

/**
 * Whether somebody builds on it. Every client of kubectl build holds a `buildctl dial-stdio` in the pod for as long
 * as its build lasts (its source, `buildNodeClient`). A builder without a ready pod builds nothing.
 */
export async function isBuildRunning(
  deployment: BuilderDeployment,
  cluster: Cluster,
): Promise<boolean | 'unknown'> {
  if (deployment.readyReplicas === 0) return false;
  const running = ((await listPods(deployment, cluster)) ?? []).filter(({phase}) => phase === 'Running');
  const answers = await Promise.all(running.map(({name}) => isBuildRunningIn(name, cluster)));
  if (answers.includes(true)) return true;
  return answers.length === 0 || answers.includes('unknown') ? 'unknown' : false;
}

async function isBuildRunningIn(pod: string, cluster: Cluster): Promise<boolean | 'unknown'> {
  const command = ['pgrep', '-f', 'buildctl dial-stdio'];
  const {exitCode, stdout, stderr} = await cluster.kubectl(execArgs(pod, command));
  if (exitCode === 0 && stdout.trim() !== '') return true;
  // pgrep ends with 1 where it finds nothing, and kubectl hands that on with a line of its own.
  return /command terminated with exit code 1\b/.test(stderr) ? false : 'unknown';
}

/** BuildKit's version as it runs, e.g. `v0.32.2`; undefined where that cannot be seen. */
export async function readVersion(
  deployment: BuilderDeployment,
  cluster: Cluster,
): Promise<string | undefined> {
  if (deployment.readyReplicas === 0) return undefined;
  const {exitCode, stdout} = await cluster.kubectl(
    execArgs(`deployment/${deployment.name}`, ['buildkitd', '--version']),
  );
  // buildkitd github.com/moby/buildkit v0.32.2 <commit>
  return exitCode === 0 ? /\bv\d+\.\d+\.\d+\S*/.exec(stdout)?.[0] : undefined;
}

/** The builder's pods, whatever their state; undefined where they may not be seen. */
export async function listPods(
  place: ObjectPlace,
  cluster: Cluster,
): Promise<readonly BuilderPod[] | undefined> {
  const answer = await cluster.get(podsPath(place));
  return answer.kind === 'found' ? readPods(answer.value) : undefined;
}

/** All events of the builder's namespace; none where they may not be seen. */
export async function listEvents(namespace: string, cluster: Cluster): Promise<readonly BuilderEvent[]> {
  const answer = await cluster.get(eventsPath(namespace));
  return answer.kind === 'found' ? readEvents(answer.value) : [];
}

/** Mounts of containerd's socket that the builder's starts have left on its node; 0 where that cannot be seen. */
export async function countLeftoverMounts(deployment: BuilderDeployment, cluster: Cluster): Promise<number> {
  if (deployment.readyReplicas === 0) return 0;
  const {exitCode, stdout} = await cluster.kubectl(
    execArgs(`deployment/${deployment.name}`, ['cat', '/proc/self/mountinfo']),
  );
  if (exitCode !== 0) return 0;
  const mounts = stdout.split('\n').filter((line) => line.split(' ')[4]?.endsWith('/containerd.sock'));
  // One is the pod's own, which goes with it.
  return Math.max(0, mounts.length - 1);
}
