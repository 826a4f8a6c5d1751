/**
 * The second judge, part three: whom the seeds reach, and what forks take away (T2, T4, T5, T6, T11). Plain fixpoints over sets, slow
 * on purpose: its only virtue is that each sentence of the rules can be found in it.
 */
import type { CertificateFacts, Fingerprint } from "../../src/trust/facts.ts";
import type { JudgeInput } from "../../src/trust/judge.ts";
import { isHardRevoked, isLive } from "./statements.ts";
import { acknowledges, holds, wasMade } from "./transitions.ts";

export interface SecondFork {
  readonly issuer: Fingerprint;
  readonly rivals: ReadonlySet<Fingerprint>;
}

export interface SecondOpinion {
  /** Keys that are not hard-revoked. */
  readonly present: ReadonlySet<Fingerprint>;
  readonly trusted: ReadonlySet<Fingerprint>;
  /** Keys that seeds reach over transitions that hold, before forks and missing checks take their part. */
  readonly reached: ReadonlySet<Fingerprint>;
  readonly forks: readonly SecondFork[];
  readonly victims: ReadonlySet<Fingerprint>;
  /** Those of the trusted that joined because every rival of a fork leads to them. */
  readonly beyondForks: ReadonlySet<Fingerprint>;
  /** Whether the transition between two keys holds. */
  readonly holds: (issuer: Fingerprint, subject: Fingerprint) => boolean;
}

type Key = Fingerprint;

/** Everything that the starts lead to, themselves included, over keys that pass. */
function reach(
  starts: Iterable<Key>,
  leads: (from: Key, to: Key) => boolean,
  all: readonly Key[],
  passes: (key: Key) => boolean,
): Set<Key> {
  const reached = new Set([...starts].filter(passes));
  for (let before = -1; before !== reached.size; ) {
    before = reached.size;
    for (const from of [...reached]) {
      for (const to of all) if (leads(from, to) && passes(to)) reached.add(to);
    }
  }
  return reached;
}

/** Judges everything at hand once more. */
export function secondJudge(input: JudgeInput): SecondOpinion {
  const certificates = new Map<Key, CertificateFacts>();
  for (const certificate of input.certificates) {
    // T3c, T4: a key that is hard-revoked is out of everything.
    if (!isHardRevoked(certificate)) certificates.set(certificate.primary.fingerprint, certificate);
  }
  const keys = [...certificates.keys()];
  const seeds = input.seeds.filter((seed) => certificates.has(seed));
  const pairs = (test: typeof holds) => {
    const found = new Map<Key, Set<Key>>();
    for (const [a, issuer] of certificates) {
      const subjects = keys.filter((b) => {
        const subject = certificates.get(b);
        return subject !== undefined && test(issuer, subject, input);
      });
      found.set(a, new Set(subjects));
    }
    return (a: Key, b: Key) => found.get(a)?.has(b) === true;
  };
  const linked = pairs(holds);
  const acknowledged = pairs(acknowledges);
  const made = pairs(wasMade);

  const reached = reach(seeds, linked, keys, () => true);
  const graph = [...reached];
  const reachedWithout = (issuer: Key, key: Key) => reach(seeds, linked, graph, (on) => on !== issuer).has(key);
  // A key that owes its place to the issuer alone is no ancestor, whatever it certifies.
  const isAncestor = (key: Key, issuer: Key) =>
    reach([key], linked, graph, () => true).has(issuer) && reachedWithout(issuer, key);

  // T6: live successors of one issuer that do not certify each other.
  const forks: SecondFork[] = [];
  for (const issuer of graph) {
    // A successor that was withdrawn, but not revoked itself, is still a rival: a thief could have withdrawn it.
    const successors = keys.filter((key) => {
      const certificate = certificates.get(key);
      const live = certificate !== undefined && isLive(certificate, input.at);
      return live && made(issuer, key) && !seeds.includes(key) && !isAncestor(key, issuer);
    });
    const mutual = (a: Key, b: Key) => acknowledged(a, b) && acknowledged(b, a);
    // Of a key that certified more than is at hand every successor has a rival that nobody sees.
    const crowd = input.crowded?.has(issuer) === true;
    const rivals = new Set(successors.filter((a) => crowd || successors.some((b) => a !== b && !mutual(a, b))));
    // Withdrawn ones among themselves leave nothing to choose.
    if ([...rivals].some((rival) => linked(issuer, rival))) forks.push({ issuer, rivals });
  }

  // T6: a rival that was accepted before stays, and one that the chain also reaches without this issuer is no victim of its fork.
  const victims = new Set<Key>();
  for (const { issuer, rivals } of forks) {
    for (const rival of rivals) {
      if (!input.accepted.has(rival) && !reachedWithout(issuer, rival)) victims.add(rival);
    }
  }

  const open = (key: Key) => !victims.has(key) && !input.unchecked.has(key);
  const trusted = reach(seeds, linked, graph, open);

  // T6: a later key that every side leads to, itself no rival.
  const beyondForks = new Set<Key>();
  const isRival = (key: Key) => !input.accepted.has(key) && forks.some(({ rivals }) => rivals.has(key));
  for (let before = -1; before !== trusted.size; ) {
    before = trusted.size;
    // What a side leads to that nobody sees, nobody knows.
    const visible = forks.filter(({ issuer }) => trusted.has(issuer) && input.crowded?.has(issuer) !== true);
    for (const { rivals } of visible) {
      const everySideLeadsTo = (key: Key) =>
        [...rivals].every((rival) => {
          // The way may begin at a rival that is a victim, but pass through no other.
          const passes = (next: Key) => (next === rival && !input.unchecked.has(rival)) || open(next);
          // A side that was withdrawn, and that nothing else leads to, leads nowhere.
          return reached.has(rival) && reach([rival], linked, graph, passes).has(key);
        });
      for (const key of graph.filter((one) => open(one) && !isRival(one) && everySideLeadsTo(one))) {
        for (const joined of reach([key], linked, graph, open)) {
          if (!trusted.has(joined)) beyondForks.add(joined);
          trusted.add(joined);
        }
      }
    }
  }
  return { present: new Set(keys), trusted, reached, forks, victims, beyondForks, holds: linked };
}
