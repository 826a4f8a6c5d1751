/** Without a thief, every history of rotations is followed by a client of any generation. */
import fc from "fast-check";
import { Client } from "./thief-client.ts";
import { type HistoryPlan, historyOf, historyPlans } from "./thief-history.ts";
import { type Day, fingerprintOfName, type Name, nameOf } from "./thief-world.ts";

export interface VisitsPlan {
  /** Which of the keys that there are on the day of the first run are seeds. */
  readonly seeds: readonly number[];
  /** Thousandths of the history. */
  readonly runs: readonly number[];
  readonly retiredIssuers: "refuse" | "accept";
}

export const visitsPlans: fc.Arbitrary<VisitsPlan> = fc.record({
  seeds: fc.oneof(
    { weight: 3, arbitrary: fc.array(fc.nat({ max: 7 }), { minLength: 1, maxLength: 1 }) },
    { weight: 2, arbitrary: fc.array(fc.nat({ max: 7 }), { minLength: 2, maxLength: 3 }) },
  ),
  runs: fc.array(fc.nat({ max: 1000 }), { minLength: 1, maxLength: 5, size: "max" }),
  retiredIssuers: fc.constantFrom<"refuse" | "accept">("accept", "refuse"),
});

/** The days on which a client runs, in order. */
export function daysOf({ runs }: VisitsPlan, end: Day): Day[] {
  return runs.map((thousandth) => Math.floor((end * thousandth) / 1000)).sort((a, b) => a - b);
}

/** The seeds of a client whose profile is as old as its first run. */
export function seedsOf(
  { seeds }: VisitsPlan,
  keys: readonly { readonly name: Name; readonly made: Day }[],
  first: Day,
) {
  const there = keys.filter(({ made }) => made <= first);
  return [...new Set(seeds.flatMap((nth) => there[nth % there.length]?.name ?? []))];
}

export const honestCases = fc.record({ history: historyPlans, visits: visitsPlans });

/** What is wrong with how an honest history is judged, in words; undefined: nothing. */
export function honestFault({ history, visits }: { history: HistoryPlan; visits: VisitsPlan }): string | undefined {
  const { world, main, sides, end } = historyOf(history);
  const days = daysOf(visits, end);
  const seeds = seedsOf(visits, [...main, ...sides], days[0] ?? 0);
  const client = new Client({ seeds, retiredIssuers: visits.retiredIssuers });
  const retires = history.generations.some(({ fate }) => fate === "retired");
  const hasMainSeed = seeds.some((seed) => seed.startsWith("K"));
  const follows = hasMainSeed && (visits.retiredIssuers === "accept" || !retires);
  for (const day of days) {
    const { trusted, rejected } = client.run(world, day);
    const told = `on day ${day}, seeds ${seeds.join()}, runs on ${days.join()}`;
    const forked = [...rejected].filter(([, { code }]) => code === "fork").map(([key]) => nameOf(key));
    // While the archive's key has lapsed, nobody can tell what came beside it since from a thief's: a client that remembers it
    // refuses that until the key is extended.
    const hasLapsed = history.generations.some(({ alone, extended }, nth) => {
      const first = (main[nth]?.from ?? 0) + Math.floor(alone / 2);
      return extended === "lapsed" && day >= first && day < first + 3;
    });
    if (forked.length > 0 && !hasLapsed) return `${told}: fork: ${forked.join()}`;
    const present = main.findLast(({ from }) => from <= day);
    if (present === undefined || !follows) continue;
    if (!trusted.has(fingerprintOfName(present.name))) return `${told}: ${present.name} is not accepted`;
  }
  return undefined;
}

/** A world in words, for whoever reads a counterexample. */
export function spell(plan: HistoryPlan): string {
  const { world } = historyOf(plan);
  return spellWorld(world.signed);
}

/** Signatures in words. */
export function spellWorld(signed: ReturnType<typeof historyOf>["world"]["signed"]): string {
  return signed
    .map((one) => {
      const heard = one.heard === undefined || one.heard === one.at ? "" : ` (heard of on ${one.heard})`;
      if (one.kind === "said")
        return `${one.at}: ${one.key} ends ${one.end === undefined ? "never" : `on ${one.end}`}${heard}`;
      if (one.kind === "retired") return `${one.at}: ${one.key} retired${heard}`;
      const until = one.kind === "certified" && one.until !== undefined ? ` until ${one.until}` : "";
      return `${one.at}: ${one.by} ${one.kind} ${one.key}${until}${heard}`;
    })
    .join("\n");
}
