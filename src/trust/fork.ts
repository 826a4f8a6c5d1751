/**
 * T6: rival successors of one issuer. A key that is not live represents the live keys that it leads to, because a thief can make keys that
 * have already expired and certify others with them. The definitions use the graph of valid links (the first graph) and the wide graph. *K*
 * is any key that certified other keys; the issuer of a fork is such a key:
 * - *ancestors of K*: keys that lead to K and that the seeds reach without K (first graph);
 * - *sides under K*: keys that K certified (wide graph), other than ancestors of K and seeds. If K itself is not live, the seeds that K
 *   certified count as sides too, so that a thief of an expired seed has these seeds as rivals;
 * - *heads of a side*: the side itself if it is live. Otherwise, the heads are the live keys to which the side leads in the wide graph
 *   through keys that are not live; such a path may not pass through K, an ancestor of K or, if K is live, a seed;
 * - *remembered heads*: if K is not live and a side has no live head, the heads of the side are all keys that meet these three conditions:
 *   the key is the side itself or is on such a path; this client accepted the key before, while the key was live; and the key has since
 *   expired without being revoked;
 * - *rivals under K*: a head of one side and a head of another side, unless each of these two heads acknowledges the other. A head that
 *   both sides share is not a rival because of these two sides: it is right, whichever of the two sides is right;
 * - *victim*: a rival that was not accepted before, and that the seeds do not reach without K over links that are valid by T14 too;
 * - *crowd*: there is a crowd under K if K certified more keys than feedkey examines. The same holds if another key certified that many, if
 *   this key is not live, and if it is a side of K or lies on the path from this side to its heads. Because feedkey may not have examined
 *   some rivals, every head counts as a rival. (If K itself is within the limit and only a key on such a path exceeds it, there is a crowd
 *   only if K has at least two sides.)
 */
import type { Fingerprint } from "./facts.ts";
import { type Graph, reach, reverse } from "./graph.ts";

/** A key that the issuer certified, with the heads of this side: the live keys that the key represents. */
interface Side {
  readonly key: Fingerprint;
  readonly heads: ReadonlySet<Fingerprint>;
  /** Whether a key on the way from this side to its heads certified more keys than feedkey examines: then heads may be missing. */
  readonly isCrowd: boolean;
}

export interface Fork {
  readonly issuer: Fingerprint;
  /** All heads that have a rival under this issuer. */
  readonly rivals: readonly Fingerprint[];
  /** The sides whose heads are rivals of a head on another side, and these other sides. */
  readonly sides: readonly Side[];
  /** Whether feedkey may not have examined some rivals. Then it can't tell which keys all sides lead to. */
  readonly isCrowd: boolean;
}

interface ForkInput {
  /** The first graph: the valid links. */
  readonly graph: Graph;
  /**
   * The wide graph: also the links that would be valid if their issuer had not withdrawn them, been retired, or shortened its own expiry
   * since.
   */
  readonly wide: Graph;
  readonly seeds: ReadonlySet<Fingerprint>;
  /** The keys that are neither expired nor revoked nor weak at the reference time. */
  readonly live: ReadonlySet<Fingerprint>;
  /** The keys that this client accepted while they were live, and that have expired since without being revoked. */
  readonly remembered: ReadonlySet<Fingerprint>;
  /** Whether the issuer certified the subject; a certification that has expired since counts too. */
  readonly acknowledges: (issuer: Fingerprint, subject: Fingerprint) => boolean;
  readonly isCrowded: (issuer: Fingerprint) => boolean;
  /** Whether the seeds reach `key` without passing through `through`. */
  readonly isReachedWithout: (key: Fingerprint, through: Fingerprint) => boolean;
}

/**
 * The number of links that the search may follow from sides to their heads. No real archive comes near this number. After that, every
 * issuer counts as a crowd, so that a thief who makes thousands of expired keys can't take unlimited time.
 */
const maxSteps = 20_000_000;

class ForkSearch {
  readonly #input: ForkInput;
  readonly #reversed: Graph;
  readonly #links: number;
  #steps = 0;

  constructor(input: ForkInput) {
    this.#input = input;
    this.#reversed = reverse(input.graph);
    this.#links = [...input.graph.values()].reduce((sum, subjects) => sum + subjects.length, 0);
  }

