/** Random graphs of delegates: a seed, perhaps its successor, and keys with names of their own that delegate to each other. */
import fc from "fast-check";
import type { Delegation, GraphPlan, Nth, SignatureTraits } from "./graph-plan.ts";
import { daysAgo, future, limits, past } from "./moments.ts";
import { anyChange, anyKey, anyTraits } from "./random-changes.ts";
import { fitted } from "./random-graphs.ts";

/** Names of feeds that the globs below tell apart. */
export const feeds = ["a", "ab", "b", "abc", "x.y", "A"];

const scope = fc.oneof(
  { weight: 8, arbitrary: fc.constant("*") },
  { weight: 12, arbitrary: fc.constantFrom("a*", "*b", "a?", "ab,x.y", "b,a,A", "a*c", "**", "?*") },
  { weight: 1, arbitrary: fc.constantFrom("", "a,", "a b", "a;b", "[ab]", "a,,b") },
);

const depth = fc.constantFrom(0, 1, 1, 2, 2, 3, 3, 8);
const seldom = fc.nat({ max: 24 }).map((roll) => roll === 24);

/** Rightly signed, and for now. */
const soundTraits: fc.Arbitrary<SignatureTraits> = fc
  .record({
    createdAt: fc.constantFrom(...past.slice(1)),
    expiresAt: fc.constantFrom(...future, ...future, daysAgo(1)),
  })
  .map((dates) => ({ ...dates, hash: "sha256", unknownCritical: false, exportable: true }));

/** Just beside what holds. */
const nearTraits: fc.Arbitrary<SignatureTraits> = fc
  .record({
    createdAt: fc.constantFrom(...limits, ...past),
    expiresAt: fc.constantFrom(...limits, ...future, undefined),
  })
  .map((dates) => ({ ...dates, hash: "sha256", unknownCritical: false, exportable: true }));

interface Drawn {
  readonly issuer: Nth;
  readonly key: Nth;
  readonly userId: Nth;
  readonly maker: Delegation["maker"];
  readonly traits: SignatureTraits;
  readonly depth: number;
  readonly scope: string;
  /** What is wrong with it, if anything. */
  readonly flaw: "none" | "twice" | "no trust" | "other depth" | "unreadable";
}

const drawn: fc.Arbitrary<Drawn> = fc.record({
  issuer: anyKey,
  key: anyKey,
  userId: fc.constantFrom(0, 0, 0, 1),
  maker: seldom.map((not) => (not ? "subkey" : "primary")),
  traits: fc.oneof(
    { weight: 20, arbitrary: soundTraits },
    { weight: 2, arbitrary: nearTraits },
    { weight: 1, arbitrary: anyTraits },
  ),
  depth,
  scope,
  flaw: fc.oneof(
    { weight: 30, arbitrary: fc.constant("none" as const) },
    { weight: 1, arbitrary: fc.constantFrom("twice" as const, "no trust", "other depth", "unreadable") },
  ),
});

const right = (deep: number) => (deep === 0 ? { level: 0, amount: 0 } : { level: deep + 1, amount: 120 });

function delegationOf({ depth: deep, scope: globs, flaw, ...rest }: Drawn): Delegation {
  const value = `depth=${deep}; feeds=${globs}`;
  const flawed = {
    none: { terms: [value], trust: right(deep) },
    twice: { terms: [value, value], trust: right(deep) },
    "no trust": { terms: [value], trust: right(deep === 0 ? 1 : 0) },
    "other depth": { terms: [value], trust: right(deep + 1) },
    unreadable: { terms: [value.replace("; ", ";")], trust: right(deep) },
  };
  return { ...rest, ...flawed[flaw] };
}

/** Lets most delegations hang on the archive's keys or on a delegate: what hangs on nothing says little. */
function hung(drawings: readonly Drawn[], heads: number, size: number): Delegation[] {
  const made: Delegation[] = [];
  for (const one of drawings) {
    const holders = [...Array(heads).keys(), ...made.flatMap(({ key }) => [key, key])];
    const issuer = holders[one.issuer % holders.length] ?? 0;
    const key = heads + (one.key % Math.max(1, size - heads));
    made.push(delegationOf({ ...one, issuer, key }));
    // Now and then its issuer says something else about the same key, on another day.
    if (one.userId === 1) made.push(delegationOf({ ...one, issuer, key, userId: 0, depth: 0, scope: "a*" }));
  }
  return made;
}

const changesUpTo = (most: number) =>
  fc.array(fc.tuple(anyChange, fc.nat({ max: 9 })), { maxLength: most, size: "max" });

/** Plans of up to 8 keys. The same seed of fast-check gives the same graphs. */
export const delegationPlans: fc.Arbitrary<GraphPlan> = fc
  .record({
    size: fc.integer({ min: 3, max: 8 }),
    successor: fc.boolean(),
    drawings: fc.array(drawn, { minLength: 1, maxLength: 9, size: "max" }),
    changes: fc.oneof(changesUpTo(0), changesUpTo(0), changesUpTo(4)),
    unchecked: fc.oneof(
      { weight: 4, arbitrary: fc.constant([]) },
      { weight: 1, arbitrary: fc.array(anyKey, { maxLength: 2 }) },
    ),
    // What is forgiven the chain is not forgiven delegates.
    retiredIssuers: fc.constantFrom<"refuse" | "accept">("refuse", "accept"),
    accepted: fc.oneof(fc.constant([]), fc.array(anyKey, { maxLength: 4 })),
    turn: anyKey,
  })
  .map(({ size, successor, drawings, changes, ...rest }): GraphPlan => {
    const heads = successor ? 2 : 1;
    const delegations = hung(drawings, heads, size);
    return {
      ...rest,
      size,
      identity: { kind: "user-email", email: "archive@example.org" },
      links: successor ? [{ issuer: 0, key: 1, at: daysAgo(300), expired: false }] : [],
      named: [...Array(size).keys()].slice(heads),
      delegations,
      changes: changes.map(([change, nth]) => fitted(change, delegations[nth], size)),
      seeds: [0],
    };
  });
