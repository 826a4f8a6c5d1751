/**
 * Processes several items at the same time, and yields the results in the order of the items. Takes an item from the iterable only
 * when the work on that item begins.
 * @param atOnce the maximum number of items to process at the same time
 * @throws the error of the first failed item, after all started work has ended
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
      // Node ends the program for an unhandled rejection. So a failure counts as handled until this item's result is awaited.
      result.catch(() => undefined);
      begun.push(result);
      if (begun.length >= atOnce) yield (await begun.shift()) as Result;
    }
    while (begun.length > 0) yield (await begun.shift()) as Result;
  } finally {
    await Promise.allSettled(begun);
  }
}
