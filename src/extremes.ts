/**
 * Finds the largest and the smallest number in a list of any length. With a long list, `Math.max(...list)` would overflow the stack.
 */

/** Returns the largest number; minus infinity for an empty list, as `Math.max()` does. */
export function largest(numbers: Iterable<number>): number {
  let found = Number.NEGATIVE_INFINITY;
  for (const number of numbers) found = Math.max(found, number);
  return found;
}

/** Returns the smallest number; infinity for an empty list, as `Math.min()` does. */
export function smallest(numbers: Iterable<number>): number {
  let found = Number.POSITIVE_INFINITY;
  for (const number of numbers) found = Math.min(found, number);
  return found;
}
