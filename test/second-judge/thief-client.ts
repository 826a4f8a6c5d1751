/** A client that runs on several days, with a ledger as T5 has it. */
import type { Instant } from "../../src/time.ts";
import type { Fingerprint } from "../../src/trust/facts.ts";
import { type JudgeInput, judge, type TrustSet } from "../../src/trust/judge.ts";
import { endOfLife, refusePrimary } from "../../src/trust/key-state.ts";
import { type Day, fingerprintOfName, identity, instantOf, type Name, type World } from "./thief-world.ts";

export interface ClientPlan {
  readonly seeds: readonly Name[];
  readonly retiredIssuers: "refuse" | "accept";
}

export class Client {
  readonly #plan: ClientPlan;
  readonly #accepted = new Set<Fingerprint>();
  readonly #everLive = new Set<Fingerprint>();
  readonly #ends = new Map<Fingerprint, readonly Instant[]>();

  constructor(plan: ClientPlan) {
    this.#plan = plan;
  }

  knows(name: Name): boolean {
    return this.#accepted.has(fingerprintOfName(name));
  }

  /** What it is asked on a day. @param crowded keys that certified more than is looked at */
  question(world: World, day: Day, crowded: readonly Name[] = []): JudgeInput {
    const { seeds, retiredIssuers } = this.#plan;
    const own = new Set([...seeds.map(fingerprintOfName), ...this.#accepted]);
    const isCrowd = new Set(crowded.map(fingerprintOfName));
    const all = world.on(day);
    // Of what a crowd certified only what is there already, or what others lead to, is looked at.
    const seen = new Set(own);
    for (const key of seen) {
      if (isCrowd.has(key)) continue;
      for (const { primary, userIds } of all) {
        const by = userIds.flatMap(({ certifications }) => certifications.map(({ key: maker }) => maker));
        if (by.includes(key)) seen.add(primary.fingerprint);
      }
    }
    return {
      certificates: all.filter(({ primary }) => seen.has(primary.fingerprint)),
      identity,
      seeds: seeds.map(fingerprintOfName),
      retiredIssuers,
      at: instantOf(day),
      accepted: new Set(this.#accepted),
      neverLive: new Set([...this.#accepted].filter((key) => !this.#everLive.has(key))),
      ends: new Map(this.#ends),
      unchecked: new Set(),
      crowded: new Map([...isCrowd].map((key) => [key, []])),
    };
  }

  /** Judges on a day, and remembers. */
  run(world: World, day: Day, crowded: readonly Name[] = []): TrustSet {
    const input = this.question(world, day, crowded);
    const trust = judge(input);
    for (const [key, { facts }] of trust.trusted) {
      this.#accepted.add(key);
      if (refusePrimary(facts, input.at) === undefined) this.#everLive.add(key);
      // T7: an end that has come stays, the present one beside it.
      const passed = (this.#ends.get(key) ?? []).filter((end) => end <= input.at);
      const present = endOfLife(facts, input.at);
      this.#ends.set(key, present === undefined ? passed : [...new Set([...passed, present])]);
    }
    for (const key of [...this.#accepted]) {
      const rejected = trust.rejected.get(key);
      if (trust.trusted.has(key) || rejected?.code === "fork" || rejected?.code === "unchecked_revocation") continue;
      if (rejected === undefined) continue;
      this.#accepted.delete(key);
      this.#everLive.delete(key);
      this.#ends.delete(key);
    }
    return trust;
  }
}
