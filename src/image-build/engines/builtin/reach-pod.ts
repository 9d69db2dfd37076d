/** Owns reaching BuildKit in one of a builder's pods: the one on the node with the cache, or else the next that answers. */
import {dialPod} from '../../../builder/ensure/dial-pod.ts';
import type {ListedPods} from '../../../builder/ensure/inspect-builder.ts';
import {createCommand} from '../../../builder/model/builder.ts';
import {readNodesOf} from '../../../builder/model/observed-builder.ts';
import type {BuilderPod} from '../../../builder/model/pods.ts';
import {findArchitecture, findReachable, rankPods} from '../../../builder/model/rank-pods.ts';
import type {Tunnel} from '../../../cluster/ports.ts';
import {Interrupted, TiltbuildError} from '../../../errors.ts';
import type {Ports} from '../../../ports.ts';
import {reasonOf} from '../../../system-error.ts';
import {advise, command} from '../../../text/advice.ts';
import type {PreparedBuild} from '../../prepare-build.ts';

export interface ReachedPod {
  readonly pod: BuilderPod;
  readonly tunnel: Tunnel;
  /** Ends the wait for the first thing that comes from it. */
  readonly limit: AbortSignal;
  /** The one to turn to then. */
  readonly other?: BuilderPod;
}

/**
 * How long BuildKit may take until the first thing comes from it, in milliseconds: in a pod while there is another one,
 * and in all pods together, for one attempt to build. Thirty builds at once, each of which starts a program in every pod,
 * took more than 20 s on two busy cores.
 */
export const PATIENCE = {each: 15_000, all: 60_000};

/** A signal that is aborted after so many milliseconds. */
export type Timeout = (milliseconds: number) => AbortSignal;

/** What one attempt to build knows of its wait for BuildKit. */
export interface Wait {
  readonly timeout: Timeout;
  /** For all pods; the time begins with the first call. */
  readonly deadline: () => AbortSignal;
  /** The names of pods that did not answer, which come last; `turnTo` adds to them. */
  readonly silent: Set<string>;
}

export function startWait(silent: Set<string>, timeout: Timeout): Wait {
  let deadline: AbortSignal | undefined;
  return {timeout, silent, deadline: () => (deadline ??= timeout(PATIENCE.all))};
}

/** Throws as `cluster.openTunnel`, and `builder-failed`. */
export async function reachPod(
  project: string,
  build: PreparedBuild,
  wait: Wait,
  ports: Ports,
): Promise<ReachedPod> {
  const {timeout, silent} = wait;
  const {name, namespace} = build.builder.request.settings;
  const pods = await build.builder.pods.get();
  const {ranked, reachable} = rank(pods, project, build);
  const answering = reachable.filter((pod) => !silent.has(pod.name));
  const deadline = wait.deadline();
  const candidates = answering.length > 0 ? answering : ranked;
  for (const [index, pod] of candidates.entries()) {
    const next = candidates[index + 1];
    const limit = next ? AbortSignal.any([deadline, timeout(PATIENCE.each)]) : deadline;
    ports.notes.detail(`pod: ${pod.name} on node ${pod.node ?? '(none)'}`);
    try {
      const tunnel = await dialPod({namespace, name: pod.name}, build.cluster, limit);
      return {pod, tunnel, limit, ...(next && {other: next})};
    } catch (error) {
      if (error instanceof Interrupted) throw error;
      if (deadline.aborted) throw refuseSilence(pod, build);
      if (next === undefined) throw error;
      turnTo(next, pod, reasonOf(error), silent, ports);
    }
  }
  throw new TiltbuildError(
    'builder-failed',
    `The builder "${name}" in namespace "${namespace}" has no running pod.`,
    {remedy: [command('kubectl', 'tiltbuild', 'builder', 'create', name, '--namespace', namespace)]},
  );
}

/** The node that it most likely builds on, by pods that have been listed already. */
export async function foreseeNode(project: string, build: PreparedBuild): Promise<string | undefined> {
  const {reachable} = rank(await build.builder.pods.get(), project, build);
  return reachable[0]?.node;
}

/** Neither the API server nor kubectl has a limit of its own for a program in a pod that says nothing. */
export function refuseSilence({name: pod}: BuilderPod, build: PreparedBuild): TiltbuildError {
  const {name, namespace} = build.builder.request.settings;
  const ask = command('kubectl', 'exec', '--namespace', namespace, pod, '--', 'buildctl', 'debug', 'workers');
  return new TiltbuildError(
    'builder-failed',
    `BuildKit in pod "${pod}" of the builder "${name}" did not answer within ${PATIENCE.all / 1000} s.`,
    {
      remedy: [
        advise`Ask it by hand: ${ask}`,
        advise`If that hangs as well, recreate the builder: ${createCommand({name, namespace}, '--replace')}`,
      ],
    },
  );
}

/** `why` is a clause. */
export function turnTo(
  next: BuilderPod,
  {name, node}: BuilderPod,
  why: string,
  silent: Set<string>,
  {notes}: Ports,
): void {
  silent.add(name);
  notes.note(
    `the builder's pod on node "${node ?? '(none)'}" does not answer; building on node "${next.node ?? '(none)'}", which may have less of the cache.`,
  );
  notes.detail(`pod ${name}: ${why}`);
}

/** The image must not be for another platform whenever its pod is on another node. */
function rank(pods: ListedPods = [], project: string, {request, builder}: PreparedBuild) {
  const known = readNodesOf(builder.facts);
  const nodes = new Map(known?.map((node) => [node.name, node]));
  const used = pods.flatMap(({node = ''}) => nodes.get(node) ?? []);
  const wanted = findArchitecture(request.platforms, used);
  const ranked = rankPods(pods, project, (node) => nodes.get(node)?.architecture === wanted);
  return {ranked, reachable: findReachable(ranked, known)};
}
