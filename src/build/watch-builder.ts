/** Owns the watch on the builder's pods while the delegate runs, which itself hangs for ever when they go. */
import {findLoss, type Loss} from '../cluster/builder-loss.ts';
import {type BuilderPod, readEvents, readPods} from '../cluster/builder-objects.ts';
import type {Cluster, Ports} from './ports.ts';

/** How much longer than between two looks at a builder that starts: this goes on for the whole build. */
const PATIENCE = 5;

/** How long a build may show, in milliseconds, that the pod that went was not its own. */
const GRACE = 30_000;

export interface WatchedBuilder {
  readonly name: string;
  readonly namespace: string;
  readonly cluster: Cluster;
}

/**
 * Looks at the builder's pods until `done`, and gives the first loss of one that was there at the start. A look that
 * fails is no loss: the API server may be slow, and the build may not need it.
 */
export async function watchBuilder(
  {name, namespace, cluster}: WatchedBuilder,
  done: Promise<unknown>,
  ports: Ports,
): Promise<Loss | undefined> {
  const core = `/api/v1/namespaces/${encodeURIComponent(namespace)}`;
  const podsPath = `${core}/pods?labelSelector=${encodeURIComponent(`app=${name}`)}`;
  const pods = async () => {
    const answer = await cluster.get(podsPath).catch(() => undefined);
    return answer?.kind === 'found' ? readPods(answer.value) : undefined;
  };
  const ended = done.then(
    () => 'ended' as const,
    () => 'ended' as const,
  );
  let before: readonly BuilderPod[] | undefined;
  for (;;) {
    const now = await Promise.race([pods(), ended]);
    if (now === 'ended') return undefined;
    if (before !== undefined && now !== undefined && findLoss({before, now, events: []}) !== undefined) {
      // Only now the events, which tell why.
      const answer = await cluster.get(`${core}/events?limit=500`).catch(() => undefined);
      const loss = findLoss({before, now, events: answer?.kind === 'found' ? readEvents(answer.value) : []});
      // With several pods the delegate may well be on another one.
      const grace = loss?.certain ? undefined : ports.sleep(GRACE).catch(() => undefined);
      return (await Promise.race([grace, ended])) === 'ended' ? undefined : loss;
    }
    before ??= now;
    const pause = ports.sleep(cluster.pause * PATIENCE).catch(() => undefined);
    if ((await Promise.race([pause, ended])) === 'ended') return undefined;
  }
}
