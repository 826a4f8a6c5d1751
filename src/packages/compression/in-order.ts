/**
 * Works on several items at once and gives the results in the order of the items, no more of which are taken than are worked on.
 * @param atOnce how many
 * @throws what the work throws, once all that was begun has ended
 */
export async function* inOrder<Item, Result>(
  items: Iterable<Item>,
  atOnce: number,
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<Result, void> {
  const begun: Promise<Result>[] = [];
  try {
    for (const item of items) {
      begun.push(work(item));
      if (begun.length >= atOnce) yield (await begun.shift()) as Result;
    }
    while (begun.length > 0) yield (await begun.shift()) as Result;
  } finally {
    await Promise.allSettled(begun);
  }
}
