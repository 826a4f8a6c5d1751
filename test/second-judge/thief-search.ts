/**
 * A thief of one key of the chain, whatever he signs, dates and makes, gets none of his keys accepted while it is live, by no client, as
 * long as the rightful chain leads on from the stolen key. What that leaves out is in docs/threat-model.md too:
 * - a stolen key without a rightful successor that is live: nobody is the thief's rival. One that has expired since this client accepted
 *   it still is (T6, remembered heads), but not where the stolen key lives: then its keepers, or the thief, may have extended it (T7);
 * - successors that are ancestors of the stolen key, and what only they lead to: a key that leads to it and that the seeds reach without
 *   it stands above it, also a seed that the stolen key certified and that certifies it back without end;
 * - successors that are seeds, where the stolen key is live: the profile lists each of them in its own right. An extension that the thief
 *   dates back makes it live for a client that never knew its end;
 * - a client that ran while one of these held and the thief's doings were there: it may have accepted them.
 */
import fc from "fast-check";
import type { JudgeInput } from "../../src/trust/judge-input.ts";
import { refusePrimary } from "../../src/trust/key-state.ts";
import { ancestorsOf, pairs, presentIn, reach } from "./reach.ts";
import { settled } from "./second-extension.ts";
import { acceptedBefore } from "./second-fork.ts";
import { hasOnlyExpired, isLive } from "./statements.ts";
import { Client } from "./thief-client.ts";
import { type HistoryPlan, historyOf, historyPlans } from "./thief-history.ts";
import { daysOf, seedsOf, spellWorld, type VisitsPlan, visitsPlans } from "./thief-honest.ts";
import { steal, type ThiefPlan, thiefPlans } from "./thief-moves.ts";
import { type Day, fingerprintOfName, instantOf, type Name, nameOf, type World } from "./thief-world.ts";
import { holds, wasMade } from "./transitions.ts";

export interface ThiefCase {
  readonly history: HistoryPlan;
  readonly thief: ThiefPlan;
  readonly visits: VisitsPlan;
}

export const thiefCases: fc.Arbitrary<ThiefCase> = fc.record({
  history: historyPlans,
  thief: thiefPlans,
  visits: visitsPlans,
});

/**
 * Whether the rightful chain leads on from the stolen key: over honest keys, and without a word of the thief's, it leads to a key that
 * is neither one of its ancestors nor, where it is live itself, a seed. That key is live, or has expired since this client accepted it
 * and the stolen key is not live either (T6, remembered heads).
 */
function leadsOn(input: JudgeInput, stolen: Name, isStolenLive: boolean): boolean {
  const key = fingerprintOfName(stolen);
  const present = presentIn(input.certificates);
  const keys = [...present.keys()];
  const live = (name: string) => {
    const certificate = present.get(name);
    return certificate !== undefined && isLive(certificate, input.at);
  };
  const held = pairs(present, input, holds);
  const made = pairs(present, input, wasMade);
  const graph = [...reach(input.seeds, held, keys)];
  // What the seeds do not reach hurts nobody.
  if (!graph.includes(key)) return true;
  const ancestors = ancestorsOf(key, input.seeds, held, graph);
  const isSeed = (one: string) => input.seeds.includes(one);
  // Where the stolen key is live, a seed is no side and ends each way.
  const counts = (on: string) => on === key || (!ancestors.has(on) && !(isSeed(on) && isStolenLive));
  const isRemembered = (name: string) => {
    const certificate = present.get(name);
    return certificate !== undefined && acceptedBefore(input, name) && hasOnlyExpired(certificate, input.at);
  };
  const stands = (other: string) => live(other) || (!isStolenLive && isRemembered(other));
  return [...reach([key], made, keys, counts)].some((other) => other !== key && stands(other));
}

/** Whether a key lives, as the rules have it with the thief's doings (T7). */
function isLiveFor(input: JudgeInput, name: Name): boolean {
  const found = settled(input).find(({ primary }) => primary.fingerprint === fingerprintOfName(name));
  return found !== undefined && isLive(found, input.at);
}

export interface Told {
  readonly fault: string | undefined;
  /** Runs in which something of the thief's was there, and the rightful chain led on. */
  readonly runs: number;
}

/** What a thief achieves, in words; no fault: nothing. */
export function thiefFault({ history: plan, thief, visits }: ThiefCase): Told {
  const history = historyOf(plan);
  const honest: World = history.world;
  const { world, stolen, since, crowdsOn } = steal(history, thief);
  const days: Day[] = daysOf(visits, history.end);
  const seeds = seedsOf(visits, [...history.main, ...history.sides], days[0] ?? 0);
  const client = new Client({ seeds, retiredIssuers: visits.retiredIssuers });
  let runs = 0;
  for (const day of days) {
    if (day >= since) {
      const question = client.question(honest, day);
      if (!leadsOn(question, stolen, isLiveFor(client.question(world, day, crowdsOn(day)), stolen))) break;
      runs++;
    }
    const { trusted } = client.run(world, day, crowdsOn(day));
    // One that is not live may be in the chain: it signs nothing.
    const fit = [...trusted].filter(([, { facts }]) => refusePrimary(facts, instantOf(day)) === undefined);
    const his = fit.map(([key]) => nameOf(key)).filter((name) => name.startsWith("t"));
    if (his.length === 0) continue;
    const told = `on day ${day} the thief of ${stolen} gets ${his.join()} accepted, seeds ${seeds.join()}`;
    return { fault: `${told}, runs on ${days.join()}, retired issuers: ${visits.retiredIssuers}`, runs };
  }
  return { fault: undefined, runs };
}

/** A case in words. */
export function spellCase({ history: plan, thief }: ThiefCase): string {
  const history = historyOf(plan);
  const { world, crowdsOn } = steal(history, thief);
  const weak = world.keys.filter((key) => key.weak).map(({ name }) => name);
  const made = world.keys.map(({ name, createdAt }) => `${name} made ${createdAt}`).join(", ");
  return [made, `weak: ${weak.join()}; crowds: ${crowdsOn(history.end).join()}`, spellWorld(world.signed)].join("\n");
}
