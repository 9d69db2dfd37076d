/** Owns whose turn it is in plain progress: the lines of a step stay together, and other steps wait for some seconds. */
import type {Change, Step} from './steps.ts';

/** BuildKit reports the end of some steps, such as uploads, and goes on with them at once. */
const SETTLES = 100;
/** A step that has nothing to show for so long gives up its turn. */
const LONGEST_SILENCE = 5_000;
/** A step that has something to show gets its turn after so long. */
const LONGEST_WAIT = 10_000;

interface Waiting {
  readonly digest: string | undefined;
  readonly changes: Change[];
  readonly since: number;
  /** When the last change came. */
  changed: number;
}

/** Times are milliseconds of any clock that goes on. */
export class Turns {
  readonly #waiting = new Map<string | undefined, Waiting>();
  #current: string | undefined;
  #heard = 0;

  add(changes: readonly Change[], now: number): void {
    for (const change of changes) {
      if (change.step?.state === 'waiting') continue;
      const digest = change.step?.digest;
      const waiting = this.#waiting.get(digest) ?? {digest, changes: [], since: now, changed: now};
      waiting.changes.push(change);
      waiting.changed = now;
      this.#waiting.set(digest, waiting);
    }
  }

  /** What is to be shown now, in this order. */
  take(now: number): readonly Change[] {
    const ended = this.#ended;
    // None overtakes one that ended before it.
    const settling = ended.findIndex(({changed}) => now - changed < SETTLES);
    const settled = settling === -1 ? ended : ended.slice(0, settling);
    const due = settled.filter((waiting) => !goesOn(waiting) || now - waiting.changed >= LONGEST_SILENCE);
    const shown = due.flatMap((waiting) => this.#show(waiting, now));
    const next = this.#chooseNext(now, settling !== -1);
    return [...shown, ...next.flatMap((waiting) => this.#show(waiting, now))];
  }

  /** All that is left. */
  takeAll(): readonly Change[] {
    return [...this.#ended, ...this.#running].flatMap((waiting) => this.#show(waiting, 0));
  }

  get #running(): readonly Waiting[] {
    return [...this.#waiting.values()].filter((waiting) => !hasEnded(waiting));
  }

  /** As they ended, but for the one whose turn it is. */
  get #ended(): readonly Waiting[] {
    const rank = ({digest, changes}: Waiting) =>
      digest === this.#current ? Number.NEGATIVE_INFINITY : endOf(changes.at(-1)?.step);
    return [...this.#waiting.values()].filter(hasEnded).toSorted((one, other) => rank(one) - rank(other));
  }

  /** A turn that is free waits while ends are settling, which are shown first. */
  #chooseNext(now: number, isSettling: boolean): readonly Waiting[] {
    const running = this.#running;
    if (this.#current === undefined) {
      const byAmount = running.toSorted((one, other) => other.changes.length - one.changes.length);
      return isSettling ? [] : byAmount.slice(0, 1);
    }
    const current = running.filter(({digest}) => digest === this.#current);
    const isSilent = current.length === 0 && now - this.#heard >= LONGEST_SILENCE;
    const next = running.find(
      (one) => !current.includes(one) && (isSilent || now - one.since >= LONGEST_WAIT),
    );
    return next === undefined ? current : [...current, next];
  }

  #show(waiting: Waiting, now: number): readonly Change[] {
    const ends = hasEnded(waiting);
    this.#waiting.delete(waiting.digest);
    this.#current = ends ? undefined : waiting.digest;
    this.#heard = now;
    const changes = latestOfTasks(waiting.changes).filter((change) => !isEnd(change));
    const step = waiting.changes.at(-1)?.step;
    return ends && step !== undefined ? [...changes, {kind: 'state', step}] : changes;
  }
}

function hasEnded({changes}: Waiting): boolean {
  const step = changes.at(-1)?.step;
  return step === undefined || isEnd({kind: 'state', step});
}

/** Although BuildKit reported its end. */
function goesOn({changes}: Waiting): boolean {
  const step = changes.at(-1)?.step;
  return step?.state === 'done' && [...step.tasks.values()].some(({isDone}) => !isDone);
}

function isEnd(change: Change): boolean {
  return change.kind === 'state' && change.step.state !== 'waiting' && change.step.state !== 'running';
}

function endOf(step: Step | undefined): number {
  return step?.started === undefined ? 0 : step.started + step.seconds * 1000;
}

/** Of what came since the step was last shown, each task once. */
function latestOfTasks(changes: readonly Change[]): readonly Change[] {
  const latest = new Map(changes.map((change) => [nameOf(change), change]));
  const seen = new Set<string>();
  return changes.flatMap((change) => {
    const name = nameOf(change);
    if (name === undefined) return [change];
    if (seen.has(name)) return [];
    seen.add(name);
    return [latest.get(name) ?? change];
  });
}

function nameOf(change: Change): string | undefined {
  return change.kind === 'task' ? change.task.name : undefined;
}
