/**
 * T6: rival successors of one issuer. A key that is not live represents the live keys to which it leads, because a thief can make
 * keys that have already expired and certify other keys with them. The definitions use two graphs, the valid links and the wide
 * graph:
 * - *ancestors of I*: keys that lead to I over valid links, and that the seeds reach without I;
 * - *sides under I*: keys that I certified (in the wide graph), except ancestors of I and seeds. If I itself is not live, seeds
 *   count like other keys, so that a thief of an expired seed has the other seeds as rivals;
 * - *heads of a side*: the side itself if the side is live. If not, the live keys to which the side leads in the wide graph
 *   through keys that are not live. Such a path may not pass through I, an ancestor of I or, if I is live, a seed;
 * - *remembered heads*: replace the heads of a side without heads, if I is not live. They are the keys on these paths, the side
 *   included, that this client accepted while they were live, and that have expired since without being revoked;
 * - *rivals under I*: a head of one side and a head of another side, unless each acknowledges the other. A head that two sides
 *   share is no rival because of these two sides: this head is right whichever side is right;
 * - *victim*: a rival that was not accepted before, and that the seeds reach only through I, over links that are valid by T14 too;
 * - *crowd*: I, or a key that is not live on a path from a side of I to its heads, certified more keys than feedkey examines.
 *   Rivals may be among the keys that were not examined, so every head counts as a rival. (If a key on a path has the crowd, and
 *   not I, this needs at least two sides.)
 */
import type { Fingerprint } from "./facts.ts";
import { type Graph, reach, reverse } from "./graph.ts";

/** A key that the issuer certified, with the live keys that this key represents. */
export interface Side {
  readonly key: Fingerprint;
  readonly heads: ReadonlySet<Fingerprint>;
  /** Whether a key on the path certified more keys than feedkey examines: then some heads may be missing. */
  readonly isCrowd: boolean;
}

export interface Fork {
  readonly issuer: Fingerprint;
  /** All heads that have a rival under this issuer. */
  readonly rivals: readonly Fingerprint[];
  /** The sides that contain a rival. */
  readonly sides: readonly Side[];
  /** Whether some rivals were not examined: then it is unknown to which keys all sides lead. */
  readonly isCrowd: boolean;
}

export interface ForkInput {
  /** The graph of the valid links. */
  readonly graph: Graph;
  /** The valid links, and the links that would be valid if their issuer had not withdrawn them or been retired since. */
  readonly wide: Graph;
  readonly seeds: ReadonlySet<Fingerprint>;
  /** Keys that are neither expired nor revoked nor weak at the reference time. */
  readonly live: ReadonlySet<Fingerprint>;
  /** Keys that were accepted before while they were live, and have expired since without being revoked. */
  readonly remembered: ReadonlySet<Fingerprint>;
  /** Whether `issuer` certified `subject`, even if the certification has expired since. */
  readonly acknowledges: (issuer: Fingerprint, subject: Fingerprint) => boolean;
  readonly isCrowded: (issuer: Fingerprint) => boolean;
  /** Whether the seeds reach `key` without `through`. */
  readonly isReachedWithout: (key: Fingerprint, through: Fingerprint) => boolean;
}

/**
 * The number of links that the search may follow from sides to their heads. No real archive comes near this number. Then every
 * issuer counts as a crowd, so that a thief's thousands of dead keys can't take unlimited time.
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

  /** Returns the fork under one issuer; undefined if the issuer has no fork. */
  under(issuer: Fingerprint): Fork | undefined {
    const { graph, wide, seeds, live } = this.#input;
    const isOwnCrowd = this.#input.isCrowded(issuer);
    // If the issuer is a seed that is not live, its thief has the other seeds as rivals.
    const isOutside = (key: Fingerprint) => key === issuer || (seeds.has(key) && live.has(issuer));
    const certified = (wide.get(issuer) ?? []).filter((key) => !isOutside(key));
    if (certified.length < 2 && !isOwnCrowd) return undefined;
    // A key that leads to the issuer is an ancestor only if the seeds reach that key without the issuer. Otherwise a thief's key
    // could certify the issuer to become an ancestor instead of a rival.
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
    // If every link to a rival was withdrawn, there is nothing to choose.
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

/** Returns the rivals that are refused: those not accepted before that the seeds reach only through the issuer of the fork. */
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
 * Returns the keys below a fork to which every side leads and that are not rivals themselves. These keys are right whichever
 * side is right. If a side was not examined, no key is returned.
 * @param victims keys that no path may use, except the heads of the path's own side
 * @param unchecked keys that no path may use at all (T11)
 * @param rivals rivals in any fork, except keys that were accepted before
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