  /** Returns the fork under one issuer; undefined if there is no fork. */
  under(issuer: Fingerprint): Fork | undefined {
    const { graph, wide, seeds, live } = this.#input;
    const isOwnCrowd = this.#input.isCrowded(issuer);
    // If the issuer is a seed that is not live, the other seeds count as sides: they are the rivals of a thief's keys.
    const isOutside = (key: Fingerprint) => key === issuer || (seeds.has(key) && live.has(issuer));
    const certified = (wide.get(issuer) ?? []).filter((key) => !isOutside(key));
    if (certified.length < 2 && !isOwnCrowd) return undefined;
    // A key that leads to the issuer is an ancestor only if the seeds reach this key without the issuer. Otherwise a thief's key could
    // certify the issuer to become an ancestor instead of a rival.
    let leadingHere: ReadonlySet<Fingerprint> | undefined;
    const isAncestor = (key: Fingerprint) => {
      if (!this.#input.isReachedWithout(key, issuer)) return false;
      if (leadingHere === undefined) this.#steps += this.#links;
      leadingHere ??= reach(this.#reversed, [issuer]);
      return leadingHere.has(key);
    };
    const isBarred = (key: Fingerprint) => isOutside(key) || isAncestor(key);
    const keys = certified.filter((key) => !isBarred(key));
    const sides = keys.map((key) => this.#side(key, wide, isBarred, !live.has(issuer)));
    const isCrowd = isOwnCrowd || this.#steps > maxSteps || (sides.length > 1 && sides.some((side) => side.isCrowd));
    const clashing = isCrowd ? sides : sides.filter((one) => sides.some((other) => this.#clash(one, other)));
    const rivals = new Set(
      clashing.flatMap((one) => [...one.heads].filter((head) => isCrowd || this.#isRival(head, one, clashing))),
    );
    if (rivals.size === 0) return undefined;
    // If the issuer withdrew all links to the rivals, the client has nothing to choose.
    const linked = new Set(graph.get(issuer));
    const isLinked = keys.some((key) => {
      return (
        linked.has(key) &&
        [...this.#side(key, graph, isBarred, !live.has(issuer)).heads].some((head) => rivals.has(head))
      );
    });
    return isLinked ? { issuer, rivals: [...rivals].sort(), sides: clashing, isCrowd } : undefined;
  }

  #side(key: Fingerprint, graph: Graph, isBarred: (key: Fingerprint) => boolean, remembers: boolean): Side {
    const { live, remembered, isCrowded } = this.#input;
    const heads = new Set<Fingerprint>();
    const old = new Set<Fingerprint>();
    let isCrowd = false;
    const seen = new Set([key]);
    // Iterating a set includes elements that are added during the loop.
    for (const at of seen) {
      if (live.has(at)) {
        heads.add(at);
        continue;
      }
      if (remembered.has(at)) old.add(at);
      if (isCrowded(at)) isCrowd = true;
      for (const next of graph.get(at) ?? []) {
        this.#steps += 1;
        if (!isBarred(next)) seen.add(next);
      }
      if (this.#steps > maxSteps) break;
    }
    return { key, heads: heads.size === 0 && remembers ? old : heads, isCrowd };
  }

  #isMutual(one: Fingerprint, other: Fingerprint): boolean {
    const { acknowledges } = this.#input;
    return acknowledges(one, other) && acknowledges(other, one);
  }

  #isRival(head: Fingerprint, side: Side, sides: readonly Side[]): boolean {
    return sides.some((other) => {
      if (other === side || other.heads.has(head)) return false;
      return [...other.heads].some((rival) => !this.#isMutual(head, rival));
    });
  }

  #clash(one: Side, other: Side): boolean {
    if (one === other) return false;
    return (
      [...one.heads].some((head) => this.#isRival(head, one, [other])) ||
      [...other.heads].some((head) => this.#isRival(head, other, [one]))
    );
  }
}

/** Finds every fork among the keys that the seeds reach. */
export function findForks(input: ForkInput): Fork[] {
  const search = new ForkSearch(input);
  const forks: Fork[] = [];
  for (const issuer of input.graph.keys()) {
    const fork = search.under(issuer);
    if (fork !== undefined) forks.push(fork);
  }
  return forks;
}

/** Returns the rivals that are refused: this client did not accept them before, and the seeds reach them only through the fork's issuer. */
export function findVictims(
  forks: readonly Fork[],
  isReachedWithout: ForkInput["isReachedWithout"],
  accepted: ReadonlySet<Fingerprint>,
): Set<Fingerprint> {
  const victims = new Set<Fingerprint>();
  for (const { issuer, rivals } of forks) {
    for (const rival of rivals) if (!accepted.has(rival) && !isReachedWithout(rival, issuer)) victims.add(rival);
  }
  return victims;
}

/**
 * Returns the keys to which every side of a fork leads and that are not rivals themselves: these keys are right, whichever side is right.
 * The set is empty if the fork is a crowd.
 * @param victims keys that no path may use, except a path from a side of which the victim is a head
 * @param unchecked keys that no path may use at all, because a revocation check is missing (T11)
 * @param rivals the rivals in all forks, except those that this client accepted before
 */
export function beyondFork(
  fork: Fork,
  graph: Graph,
  victims: ReadonlySet<Fingerprint>,
  unchecked: ReadonlySet<Fingerprint>,
  rivals: ReadonlySet<Fingerprint>,
): Set<Fingerprint> {
  if (fork.isCrowd) return new Set();
  const led = fork.sides.map((side) => reach(graph, [side.key], barredFor(side, victims, unchecked)));
  const [first, ...rest] = led;
  const common = [...(first ?? [])].filter((key) => rest.every((side) => side.has(key)));
  return new Set(common.filter((key) => !rivals.has(key)));
}

/** Returns the keys that a path from one side of a fork may not use. */
export function barredFor(
  side: Side,
  victims: ReadonlySet<Fingerprint>,
  unchecked: ReadonlySet<Fingerprint>,
): Set<Fingerprint> {
  return new Set([...[...victims].filter((key) => !side.heads.has(key)), ...unchecked]);
}
