/** Returns a number and what it counts: `1 package`, `2 packages`. */
export function counted(count: number, one: string): string {
  return `${count} ${one}${count === 1 ? "" : "s"}`;
}
