/** Owns looking at a builder: its pods, their events, and what a small program in one of them prints. */
import {eventsPath, type ObjectPlace, podsPath} from '../../cluster/api/paths.ts';
import type {Cluster} from '../../cluster/ports.ts';
import {TiltbuildError} from '../../errors.ts';
import {advise, command} from '../../text/advice.ts';
import {CONTAINER, podSelector} from '../model/marks.ts';
import type {BuilderDeployment} from '../model/objects.ts';
import {type BuilderEvent, type BuilderPod, isStaying, readEvents, readPods} from '../model/pods.ts';

/** Without a running pod, kubectl waits for one: a minute for `exec`, twenty seconds for `logs`. */
const POD_WAIT = ['--pod-running-timeout', '10s', '--container', CONTAINER];

/** kubectl's arguments for `command` in BuildKit's container of `where`: a pod, or `deployment/NAME` for any of its pods. */
export function execArgs(where: string, command: readonly string[]): readonly string[] {
  return ['exec', where, ...POD_WAIT, '--', ...command];
}

/** The same for the log. */
export function logArgs(where: string, ...flags: readonly string[]): readonly string[] {
  return ['logs', where, ...POD_WAIT, ...flags];
}

/** The version of the running BuildKit, e.g. `v0.32.2`; undefined if it cannot be seen. */
export async function readVersion(
  deployment: BuilderDeployment,
  cluster: Cluster,
): Promise<string | undefined> {
  // buildkitd github.com/moby/buildkit v0.32.2 <commit>
  const output = await runIn(deployment, ['buildkitd', '--version'], cluster);
  return /\bv\d+\.\d+\.\d+\S*/.exec(output)?.[0];
}

/** Mounts of containerd's socket that the builder's starts have left on its node; 0 if they cannot be seen. */
export async function countLeftoverMounts(deployment: BuilderDeployment, cluster: Cluster): Promise<number> {
  const output = await runIn(deployment, ['cat', '/proc/self/mountinfo'], cluster);
  const mounts = output.split('\n').filter((line) => line.split(' ')[4]?.endsWith('/containerd.sock'));
  // One is the pod's own, which goes away with it.
  return Math.max(0, mounts.length - 1);
}

/** What the command prints in one of the builder's pods; empty if it fails, or no pod is ready. */
async function runIn(
  {name, readyReplicas}: BuilderDeployment,
  command: readonly string[],
  cluster: Cluster,
): Promise<string> {
  if (readyReplicas === 0) return '';
  const {exitCode, stdout} = await cluster.kubectl(execArgs(`deployment/${name}`, command));
  return exitCode === 0 ? stdout : '';
}

/** Undefined without permission to list them. */
export type ListedPods = readonly BuilderPod[] | undefined;

/** The builder's pods, whatever their state. */
export async function listPods({name, namespace}: ObjectPlace, cluster: Cluster): Promise<ListedPods> {
  const answer = await cluster.get(podsPath(namespace, podSelector(name)));
  return answer.kind === 'found' ? readPods(answer.value) : undefined;
}

/** The builder's pods, at least one of which is running and stays. Throws as `demandRunningPods`. */
export async function demandPods(
  place: ObjectPlace,
  listed: Promise<ListedPods>,
): Promise<readonly BuilderPod[]> {
  const pods = await listed;
  if (pods === undefined) {
    throw new TiltbuildError(
      'cluster-denied',
      `You do not have permission to list pods in namespace "${place.namespace}".`,
    );
  }
  if (pods.some(isStaying)) return pods;
  throw new TiltbuildError('builder-failed', `No pod of builder "${place.name}" is running.`, {
    remedy: [advise`To see its state: ${command('kubectl', 'tiltbuild', 'builder', 'ls')}`],
  });
}

/** Throws `cluster-denied` without permission to list them, and `builder-failed` if none is running. */
export async function demandRunningPods(
  place: ObjectPlace,
  cluster: Cluster,
): Promise<readonly BuilderPod[]> {
  return (await demandPods(place, listPods(place, cluster))).filter(isStaying);
}

/** All events of the builder's namespace; none without permission to list them. */
export async function listEvents(namespace: string, cluster: Cluster): Promise<readonly BuilderEvent[]> {
  const answer = await cluster.get(eventsPath(namespace));
  return answer.kind === 'found' ? readEvents(answer.value) : [];
}
