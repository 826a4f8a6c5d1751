/**
 * The second judge, part three: whom the seeds reach, and what forks take away (T2, T4, T5, T6, T11). Plain fixpoints over sets, slow
 * on purpose: its only virtue is that each sentence of the rules can be found in it.
 */
import type { JudgeInput } from "../../src/trust/judge-input.ts";
import { type Key, pairs, presentIn, reach } from "./reach.ts";
import { settled } from "./second-extension.ts";
import { acceptedBefore, forkUnder, type Graphs, type SecondFork, victimsOf } from "./second-fork.ts";
import { acknowledges, holds, holdsFirmly, wasMade } from "./transitions.ts";

export interface SecondOpinion {
  /** Keys that are not hard-revoked. */
  readonly present: ReadonlySet<Key>;
  readonly trusted: ReadonlySet<Key>;
  /** Keys that seeds reach over transitions that hold by T14 too, before forks and missing checks take their part. */
  readonly reached: ReadonlySet<Key>;
  readonly forks: readonly SecondFork[];
  readonly victims: ReadonlySet<Key>;
  /** Those of the trusted that joined because every rival of a fork leads to them. */
  readonly beyondForks: ReadonlySet<Key>;
  /** T7: keys whose late extension does not count. */
  readonly takenBack: ReadonlySet<Key>;
  /** Whether the transition between two keys holds. */
  readonly holds: (issuer: Key, subject: Key) => boolean;
}

/** Judges everything at hand once more. */
export function secondJudge(input: JudgeInput): SecondOpinion {
  const all = settled(input);
  const certificates = presentIn(all);
  const keys = [...certificates.keys()];
  const seeds = input.seeds.filter((seed) => certificates.has(seed));
  const held = pairs(certificates, input, holds);
  const firm = pairs(certificates, input, holdsFirmly);
  const made = pairs(certificates, input, wasMade);
  const graph = [...reach(seeds, held, keys)];
  const reached = reach(seeds, firm, keys);
  const acknowledged = pairs(certificates, input, acknowledges);
  const widelyReached = [...reach(seeds, made, keys)];
  const graphs: Graphs = { input, certificates, seeds, held, reached: graph, firm, made, widelyReached, acknowledged };

  const forks = graph.flatMap((issuer) => forkUnder(issuer, graphs) ?? []);
  const victims = new Set(forks.flatMap((fork) => victimsOf(fork, graphs)));
  const open = (key: Key) => !victims.has(key) && !input.unchecked.has(key);
  const trusted = reach(seeds, firm, graph, open);

  // T6: a later key that every side leads to, itself not a rival.
  const beyondForks = new Set<Key>();
  const isRival = (key: Key) => !acceptedBefore(input, key) && forks.some(({ rivals }) => rivals.has(key));
  for (let before = -1; before !== trusted.size; ) {
    before = trusted.size;
    // What a side leads to that nobody sees, nobody knows.
    for (const { sides } of forks.filter(({ issuer, isCrowd }) => trusted.has(issuer) && !isCrowd)) {
      const everySideLeadsTo = (key: Key) =>
        sides.every((side) => {
          // The way may go over this side's own victims, but over none of another's.
          const passes = (next: Key) => open(next) || (side.heads.has(next) && !input.unchecked.has(next));
          // A side that was withdrawn, and that nothing else leads to, leads nowhere.
          return reached.has(side.key) && reach([side.key], firm, graph, passes).has(key);
        });
      for (const key of graph.filter((one) => open(one) && !isRival(one) && everySideLeadsTo(one))) {
        for (const joined of reach([key], firm, graph, open)) {
          if (!trusted.has(joined)) beyondForks.add(joined);
          trusted.add(joined);
        }
      }
    }
  }
  const takenBack = new Set(
    all.filter(({ endedAt }) => endedAt !== undefined).map(({ primary }) => primary.fingerprint),
  );
  return { present: new Set(keys), trusted, reached, forks, victims, beyondForks, takenBack, holds: firm };
}
