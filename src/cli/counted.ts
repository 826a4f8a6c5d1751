/** Returns a number with a noun in singular or plural: `1 package`, `2 packages`. */
export function counted(count: number, one: string): string {
  return `${count} ${one}${count === 1 ? "" : "s"}`;
}
