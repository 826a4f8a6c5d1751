/** The second judge: sides, heads and rivals under one key (T6). */
import type { CertificateFacts } from "../../src/trust/facts.ts";
import type { JudgeInput } from "../../src/trust/judge-input.ts";
import { ancestorsOf, type Key, type Leads, reach } from "./reach.ts";
import { hasOnlyExpired, isLive } from "./statements.ts";

export interface Side {
  readonly key: Key;
  readonly heads: ReadonlySet<Key>;
  /** The side and the keys that are not live on the ways from it. */
  readonly ways: ReadonlySet<Key>;
}

export interface SecondFork {
  readonly issuer: Key;
  readonly rivals: ReadonlySet<Key>;
  /** Those with a rival, or against one. */
  readonly sides: readonly Side[];
  readonly isCrowd: boolean;
}

/** Everything that a fork is judged by. */
export interface Graphs {
  readonly input: JudgeInput;
  /** None that is hard-revoked. */
  readonly certificates: ReadonlyMap<Key, CertificateFacts>;
  readonly seeds: readonly Key[];
  /** Links that hold, and what the seeds reach over them. */
  readonly held: Leads;
  readonly reached: readonly Key[];
  /** Those of them that hold by T14 too. */
  readonly firm: Leads;
  /** The wide graph, and what the seeds reach over it. */
  readonly made: Leads;
  readonly widelyReached: readonly Key[];
  readonly acknowledged: Leads;
}

/** T6: in the ledger, and live in a run that accepted it. */
export function acceptedBefore({ accepted, neverLive }: JudgeInput, key: Key): boolean {
  return accepted.has(key) && neverLive?.has(key) !== true;
}

/** The sides under an issuer, with their heads, over the links given. */
function sidesOf(issuer: Key, graphs: Graphs, leads: Leads, keys: readonly Key[]): Side[] {
  const { certificates, input, seeds } = graphs;
  const live = (key: Key) => {
    const certificate = certificates.get(key);
    return certificate !== undefined && isLive(certificate, input.at);
  };
  const isRemembered = (key: Key) => {
    const certificate = certificates.get(key);
    return certificate !== undefined && acceptedBefore(input, key) && hasOnlyExpired(certificate, input.at);
  };
  const ancestors = ancestorsOf(issuer, seeds, graphs.held, graphs.reached);
  const mayBeOnTheWay = (key: Key) => {
    if (key === issuer || ancestors.has(key)) return false;
    return !seeds.includes(key) || !live(issuer);
  };
  const goesOn: Leads = (from, to) => !live(from) && leads(from, to);
  return keys
    .filter((key) => leads(issuer, key) && mayBeOnTheWay(key))
    .map((key): Side => {
      const ways = reach([key], goesOn, keys, mayBeOnTheWay);
      const heads = [...ways].filter(live);
      const remembered = heads.length === 0 && !live(issuer) ? [...ways].filter(isRemembered) : [];
      return { key, heads: new Set([...heads, ...remembered]), ways: new Set([...ways].filter((on) => !live(on))) };
    });
}

/** T6: the fork under an issuer, if there is one. */
export function forkUnder(issuer: Key, graphs: Graphs): SecondFork | undefined {
  const { acknowledged, input } = graphs;
  const sides = sidesOf(issuer, graphs, graphs.made, graphs.widelyReached);
  const mutual = (a: Key, b: Key) => acknowledged(a, b) && acknowledged(b, a);
  const rivals = new Set<Key>();
  const opposed = new Set<Side>();
  for (const one of sides) {
    for (const other of sides) {
      for (const a of one.heads) {
        for (const b of other.heads) {
          if (one === other || a === b || mutual(a, b)) continue;
          // A head that both of the two have is right whichever side is.
          if (!other.heads.has(a)) rivals.add(a);
          if (!one.heads.has(b)) rivals.add(b);
          if (other.heads.has(a) && one.heads.has(b)) continue;
          opposed.add(one).add(other);
        }
      }
    }
  }
  const isCrowded = (key: Key) => input.crowded?.has(key) === true;
  const crowdedWay = sides.length > 1 && sides.some(({ ways }) => [...ways].some(isCrowded));
  const isCrowd = isCrowded(issuer) || crowdedWay;
  if (isCrowd) for (const side of sides) for (const head of side.heads) rivals.add(head);
  const stillThere = sidesOf(issuer, graphs, graphs.held, graphs.reached).flatMap((side) => [
    ...side.heads,
    ...side.ways,
  ]);
  if (!stillThere.some((key) => rivals.has(key))) return undefined;
  return { issuer, rivals, sides: [...opposed], isCrowd };
}

/** T6: rivals, not accepted before, that the seeds reach only through the issuer, over links that hold by T14 too. */
export function victimsOf({ issuer, rivals }: SecondFork, { input, seeds, firm, reached }: Graphs): Key[] {
  const otherwise = reach(seeds, firm, reached, (key) => key !== issuer);
  return [...rivals].filter((rival) => !acceptedBefore(input, rival) && !otherwise.has(rival));
}
