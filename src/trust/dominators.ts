/**
 * Computes which keys the seeds reach only through a certain other key, for all pairs of keys at once. If feedkey searched separately for
 * each issuer, a thief who makes thousands of issuers could take unlimited time.
 */
import type { Fingerprint } from "./facts.ts";
import type { Graph } from "./graph.ts";

/** The keys, numbered in the order of a depth-first search. Number 0 is an added root that leads to all starts. */
interface Walk {
  readonly numbers: ReadonlyMap<Fingerprint, number>;
  readonly parents: readonly number[];
  readonly predecessors: readonly (readonly number[])[];
}

function walk(graph: Graph, starts: ReadonlySet<Fingerprint>): Walk {
  const numbers = new Map<Fingerprint, number>();
  const parents = [0];
  const predecessors: number[][] = [[]];
  const waiting: { from: number; to: Fingerprint }[] = [...starts].map((to) => ({ from: 0, to }));
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const known = numbers.get(next.to);
    if (known !== undefined) {
      predecessors[known]?.push(next.from);
      continue;
    }
    const number = parents.length;
    numbers.set(next.to, number);
    parents.push(next.from);
    predecessors.push([next.from]);
    for (const to of graph.get(next.to) ?? []) waiting.push({ from: number, to });
  }
  return { numbers, parents, predecessors };
}

/** Returns the immediate dominator of each number, by the semi-NCA algorithm of Georgiadis (2005). */
function immediateDominators({ parents, predecessors }: Walk): number[] {
  const count = parents.length;
  const semi = Array.from({ length: count }, (_, number) => number);
  const label = [...semi];
  const ancestor = Array<number>(count).fill(-1);
  // Finds the number with the least semidominator on the path from the given number up to the last number that was linked above it.
  const least = (number: number): number => {
    const path: number[] = [];
    let at = number;
    for (; (ancestor[ancestor[at] ?? -1] ?? -1) >= 0; at = ancestor[at] ?? 0) path.push(at);
    for (const one of path.reverse()) {
      const above = ancestor[one] ?? 0;
      if ((semi[label[above] ?? 0] ?? 0) < (semi[label[one] ?? 0] ?? 0)) label[one] = label[above] ?? 0;
      ancestor[one] = ancestor[above] ?? 0;
    }
    return label[number] ?? 0;
  };
  for (let number = count - 1; number > 0; number--) {
    for (const from of predecessors[number] ?? []) {
      const through = (ancestor[from] ?? -1) < 0 ? from : least(from);
      semi[number] = Math.min(semi[number] ?? 0, semi[through] ?? 0);
    }
    ancestor[number] = parents[number] ?? 0;
  }
  const dominators = [...parents];
  for (let number = 1; number < count; number++) {
    while ((dominators[number] ?? 0) > (semi[number] ?? 0)) {
      dominators[number] = dominators[dominators[number] ?? 0] ?? 0;
    }
  }
  return dominators;
}

/**
 * Returns a function that tells whether the starts reach `key` without passing through `through`.
 * @returns a function for any two different keys; it returns false also if the starts do not reach `key` at all
 */
export function reachedWithout(
  graph: Graph,
  starts: ReadonlySet<Fingerprint>,
): (key: Fingerprint, through: Fingerprint) => boolean {
  const found = walk(graph, starts);
  const dominators = immediateDominators(found);
  // A dominator has a lower number than the keys below it. So one pass in descending order counts the keys below each number, and one pass
  // in ascending order gives each number the interval that contains exactly the keys below it.
  const sizes = Array<number>(dominators.length).fill(1);
  for (let number = dominators.length - 1; number > 0; number--) {
    const above = dominators[number] ?? 0;
    sizes[above] = (sizes[above] ?? 0) + (sizes[number] ?? 0);
  }
  const first = [0];
  const free = [1];
  for (let number = 1; number < dominators.length; number++) {
    const above = dominators[number] ?? 0;
    first[number] = free[above] ?? 0;
    free[above] = (free[above] ?? 0) + (sizes[number] ?? 0);
    free[number] = (first[number] ?? 0) + 1;
  }
  return (key, through) => {
    const [number, above] = [found.numbers.get(key), found.numbers.get(through)];
    if (number === undefined) return false;
    if (above === undefined) return true;
    const offset = (first[number] ?? 0) - (first[above] ?? 0);
    return offset < 0 || offset >= (sizes[above] ?? 0);
  };
}
