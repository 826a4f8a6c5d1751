/** The largest and the smallest of any number of numbers. For many numbers, `Math.max(...list)` would overflow the stack. */

/** Returns the largest number; minus infinity for an empty list, like `Math.max()`. */
export function largest(numbers: Iterable<number>): number {
  let found = Number.NEGATIVE_INFINITY;
  for (const number of numbers) found = Math.max(found, number);
  return found;
}

/** Returns the smallest number; infinity for an empty list, like `Math.min()`. */
export function smallest(numbers: Iterable<number>): number {
  let found = Number.POSITIVE_INFINITY;
  for (const number of numbers) found = Math.min(found, number);
  return found;
}
