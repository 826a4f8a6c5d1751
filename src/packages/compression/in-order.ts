/**
 * Works on several items at once, and yields the results in the order of the items. Takes an item only when its work begins.
 * @param atOnce how many items to work on at once
 * @throws what the work throws, after all work that has begun has ended
 */
export async function* inOrder<Item, Result>(
  items: Iterable<Item>,
  atOnce: number,
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<Result, void> {
  const begun: Promise<Result>[] = [];
  try {
    for (const item of items) {
      const result = work(item);
      // If it fails before its turn, the failure counts as handled: it is thrown when its turn comes.
      result.catch(() => undefined);
      begun.push(result);
      if (begun.length >= atOnce) yield (await begun.shift()) as Result;
    }
    while (begun.length > 0) yield (await begun.shift()) as Result;
  } finally {
    await Promise.allSettled(begun);
  }
}
