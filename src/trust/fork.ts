/**
 * T6: rival successors of one issuer. Words used below, over the graph of the links that hold:
 * - *ancestors of I*: keys that lead to I and that the seeds reach without I;
 * - *successors of I*: live keys that I certified, other than seeds and ancestors of I; also one whose certification
 *   I withdrew without its being revoked itself: a thief of I's key could withdraw the rightful one and bring his own;
 * - *rivals under I*: two of them that do not acknowledge each other, both ways;
 * - *victim*: a rival, not accepted before, that the seeds reach only through I;
 * - *crowd*: I certified more keys than are looked at: some rivals are unseen, so that every successor has one.
 */
import type { Fingerprint } from "./facts.ts";
import { type Graph, reach, reverse } from "./graph.ts";

export interface Fork {
  readonly issuer: Fingerprint;
  /** All keys that have a rival under this issuer. */
  readonly rivals: readonly Fingerprint[];
  /** Some of the rivals are unseen: what all sides lead to can't be known. */
  readonly isCrowd: boolean;
}

export interface ForkInput {
  readonly graph: Graph;
  readonly seeds: ReadonlySet<Fingerprint>;
  /** Neither expired nor revoked nor weak at the reference time. */
  readonly live: ReadonlySet<Fingerprint>;
  /** Whether the first certified the second, even if that has expired since. */
  readonly acknowledges: (issuer: Fingerprint, subject: Fingerprint) => boolean;
  /** Keys whose certification by the issuer would hold if it had not been withdrawn. */
  readonly withdrawn: (issuer: Fingerprint) => readonly Fingerprint[];
  readonly isCrowded: (issuer: Fingerprint) => boolean;
}

/** Every fork among the keys that the seeds reach. */
export function findForks({ graph, seeds, live, acknowledges, withdrawn, isCrowded }: ForkInput): Fork[] {
  const forks: Fork[] = [];
  const reversed = reverse(graph);
  for (const [issuer, subjects] of graph) {
    const certified = [...new Set([...subjects, ...withdrawn(issuer)])].sort();
    const candidates = certified.filter((subject) => live.has(subject) && !seeds.has(subject));
    const isCrowd = isCrowded(issuer);
    if (candidates.length < 2 && !isCrowd) continue;
    // Who leads to the issuer is above it only if the seeds lead there without it: else a thief of its key would
    // make his own key an ancestor, and no rival, by letting it certify the issuer back.
    const leadingHere = reach(reversed, [issuer]);
    const otherwise = reach(graph, seeds, new Set([issuer]));
    const successors = candidates.filter((subject) => !(leadingHere.has(subject) && otherwise.has(subject)));
    const rivals = successors.filter((one) => {
      return (
        isCrowd || successors.some((other) => one !== other && !(acknowledges(one, other) && acknowledges(other, one)))
      );
    });
    // Where all of them were withdrawn, nobody is left to choose between.
    if (rivals.some((rival) => subjects.includes(rival))) forks.push({ issuer, rivals, isCrowd });
  }
  return forks;
}

/** The rivals that are refused: accepted before by nobody here, and reached through the forking issuer alone. */
export function findVictims(
  forks: readonly Fork[],
  graph: Graph,
  seeds: ReadonlySet<Fingerprint>,
  accepted: ReadonlySet<Fingerprint>,
): Set<Fingerprint> {
  const victims = new Set<Fingerprint>();
  for (const { issuer, rivals } of forks) {
    const otherwise = reach(graph, seeds, new Set([issuer]));
    for (const rival of rivals) if (!accepted.has(rival) && !otherwise.has(rival)) victims.add(rival);
  }
  return victims;
}

/**
 * The keys below a fork that every side leads to and that are no rivals themselves: right whichever side is. None where
 * a side is unseen.
 * @param victims no path may use them, but for the one that stands for its side
 * @param unchecked keys that no path may use at all (T11)
 * @param rivals of any fork, but for those accepted before
 */
export function beyondFork(
  fork: Fork,
  graph: Graph,
  victims: ReadonlySet<Fingerprint>,
  unchecked: ReadonlySet<Fingerprint>,
  rivals: ReadonlySet<Fingerprint>,
): Set<Fingerprint> {
  if (fork.isCrowd) return new Set();
  const sides = fork.rivals.map((side) => {
    const barred = new Set(victims);
    barred.delete(side);
    return reach(graph, [side], new Set([...barred, ...unchecked]));
  });
  const [first, ...rest] = sides;
  const common = [...(first ?? [])].filter((key) => rest.every((side) => side.has(key)));
  return new Set(common.filter((key) => !rivals.has(key)));
}
