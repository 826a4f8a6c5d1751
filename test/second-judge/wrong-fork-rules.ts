/** Wrong rules about forks (T6). */

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
    name: "T6, T14: an outdated way spares a rival",
    file: "chain.js",
    right: "reachedWithout(firm, seeds)",
    wrong: "reachedWithout(graph, seeds)",
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
    right: "refuseCertification(certification, kept, issuer, subject, wide)",
    wrong: "refuseCertification(certification, userId, issuer, subject, wide)",
  },
  {
    name: "T6: a link of a retired issuer is not in the wide graph",
    file: "transition.js",
    right: "if (revocation === undefined || policy.isWide === true)",
    wrong: "if (revocation === undefined)",
  },
  {
    name: "T6: a link dated after the retirement of its issuer is not in the wide graph",
    file: "transition.js",
    right: "if (revocation === undefined || policy.isWide === true)",
    wrong: "if (revocation === undefined || (policy.isWide === true && made < (revocation.createdAt ?? 0)))",
  },
  {
    name: "T6: an earlier end of its issuer takes a link out of the wide graph",
    file: "transition.js",
    right: "isWide === true || accepted.has(subject.primary.fingerprint)",
    wrong: "accepted.has(subject.primary.fingerprint)",
  },
  {
    name: "T6: an end that a self-signature claimed which has expired does not count in the wide graph",
    file: "key-state.js",
    right: "wasUsable(one, facts.primary, at)",
    wrong: "wasUsable(one, facts.primary, at) && (one.expiresAt === undefined || one.expiresAt > at)",
  },
  {
    name: "T6: a seed is never a side",
    file: "fork.js",
    right: "(seeds.has(key) && live.has(issuer))",
    wrong: "seeds.has(key)",
  },
  {
    name: "T6: a seed that is not live is never a side",
    file: "fork.js",
    right: "(seeds.has(key) && live.has(issuer))",
    wrong: "(seeds.has(key) && (live.has(issuer) || !live.has(key)))",
  },
  {
    name: "T6: a seed is a side under a live issuer",
    file: "fork.js",
    right: "(seeds.has(key) && live.has(issuer))",
    wrong: "false",
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
];
