/** Owns failing the n-th call of one method of the ports: of every method that there is, of what they return as well. */
import {Duplex} from 'node:stream';

/** One call that fails. */
export interface Plan {
  /** Such as `files.readText`, `clusters.connect().read`. */
  readonly method: string;
  /** Counts from 1. */
  readonly call: number;
  readonly fail: () => Error;
}

export interface Seen {
  calls: number;
  isAsync: boolean;
}

/** What was called, by name; with a plan, one of the calls fails. */
export class FaultInjector {
  readonly seen = new Map<string, Seen>();
  /** The process has ended: nothing that is called ever answers. */
  isOver = false;
  readonly #plan: (Plan & {readonly isAsync: boolean}) | undefined;

  constructor(plan?: Plan & {readonly isAsync: boolean}) {
    this.#plan = plan;
  }

  /** A proxy of `value` in which every function is watched. */
  wrap<T extends object>(value: T, path = ''): T {
    const members = new Map<PropertyKey, unknown>();
    return new Proxy(value, {
      get: (target, key) => {
        const member: unknown = Reflect.get(target, key);
        if (typeof key === 'symbol' || !isWatched(member)) return member;
        const name = path === '' ? key : `${path}.${key}`;
        if (!members.has(key))
          members.set(
            key,
            typeof member === 'function' ? this.#watch(name, member, target) : this.wrap(member, name),
          );
        return members.get(key);
      },
    });
  }

  #watch(name: string, method: (...args: unknown[]) => unknown, self: object) {
    return (...args: unknown[]) => {
      if (this.isOver) return new Promise(() => undefined);
      const seen = this.seen.get(name) ?? {calls: 0, isAsync: false};
      this.seen.set(name, seen);
      seen.calls += 1;
      const plan = this.#plan;
      if (plan?.method === name && plan.call === seen.calls) {
        if (plan.isAsync) return Promise.reject(plan.fail());
        throw plan.fail();
      }
      const result = method.apply(self, args);
      if (!(result instanceof Promise)) return this.#wrapResult(result, name);
      seen.isAsync = true;
      return result.then((value) => this.#wrapResult(value, name));
    };
  }

  #wrapResult(result: unknown, name: string): unknown {
    return isWatched(result) && typeof result === 'object' ? this.wrap(result, `${name}()`) : result;
  }
}

/** A function, or an object that has some: neither data nor a stream. */
function isWatched(value: unknown): value is ((...args: unknown[]) => unknown) & object {
  if (typeof value === 'function') return true;
  if (
    typeof value !== 'object' ||
    value === null ||
    Symbol.iterator in value ||
    Symbol.asyncIterator in value
  )
    return false;
  if (value instanceof Promise || value instanceof Duplex || value instanceof AbortSignal) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype !== Object.prototype || Object.values(value).some((member) => isWatched(member));
}
