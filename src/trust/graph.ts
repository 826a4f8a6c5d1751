/** The graph of links: from each key to the keys that it certified. */
import { append } from "../grouped.ts";
import type { Fingerprint } from "./facts.ts";

/**
 * The subjects of the valid links, grouped by issuer. Issuers and subjects are sorted, so that no result depends on the order in which
 * certificates arrive.
 */
export type Graph = ReadonlyMap<Fingerprint, readonly Fingerprint[]>;

const none: ReadonlySet<Fingerprint> = new Set();

/** Makes the graph from some links. The order of the links does not change the graph. */
export function makeGraph(links: Iterable<{ issuer: Fingerprint; subject: Fingerprint }>): Graph {
  const graph = new Map<Fingerprint, Fingerprint[]>();
  for (const { issuer, subject } of links) append(graph, issuer, subject);
  return new Map(
    [...graph].sort(([a], [b]) => (a < b ? -1 : 1)).map(([issuer, subjects]) => [issuer, subjects.sort()]),
  );
}

/**
 * Finds the shortest paths from the starts: maps each key to its predecessor, and each start to undefined.
 * @param barred keys that no path may use
 */
export function paths(
  graph: Graph,
  starts: Iterable<Fingerprint>,
  barred: ReadonlySet<Fingerprint> = none,
): Map<Fingerprint, Fingerprint | undefined> {
  const from = new Map<Fingerprint, Fingerprint | undefined>();
  for (const start of [...starts].sort()) if (!barred.has(start)) from.set(start, undefined);
  // Iterating a map includes entries that are added during the loop: a breadth-first search.
  for (const key of from.keys()) {
    for (const next of graph.get(key) ?? []) if (!from.has(next) && !barred.has(next)) from.set(next, key);
  }
  return from;
}

/** Returns all keys that can be reached from the starts, and the starts themselves. */
export function reach(
  graph: Graph,
  starts: Iterable<Fingerprint>,
  barred: ReadonlySet<Fingerprint> = none,
): Set<Fingerprint> {
  return new Set(paths(graph, starts, barred).keys());
}

/** Returns the path without its loops: if the path visits a key twice, the keys between these visits are left out. */
export function withoutCircles(path: readonly Fingerprint[]): Fingerprint[] {
  const last = new Map(path.map((key, place) => [key, place]));
  const straight: Fingerprint[] = [];
  let place = 0;
  for (let key = path[place]; key !== undefined; key = path[place]) {
    straight.push(key);
    place = (last.get(key) ?? place) + 1;
  }
  return straight;
}

/** Returns the graph with every link reversed. */
export function reverse(graph: Graph): Graph {
  return makeGraph(
    [...graph].flatMap(([issuer, subjects]) => subjects.map((subject) => ({ issuer: subject, subject: issuer }))),
  );
}
