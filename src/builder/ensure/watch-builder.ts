/** Owns watching the builder's pods while the delegate runs, because the delegate hangs forever when they disappear. */
import type {Cluster} from '../../cluster/ports.ts';
import type {Ports} from '../../ports.ts';
import type {BuilderPod} from '../model/pods.ts';
import {findLoss, type Loss, type LossInput} from '../verdict/loss.ts';
import {listEvents} from './inspect-builder.ts';
import type {PodList} from './pod-list.ts';

/** How much longer than while a builder starts to wait between two looks: this goes on for the whole build. */
const PATIENCE = 5;

/** A cached build is over before this, in milliseconds, and no look slows it down. */
const FIRST_LOOK = 700;

/** How long a build has to show, in milliseconds, that the lost pod was not its own. */
const GRACE = 30_000;

export interface WatchedBuilder {
  readonly namespace: string;
  readonly cluster: Cluster;
  readonly pods: PodList;
  /** Name of the pod that the build runs on; undefined where that is not known. */
  readonly used: () => string | undefined;
}

/**
 * Looks at the builder's pods until `run` ends, and once more if it failed; gives the first loss of a pod that ran at
 * the start. A look that fails is no loss: the API server may be slow, and the build may not need it.
 */
export async function watchBuilder(
  {namespace, cluster, pods, used}: WatchedBuilder,
  run: Promise<{readonly exitCode: number | undefined}>,
  ports: Ports,
): Promise<Loss | undefined> {
  // The first look needs no list of its own if the build has read one.
  let list = () => pods.get();
  const look = async () => {
    const listed = list();
    list = () => pods.getAgain();
    return await listed.catch(() => undefined);
  };
  const ended = run.then(
    ({exitCode}) => (exitCode === 0 ? ('well' as const) : ('badly' as const)),
    () => 'well' as const,
  );
  const rest = (milliseconds: number) => Promise.race([ports.sleep(milliseconds), ended]);
  let before: readonly BuilderPod[] | undefined;
  let state = await rest(FIRST_LOOK);
  for (;;) {
    if (state === 'well' || (state === 'badly' && before === undefined)) return undefined;
    const seen = state === 'badly' ? state : await Promise.race([look(), ended]);
    if (seen === 'well') return undefined;
    const isOver = seen === 'badly';
    const now = isOver ? await look() : seen;
    const loss = before && now && (await findLossWithEvents({before, now, used: used()}, namespace, cluster));
    if (loss !== undefined) return loss.certain || isOver ? loss : await confirmLoss(loss, ended, ports);
    if (isOver) return undefined;
    before ??= now?.some(({phase}) => phase === 'Running') ? now : undefined;
    state = await rest(cluster.pause * PATIENCE);
  }
}

/** The events say why, and are read only once there is something to explain. */
async function findLossWithEvents(
  seen: Omit<LossInput, 'events'>,
  namespace: string,
  cluster: Cluster,
): Promise<Loss | undefined> {
  if (findLoss({...seen, events: []}) === undefined) return undefined;
  const events = await listEvents(namespace, cluster).catch(() => []);
  return findLoss({...seen, events});
}

/** With several pods the delegate may be on another one, and shows it by going on. */
async function confirmLoss(loss: Loss, ended: Promise<unknown>, ports: Ports): Promise<Loss | undefined> {
  const grace = ports.sleep(GRACE).then(() => 'still there' as const);
  return (await Promise.race([grace, ended])) === 'still there' ? loss : undefined;
}
