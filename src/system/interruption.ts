/** Owns what ends the work early: a signal or a time limit. It cuts off all work but that which asks for grace. */
import {INTERRUPT_SIGNALS, Interrupted, type InterruptSignal} from '../errors.ts';

/** The longest that work with grace may take to end, in milliseconds: a program gets ten seconds of it. */
const LONGEST_GRACE = 12_000;
const LONGEST_END = 1_000;

/** A signal to a whole process group may end a child, or a proxy, before our own handler runs. In milliseconds. */
const SIGNAL_DELAY = 30;

export interface SignalSource {
  on(signal: InterruptSignal, listener: () => void): unknown;
}

export class Interruption {
  readonly #stop = new AbortController();
  readonly #withGrace = new Set<Promise<unknown>>();

  /** Takes over the signals of `source`, which is the process. A signal after the stop calls `leave`, which ends us. */
  constructor(source: SignalSource, leave: (interrupted: Interrupted) => void) {
    for (const signal of Object.keys(INTERRUPT_SIGNALS) as InterruptSignal[]) {
      source.on(signal, () => {
        const interrupted = new Interrupted(signal);
        if (!this.stop.aborted) this.#stop.abort(interrupted);
        else leave(this.stop.reason instanceof Interrupted ? this.stop.reason : interrupted);
      });
    }
  }

  /** Aborted with `Interrupted`, or with the error of the time limit. */
  get stop(): AbortSignal {
    return this.#stop.signal;
  }

  /** Stops with `reason` after so many milliseconds. */
  limit(milliseconds: number, reason: () => Error): void {
    setTimeout(() => this.stop.aborted || this.#stop.abort(reason()), Math.max(0, milliseconds));
  }

  /** See `Ports`. */
  async withGrace<T>(work: (stop: AbortSignal) => Promise<T>): Promise<T> {
    this.stop.throwIfAborted();
    const working = work(this.stop);
    this.#withGrace.add(working);
    try {
      return await working;
    } finally {
      this.#withGrace.delete(working);
      this.stop.throwIfAborted();
    }
  }

  /**
   * Ends as `work` does, or with the reason of the stop: at once, or when what has grace has ended. Any error may be the
   * effect of a signal that is still on its way to us, and then the signal is what counts.
   */
  async cutOff<T>(work: Promise<T>): Promise<T> {
    try {
      return await Promise.race([work, this.#over()]);
    } catch (error) {
      if (!this.stop.aborted) await delay(SIGNAL_DELAY);
      this.stop.throwIfAborted();
      throw error;
    }
  }

  async #over(): Promise<never> {
    await new Promise((resolve) => this.stop.addEventListener('abort', resolve, {once: true}));
    if (this.#withGrace.size > 0) {
      await Promise.race([Promise.allSettled(this.#withGrace), delay(LONGEST_GRACE)]);
      // What follows the end of such work has some time as well: it shows how that went.
      await delay(LONGEST_END);
    }
    throw this.stop.reason;
  }
}

function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
