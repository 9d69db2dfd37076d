/** Owns the signals that end a build: instead of killing this process, they call listeners. */
import {Interrupted, type InterruptSignal} from '../errors.ts';
import type {Interruption} from '../ports.ts';

const SIGNALS: readonly InterruptSignal[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

type Listener = (signal: InterruptSignal, count: number) => void;

export class SignalInterruption implements Interruption {
  #first: InterruptSignal | undefined;
  #count = 0;
  readonly #listeners = new Set<Listener>();

  /** Takes over the signals of `source`, which is the process. */
  constructor(source: {on(signal: InterruptSignal, listener: () => void): unknown}) {
    for (const signal of SIGNALS) source.on(signal, () => this.#receive(signal));
  }

  get signal(): InterruptSignal | undefined {
    return this.#first;
  }

  throwIfReceived(): void {
    if (this.#first !== undefined) throw new Interrupted(this.#first);
  }

  /** Calls `listener` for each signal, at once if one came before. Returns a function that unsubscribes. */
  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    if (this.#first !== undefined) listener(this.#first, this.#count);
    return () => this.#listeners.delete(listener);
  }

  /** Throws `Interrupted` as soon as a signal comes. */
  async sleep(milliseconds: number): Promise<void> {
    const {promise, resolve} = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, milliseconds);
    const release = this.subscribe(() => resolve());
    await promise;
    clearTimeout(timer);
    release();
    this.throwIfReceived();
  }

  #receive(signal: InterruptSignal): void {
    this.#first ??= signal;
    this.#count += 1;
    for (const listener of [...this.#listeners]) listener(signal, this.#count);
  }
}
