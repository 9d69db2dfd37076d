/** Owns doing the same for many things, only so many at once. */

/**
 * Gives the results in the order of the items. The first error ends it: nothing is begun after that, the signal tells
 * those that are under way, and it is thrown when all have ended.
 */
export async function inParallel<T, R>(
  items: readonly T[],
  most: number,
  act: (item: T, signal: AbortSignal) => Promise<R>,
): Promise<readonly R[]> {
  const results = new Array<R>(items.length);
  const rest = items.entries();
  const stop = new AbortController();
  let failure: {readonly error: unknown} | undefined;
  const work = async () => {
    for (const [index, item] of rest) {
      if (failure !== undefined) return;
      try {
        results[index] = await act(item, stop.signal);
      } catch (error) {
        failure ??= {error};
        stop.abort();
      }
    }
  };
  await Promise.all(Array.from({length: Math.min(most, items.length)}, work));
  if (failure !== undefined) throw failure.error;
  return results;
}
