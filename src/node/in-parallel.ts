/** Owns doing the same for many things, only so many at once. */

/** Gives the results in the order of the items. The first error ends it: nothing is begun after that. */
export async function inParallel<T, R>(
  items: readonly T[],
  most: number,
  act: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const results = new Array<R>(items.length);
  const rest = items.entries();
  let failed = false;
  const work = async () => {
    for (const [index, item] of rest) {
      if (failed) return;
      results[index] = await act(item);
    }
  };
  const workers = Array.from({length: Math.min(most, items.length)}, () =>
    work().catch((error) => {
      failed = true;
      throw error;
    }),
  );
  // All have stopped before the error is passed on.
  await Promise.allSettled(workers);
  await Promise.all(workers);
  return results;
}
