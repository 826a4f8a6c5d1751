/** The graph of links: which key leads to which. */
import { append } from "../grouped.ts";
import type { Fingerprint } from "./facts.ts";

/** The subjects of the valid links by issuer, both sorted, so that no result depends on the order of arrival. */
export type Graph = ReadonlyMap<Fingerprint, readonly Fingerprint[]>;

const none: ReadonlySet<Fingerprint> = new Set();

/** The graph of these links, the same whatever order they come in. */
export function makeGraph(links: Iterable<{ issuer: Fingerprint; subject: Fingerprint }>): Graph {
  const graph = new Map<Fingerprint, Fingerprint[]>();
  for (const { issuer, subject } of links) append(graph, issuer, subject);
  return new Map(
    [...graph].sort(([a], [b]) => (a < b ? -1 : 1)).map(([issuer, subjects]) => [issuer, subjects.sort()]),
  );
}

/**
 * The shortest paths from the starts: key -> its predecessor, undefined for a start.
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

/** All keys that the starts lead to, themselves included. */
export function reach(
  graph: Graph,
  starts: Iterable<Fingerprint>,
  barred: ReadonlySet<Fingerprint> = none,
): Set<Fingerprint> {
  return new Set(paths(graph, starts, barred).keys());
}

/** A path without loops: the keys between two visits of the same key are left out. */
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

/** The same links in the opposite direction. */
export function reverse(graph: Graph): Graph {
  return makeGraph(
    [...graph].flatMap(([issuer, subjects]) => subjects.map((subject) => ({ issuer: subject, subject: issuer }))),
  );
}
