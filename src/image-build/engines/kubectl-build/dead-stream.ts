/** Owns finding out that the plugin waits on a dead connection: it has no keepalive, and would wait for ever. */
import type {Ports} from '../../../ports.ts';

/** What is heard of the builder over another connection; `unreachable` if the API server does not answer either. */
export type Hearsay = 'building' | 'idle' | 'unknown' | 'unreachable';

export interface Listening {
  /** When the plugin showed something for the last time, by `now`; undefined as long as it has not. */
  readonly lastSign: () => number | undefined;
  readonly ask: () => Promise<Hearsay>;
}

/** How long a plugin is silent before anyone is asked, and how long the link may be dead, in milliseconds. */
const PATIENCE = 30_000;
/** Between two looks. */
const PAUSE = 5_000;

/**
 * Gives what is wrong as a sentence, once that is certain. A step may be silent for hours, so BuildKit is asked: it ends
 * the build of a client that is gone, and then has none while the plugin waits for one. Two such answers count, since
 * the first may come just before the plugin hears of the end. A BuildKit that cannot say it says `unknown`.
 */
export async function findDeadStream(
  {lastSign, ask}: Listening,
  ended: Promise<unknown>,
  {now, sleep}: Pick<Ports, 'now' | 'sleep'>,
): Promise<string | undefined> {
  const over = ended.then(
    () => 'over' as const,
    () => 'over' as const,
  );
  let before: Hearsay | undefined;
  let unreachableSince: number | undefined;
  for (;;) {
    // A look opens a connection to the pod, which is too much to do all the time for a step that runs.
    if ((await Promise.race([sleep(before === 'building' ? PATIENCE : PAUSE), over])) === 'over')
      return undefined;
    const sign = lastSign();
    const asked = now();
    const heard =
      sign === undefined || asked - sign < PATIENCE ? undefined : await Promise.race([ask(), over]);
    if (heard === 'over') return undefined;
    if (heard === 'idle' && before === 'idle')
      return 'The plugin waits for a build that BuildKit does not have any more: its connection is dead.';
    unreachableSince = heard === 'unreachable' ? (unreachableSince ?? asked) : undefined;
    if (unreachableSince !== undefined && now() - unreachableSince >= PATIENCE)
      return 'Neither the API server nor the builder has answered for 30 s.';
    before = heard;
  }
}
