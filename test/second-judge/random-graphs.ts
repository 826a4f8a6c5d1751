/** Random graphs of certificates, rich in what the rules are about: chains, forks, diamonds, and links that just do not hold. */
import fc from "fast-check";
import type { Identity } from "../../src/profile/types.ts";
import { archiveName } from "./build-graph.ts";
import type { Change, Fate, GraphPlan, Link, Nth } from "./graph-plan.ts";
import { at, daysAgo } from "./moments.ts";
import { anyChange, anyKey } from "./random-changes.ts";

/** Who certifies whom among a few keys. One in capitals is not live, as far as its fate has it. */
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

/** The same about keys that are not live. */
const deadShapes = {
  side: "aB Bc ad",
  end: "aB ac",
  run: "aB BC Cd ae",
  runs: "aB BC ad dE",
  shared: "aB aC Bd Cd Ce",
  sharedLive: "aB ac Bc Bd",
  healed: "aB ac Bd de ce",
  twoHeads: "aB Bc Bd ae",
  known: "aB Bc cd ad dc",
  seeds: "Ab Ac Ad",
  deadIssuer: "AB Bc Ad",
  remembered: "AB AC Ce",
  rotated: "aB Ba Bc cB",
  lapsed: "aB Bc Bd",
  acknowledged: "aB Bc ad cd dc",
} as const;

interface Motif {
  readonly shape: string;
  readonly keys: readonly Nth[];
  /** Not hung on the motifs before it. */
  readonly loose: boolean;
  readonly at: number;
  /** Which of the shape's certifications has run out since. */
  readonly expired: Nth | undefined;
  /** One for each place. */
  readonly fates: readonly Fate[];
}

const anyFate = fc.oneof<fc.WeightedArbitrary<Fate>[]>(
  { weight: 8, arbitrary: fc.constant("expired") },
  { weight: 4, arbitrary: fc.constantFrom("retired", "cut short", "weak", "expired early", "retired early") },
  {
    weight: 5,
    arbitrary: fc.constantFrom("extended on time", "extended late", "extended late once", "extended late twice"),
  },
);

const motif: fc.Arbitrary<Motif> = fc.record({
  shape: fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...Object.values(shapes), shapes.healed, shapes.healed, shapes.healed) },
    {
      weight: 2,
      arbitrary: fc.constantFrom(...Object.values(deadShapes), deadShapes.remembered, deadShapes.remembered),
    },
  ),
  keys: fc.tuple(anyKey, anyKey, anyKey, anyKey, anyKey),
  fates: fc.tuple(anyFate, anyFate, anyFate, anyFate, anyFate),
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

const letters = "abcde";

function fatesOf({ shape, keys, fates }: Motif, size: number): NonNullable<GraphPlan["fates"]> {
  const places = placed(keys, size);
  return fates.flatMap((fate, nth) => {
    const key = places[nth];
    return key !== undefined && shape.includes(letters.charAt(nth).toUpperCase()) ? [{ key, fate }] : [];
  });
}

function linksOf({ shape, keys, at, expired }: Motif, size: number): Link[] {
  const places = placed(keys, size);
  return shape.split(" ").flatMap((pair, nth) => {
    const [issuer, key] = [...pair].map((letter) => places[letters.indexOf(letter.toLowerCase())] ?? 0);
    if (issuer === undefined || key === undefined || issuer === key) return [];
    return [{ issuer, key, at, expired: nth === expired }];
  });
}

/** Hangs most motifs on the first key or on one that has been certified already: what hangs on nothing says little. */
function hung(motifs: readonly Motif[], size: number): Required<Pick<GraphPlan, "links" | "fates">> {
  const links: Link[] = [];
  const fates: NonNullable<GraphPlan["fates"]>[number][] = [];
  for (const motif of motifs) {
    const certified = [0, ...links.map(({ key }) => key)];
    const [first = 0, ...others] = motif.keys;
    const start = motif.loose ? first : (certified[first % certified.length] ?? 0);
    const there = { ...motif, keys: [start, ...others] };
    links.push(...linksOf(there, size));
    fates.push(...fatesOf(there, size));
  }
  return { links, fates };
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

const knownEnd = fc.constantFrom(
  daysAgo(50),
  daysAgo(50),
  daysAgo(250),
  daysAgo(100),
  daysAgo(-100),
  at - 1,
  at,
  at + 1,
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
      { weight: 3, arbitrary: anyKey.map((key) => [0, key]) },
      { weight: 1, arbitrary: keysUpTo(3) },
    ),
    retiredIssuers: fc.constantFrom<"refuse" | "accept">("refuse", "accept"),
    accepted: fc.oneof(keysUpTo(0), keysUpTo(5)),
    neverLive: fc.oneof({ weight: 2, arbitrary: keysUpTo(0) }, { weight: 1, arbitrary: keysUpTo(6) }),
    ends: fc.oneof(
      { weight: 2, arbitrary: fc.constant([]) },
      { weight: 1, arbitrary: fc.array(fc.record({ key: anyKey, at: knownEnd }), { maxLength: 4, size: "max" }) },
    ),
    unchecked: fc.oneof({ weight: 3, arbitrary: keysUpTo(0) }, { weight: 1, arbitrary: keysUpTo(3) }),
    crowded: fc.oneof({ weight: 4, arbitrary: keysUpTo(0) }, { weight: 1, arbitrary: keysUpTo(4) }),
    turn: anyKey,
  })
  .map(({ motifs, changes, ...plan }): GraphPlan => {
    const { links, fates } = hung(motifs, plan.size);
    return { ...plan, links, fates, changes: changes.map(([change, nth]) => fitted(change, links[nth], plan.size)) };
  });
