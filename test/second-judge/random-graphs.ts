/** Random graphs of certificates, rich in what the rules are about: chains, forks, diamonds, and links that just do not hold. */
import fc from "fast-check";
import type { Identity } from "../../src/profile/types.ts";
import { archiveName } from "./build-graph.ts";
import type { Change, GraphPlan, Link, Nth } from "./graph-plan.ts";
import { daysAgo } from "./moments.ts";
import { anyChange, anyKey } from "./random-changes.ts";

/** Who certifies whom among four keys. */
const shapes = {
  link: "ab",
  rotation: "ab ba",
  chain: "ab bc cd",
  fork: "ab ac",
  acknowledgedOnce: "ab ac bc",
  acknowledgedTwice: "ab ac bc cb",
  triple: "ab ac ad bc cb",
  healed: "ab ac bd cd",
  healedLate: "ab ac cb bd cd da",
  nested: "ab ac bd cd ad",
} as const;

interface Motif {
  readonly shape: string;
  readonly keys: readonly Nth[];
  /** Not hung on the motifs before it. */
  readonly loose: boolean;
  readonly at: number;
  /** Which of the shape's certifications has run out since. */
  readonly expired: Nth | undefined;
}

const motif: fc.Arbitrary<Motif> = fc.record({
  shape: fc.constantFrom(...Object.values(shapes), shapes.healed),
  keys: fc.tuple(anyKey, anyKey, anyKey, anyKey),
  loose: fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  at: fc.constantFrom(daysAgo(300), daysAgo(300), daysAgo(200), daysAgo(100)),
  expired: fc.oneof({ weight: 5, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: fc.nat({ max: 4 }) }),
});

/** The keys of a motif within a graph, different ones as far as there are enough. */
function placed(keys: readonly Nth[], size: number): Nth[] {
  const places: Nth[] = [];
  for (const key of keys) {
    let place = key % size;
    for (let tries = 0; tries < size && places.includes(place); tries++) place = (place + 1) % size;
    places.push(place);
  }
  return places;
}

function linksOf({ shape, keys, at, expired }: Motif, size: number): Link[] {
  const places = placed(keys, size);
  return shape.split(" ").flatMap((pair, nth) => {
    const [issuer, key] = [...pair].map((letter) => places["abcd".indexOf(letter)] ?? 0);
    if (issuer === undefined || key === undefined || issuer === key) return [];
    return [{ issuer, key, at, expired: nth === expired }];
  });
}

/** Hangs most motifs on the first key or on one that has been certified already: what hangs on nothing says little. */
function allLinks(motifs: readonly Motif[], size: number): Link[] {
  const links: Link[] = [];
  for (const motif of motifs) {
    const certified = [0, ...links.map(({ key }) => key)];
    const [first = 0, ...others] = motif.keys;
    const start = motif.loose ? first : (certified[first % certified.length] ?? 0);
    links.push(...linksOf({ ...motif, keys: [start, ...others] }, size));
  }
  return links;
}

/** A change about keys that there are, and about a certification that there is, if it names one. */
export function fitted(change: Change, link: Pick<Link, "issuer" | "key"> | undefined, size: number): Change {
  if (!("issuer" in change)) return { ...change, key: change.key % size };
  return { ...change, issuer: link?.issuer ?? change.issuer % size, key: link?.key ?? change.key % size };
}

const identity: fc.Arbitrary<Identity> = fc.constantFrom<Identity>(
  { kind: "user-email", email: "archive@example.org" },
  { kind: "user-id", userId: archiveName },
);

const keysUpTo = (most: number) => fc.array(anyKey, { maxLength: most, size: "max" });

const changesUpTo = (most: number) => {
  // The second number says which of the graph's links the change is about, where it is about one.
  return fc.array(fc.tuple(anyChange, fc.nat({ max: 19 })), { maxLength: most, size: "max" });
};

/** Plans of graphs of up to 12 keys. The same seed of fast-check gives the same graphs. */
export const graphPlans: fc.Arbitrary<GraphPlan> = fc
  .record({
    size: fc.oneof(
      { weight: 7, arbitrary: fc.integer({ min: 4, max: 7 }) },
      { weight: 6, arbitrary: fc.integer({ min: 8, max: 12 }) },
      { weight: 1, arbitrary: fc.integer({ min: 1, max: 3 }) },
    ),
    identity,
    motifs: fc.array(motif, { minLength: 2, maxLength: 6, size: "max" }),
    changes: fc.oneof(changesUpTo(0), changesUpTo(3), changesUpTo(12)),
    seeds: fc.oneof(
      { weight: 8, arbitrary: fc.constant([0]) },
      { weight: 2, arbitrary: anyKey.map((key) => [0, key]) },
      { weight: 1, arbitrary: keysUpTo(3) },
    ),
    retiredIssuers: fc.constantFrom<"refuse" | "accept">("refuse", "accept"),
    accepted: fc.oneof(keysUpTo(0), keysUpTo(4)),
    unchecked: fc.oneof({ weight: 3, arbitrary: keysUpTo(0) }, { weight: 1, arbitrary: keysUpTo(3) }),
    crowded: fc.oneof({ weight: 4, arbitrary: keysUpTo(0) }, { weight: 1, arbitrary: keysUpTo(4) }),
    turn: anyKey,
  })
  .map(({ motifs, changes, ...plan }): GraphPlan => {
    const links = allLinks(motifs, plan.size);
    return { ...plan, links, changes: changes.map(([change, nth]) => fitted(change, links[nth], plan.size)) };
  });
