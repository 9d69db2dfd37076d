/** Owns reaching BuildKit in one of a builder's pods: the one on the node with the cache, or else the next that answers. */
import {dialPod} from '../../../builder/ensure/dial-pod.ts';
import {listPods} from '../../../builder/ensure/inspect-builder.ts';
import {readNodesOf} from '../../../builder/model/observed-builder.ts';
import type {BuilderPod} from '../../../builder/model/pods.ts';
import {findArchitecture, rankPods} from '../../../builder/model/rank-pods.ts';
import type {Tunnel} from '../../../cluster/ports.ts';
import {Interrupted, TiltbuildError} from '../../../errors.ts';
import type {Ports} from '../../../ports.ts';
import {reasonOf} from '../../../system-error.ts';
import {command} from '../../../text/advice.ts';
import type {PreparedBuild} from '../../prepare-build.ts';

export interface ReachedPod {
  readonly pod: BuilderPod;
  readonly tunnel: Tunnel;
  /** The one to turn to if this one does not answer, which `limit` ends the wait for. */
  readonly other?: {readonly pod: BuilderPod; readonly limit: AbortSignal};
}

/** How long a pod may take to answer while there is another one, in milliseconds. */
const PATIENCE = 5_000;

/** `silent` has the names of pods that did not answer, which come last; this adds to them. */
export async function reachPod(
  project: string,
  build: PreparedBuild,
  silent: Set<string>,
  ports: Ports,
): Promise<ReachedPod> {
  const {name, namespace} = build.builder.request.settings;
  const pods = await listPods({name, namespace}, build.cluster);
  const ranked = rank(pods ?? [], project, build);
  const answering = ranked.filter((pod) => !silent.has(pod.name));
  const candidates = answering.length > 0 ? answering : ranked;
  for (const [index, pod] of candidates.entries()) {
    const next = candidates[index + 1];
    const other = next && {pod: next, limit: AbortSignal.timeout(PATIENCE)};
    ports.notes.detail(`pod: ${pod.name} on node ${pod.node ?? '(none)'}`);
    try {
      const tunnel = await dialPod({namespace, name: pod.name}, build.cluster, other?.limit);
      return {pod, tunnel, ...(other && {other})};
    } catch (error) {
      if (next === undefined || error instanceof Interrupted) throw error;
      turnTo(next, pod, reasonOf(error), silent, ports);
    }
  }
  throw new TiltbuildError(
    'builder-failed',
    `The builder "${name}" in namespace "${namespace}" has no running pod.`,
    {remedy: [command('kubectl', 'tiltbuild', 'builder', 'create', name, '--namespace', namespace)]},
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
function rank(pods: readonly BuilderPod[], project: string, {request, builder}: PreparedBuild) {
  const nodes = new Map(readNodesOf(builder.facts)?.map((node) => [node.name, node]));
  const used = pods.flatMap(({node = ''}) => nodes.get(node) ?? []);
  const wanted = findArchitecture(request.platforms, used);
  return rankPods(pods, project, (node) => nodes.get(node)?.architecture === wanted);
}
