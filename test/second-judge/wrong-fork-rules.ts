/** Wrong rules about forks (T6) and late extensions (T7). */

/** A piece of a compiled file of `src/trust`, and what to put in its place. */
export interface WrongRule {
  readonly name: string;
  readonly file: string;
  readonly right: string;
  readonly wrong: string;
  /** Shows in graphs of delegates alone. */
  readonly delegates?: true;
}

export const wrongForkRules: readonly WrongRule[] = [
  {
    name: "T5, T6: the ledger saves no rival",
    file: "fork.js",
    right: "!accepted.has(rival) && ",
    wrong: "",
  },
  {
    name: "T6: one-way acknowledgement settles a fork",
    file: "fork.js",
    right: "acknowledges(one, other) && acknowledges(other, one)",
    wrong: "acknowledges(one, other) || acknowledges(other, one)",
  },
  {
    name: "T6: an expired acknowledgement does not count",
    file: "transition.js",
    right: "acknowledges: refusal === undefined",
    wrong: "acknowledges: (refusal ?? ended) === undefined",
  },
  {
    name: "T6: whoever leads to the issuer is its ancestor",
    file: "fork.js",
    right: "if (!this.#input.isReachedWithout(key, issuer))",
    wrong: "if (false)",
  },
  {
    name: "T6: a rival that the seeds reach otherwise is refused",
    file: "fork.js",
    right: " && !isReachedWithout(rival, issuer)",
    wrong: "",
  },
  {
    name: "T6: what one side leads to is beyond the fork",
    file: "fork.js",
    right: "rest.every(",
    wrong: "rest.some(",
  },
  {
    name: "T6: a rival may be beyond another fork",
    file: "fork.js",
    right: "common.filter((key) => !rivals.has(key))",
    wrong: "common",
  },
  {
    name: "T6: a crowd is no fork",
    file: "chain.js",
    right: "input.crowded?.has(issuer) === true",
    wrong: "false",
  },
  {
    name: "T6: what the sides of a crowd that are seen lead to is beyond it",
    file: "fork.js",
    right: "if (fork.isCrowd)",
    wrong: "if (false)",
  },
  {
    name: "T6: a key that is not live may be a rival",
    file: "chain.js",
    right: "if (!gone.has(key) && refusePrimary(facts, at) === undefined)",
    wrong: "if (!gone.has(key))",
  },
  {
    name: "T6: a rival accepted before is still no key beyond another fork",
    file: "chain.js",
    right: ".filter((rival) => !kept.has(rival))",
    wrong: "",
  },
  {
    name: "T6: a side that is not live stands for nobody",
    file: "fork.js",
    right: "if (!isBarred(next))",
    wrong: "if (false)",
  },
  {
    name: "T6: the ways to the heads go through ancestors",
    file: "fork.js",
    right: "this.#side(key, wide, isBarred, !live.has(issuer))",
    wrong: "this.#side(key, wide, isOutside, !live.has(issuer))",
  },
  {
    name: "T6: the ways to the heads go through seeds",
    file: "fork.js",
    right: "this.#side(key, wide, isBarred, !live.has(issuer))",
    wrong: "this.#side(key, wide, (one) => one === issuer || isAncestor(one), !live.has(issuer))",
  },
  {
    name: "T6: a head that two sides have is a rival for their sake",
    file: "fork.js",
    right: "other === side || other.heads.has(head)",
    wrong: "other === side",
  },
  {
    name: "T6: sides that share a head are not rivals",
    file: "fork.js",
    right: "if (one === other)",
    wrong: "if (one === other || [...one.heads].some((head) => other.heads.has(head)))",
  },
  {
    name: "T6: a key that was never live keeps its place as a rival",
    file: "chain.js",
    right: "neverLive?.has(key) !== true",
    wrong: "true",
  },
  {
    name: "T6: a withdrawn link is not in the wide graph",
    file: "transition.js",
    right: "refuseCertification(certification, kept, issuer, subject, lenient)",
    wrong: "refuseCertification(certification, userId, issuer, subject, lenient)",
  },
  {
    name: "T6: a link of a retired issuer is not in the wide graph",
    file: "transition.js",
    right: "refuseCertification(certification, kept, issuer, subject, lenient)",
    wrong: "refuseCertification(certification, kept, issuer, subject, policy)",
  },
  {
    name: "T6: a seed is never a side",
    file: "fork.js",
    right: "(seeds.has(key) && (live.has(issuer) || !live.has(key)))",
    wrong: "seeds.has(key)",
  },
  {
    name: "T6: a seed is a side under a live issuer",
    file: "fork.js",
    right: "(live.has(issuer) || !live.has(key))",
    wrong: "!live.has(key)",
  },
  {
    name: "T6: there are no remembered heads",
    file: "fork.js",
    right: "heads.size === 0 && remembers ? old : heads",
    wrong: "heads",
  },
  {
    name: "T6: a live issuer has remembered heads too",
    file: "fork.js",
    right: "heads.size === 0 && remembers",
    wrong: "heads.size === 0",
  },
  {
    name: "T6: a crowd on the way to the heads is overlooked",
    file: "fork.js",
    right: "if (isCrowded(at))",
    wrong: "if (false)",
  },
  {
    name: "T6: a crowd on the way of the only side is a fork",
    file: "fork.js",
    right: "sides.length > 1 && sides.some((side) => side.isCrowd)",
    wrong: "sides.some((side) => side.isCrowd)",
  },
  {
    name: "T6: a fork whose rivals were all withdrawn is one",
    file: "fork.js",
    right: "return isLinked ?",
    wrong: "return true ?",
  },
  {
    name: "T6: a victim of another side may stand on the way",
    file: "fork.js",
    right: "[...victims].filter((key) => !side.heads.has(key))",
    wrong: "[]",
  },
  {
    name: "T7: a late extension always counts",
    file: "chain.js",
    right: "withoutLateExtensions(certificates, input.ends ?? new Map(), at)",
    wrong: "new Map()",
  },
  {
    name: "T7: a late extension never counts",
    file: "chain.js",
    right: "if (succeeded.size === late.size)",
    wrong: "if (true)",
  },
  {
    name: "T7: what the ledger knew of an end does not count",
    file: "chain.js",
    right: "input.ends ?? new Map()",
    wrong: "new Map()",
  },
  {
    name: "T7: an ancestor is a successor",
    file: "chain.js",
    right: "above.has(other) && isReachedWithout(other, key)",
    wrong: "false",
  },
  {
    name: "T7: what would live by a late extension is not a successor",
    file: "chain.js",
    right: "without.live.has(other) || late.has(other)",
    wrong: "without.live.has(other)",
  },
  {
    name: "T7: an extension dated just at the end is in time",
    file: "extension.js",
    right: "if (end <= date)",
    wrong: "if (end < date)",
  },
];
