/** The largest and the smallest of any number of numbers. `Math.max(...list)` puts each on the stack, which is finite. */

/** Minus infinity if there are none, as `Math.max()` has it. */
export function largest(numbers: Iterable<number>): number {
  let found = Number.NEGATIVE_INFINITY;
  for (const number of numbers) found = Math.max(found, number);
  return found;
}

/** Infinity if there are none, as `Math.min()` has it. */
export function smallest(numbers: Iterable<number>): number {
  let found = Number.POSITIVE_INFINITY;
  for (const number of numbers) found = Math.min(found, number);
  return found;
}
