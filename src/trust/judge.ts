/**
 * The judge: decides from facts, profile, reference time and ledger which keys are trusted for this archive, over which
 * path, and why the other keys are not trusted.
 */
import { grouped } from "../grouped.ts";
import type { Identity } from "../profile/types.ts";
import type { Instant } from "../time.ts";
import { acceptKeys, type Chain, forksOf, readChain } from "./chain.ts";
import { findDelegates, type Grant } from "./delegation.ts";
import type { CertificateFacts, Fingerprint } from "./facts.ts";
import type { Fork } from "./fork.ts";
import { addressOf, matchesIdentity, matchingUserIds } from "./identity.ts";
import type { JudgeInput } from "./judge-input.ts";
import { effectiveRevocation, isHardRevoked, primaryState, revocationWords } from "./key-state.ts";
import type { Path } from "./path.ts";
import { type Refusal, refuse } from "./policy.ts";
import type { Link } from "./transition.ts";

export type { JudgeInput } from "./judge-input.ts";

export type Role = "seed" | "successor" | "delegate";

export interface Trusted {
  readonly facts: CertificateFacts;
  /** The user ID that matches the archive's identity, or a seed's first user ID. */
  readonly userId: string;
  readonly role: Role;
  /** The keys from the seed to the key's own predecessor; empty for a seed. */
  readonly via: readonly Fingerprint[];
  /** What a delegate may sign, one grant for each path to the delegate. Empty for all other keys, which may sign every feed. */
  readonly grants: readonly Grant[];
}

export interface Rejected extends Refusal {
  readonly facts: CertificateFacts;
  readonly userId: string;
  /** The examined links to this key, each with the reason for its refusal. */
  readonly links: readonly Link[];
}

export interface TrustSet {
  readonly at: Instant;
  readonly trusted: ReadonlyMap<Fingerprint, Trusted>;
  readonly rejected: ReadonlyMap<Fingerprint, Rejected>;
  /** All examined links. */
  readonly links: readonly Link[];
  /** All examined delegations. */
  readonly delegations: readonly Link[];
  readonly forks: readonly Fork[];
}

function displayName(facts: CertificateFacts, { identity, at }: JudgeInput): string {
  return (matchingUserIds(facts, identity, at)[0] ?? facts.userIds[0])?.text ?? "(no user ID)";
}

/** Returns why a certificate is not trusted: because of its own state, or because of the link to it that came furthest in the checks. */
function explain(
  facts: CertificateFacts,
  links: readonly Link[],
  chain: Chain,
  input: JudgeInput,
  ungated: ReadonlySet<Fingerprint>,
): Refusal {
  const { fingerprint } = facts.primary;
  const revocation = effectiveRevocation(facts.revocations, input.at);
  if (revocation?.kind === "hard") return refuse("revoked", `the key is ${revocationWords(revocation)}`);
  if (ungated.has(fingerprint)) return refuse("unchecked_revocation", uncheckedReason(fingerprint, input));
  if (chain.reached.has(fingerprint)) {
    return refuse(
      "fork",
      "there is a fork: the key that certified it, or another key on its path, also certified a rival",
    );
  }
  const crowded = [...(input.crowded ?? [])].find(([, leftOut]) => leftOut.includes(fingerprint));
  if (crowded !== undefined)
    return refuse("fork", `its issuer ${crowded[0]} certified more keys than feedkey examines`);
  if (links.length > 0) return explainLinks(links, chain.byFingerprint);
  const { identity } = input;
  const owned = matchingUserIds(facts, identity, input.at);
  if (owned.length > 0) {
    const strangers = owned.flatMap((userId) => userId.strangers ?? []);
    const missing =
      strangers.length === 0
        ? ""
        : `; it claims a certification by ${strangers.join(", ")}, whose certificate is missing`;
    return refuse("untrusted_signer", `no available key certifies it${missing}`);
  }
  const wanted = identity.kind === "user-id" ? identity.userId : identity.email;
  const named = facts.userIds.some(({ bytes }) => matchesIdentity(bytes, identity));
  const own = primaryState(facts, input.at);
  if (named && "code" in own) return own;
  return named
    ? refuse("untrusted_signer", `its user ID "${wanted}" is revoked or not properly self-certified`)
    : refuse("untrusted_signer", `it does not carry the user ID "${wanted}"${lookAlike(facts, identity)}`);
}

function lookAlike(facts: CertificateFacts, identity: Identity): string {
  const near = facts.userIds.find(({ bytes, text }) => addressOf(bytes) !== undefined || text.includes("@"));
  return near === undefined || identity.kind !== "user-email" ? "" : ` (it says "${near.text}")`;
}

function uncheckedReason(fingerprint: Fingerprint, { unchecked }: JudgeInput): string {
  const what = unchecked.has(fingerprint) ? "the key" : "a key on its path";
  return `no key server could tell whether ${what} is revoked`;
}

function explainLinks(links: readonly Link[], issuers: ReadonlyMap<Fingerprint, CertificateFacts>): Refusal {
  const unreached = links.find(({ refusal }) => refusal === undefined);
  // The link is valid, but the seeds do not reach its issuer: the reason lies with one of the issuer's own links.
  if (unreached !== undefined) {
    return refuse("untrusted_signer", `its issuer ${unreached.issuer} is not in the chain itself`);
  }
  const [broken] = links;
  const name = issuers.get(broken?.issuer ?? "")?.primary.fingerprint ?? "unknown";
  const { code, reason = "" } = broken?.refusal ?? {};
  const hint = code === "not_yet_valid" ? clockHint : undefined;
  return refuse("untrusted_signer", `the certification by ${name} does not count: ${reason}`, hint);
}

const clockHint =
  "check this machine's clock: if it is behind, set it and try again; if it is right, the archive's keepers certified this key with a wrong clock";

/** Judges every available certificate. This function is pure: the same input gives the same answer. */
export function judge(input: JudgeInput): TrustSet {
  const chain = readChain(input);
  const forks = forksOf(chain, input);
  const ungated = acceptKeys(chain, forks, input, new Set());
  const accepted = input.unchecked.size === 0 ? ungated : acceptKeys(chain, forks, input, input.unchecked);
  const { at, identity, unchecked } = input;
  const delegates = (roots: ReadonlyMap<Fingerprint, Path>, unusable: ReadonlySet<Fingerprint>) => {
    const barred = new Set([...unusable, ...(input.aside ?? [])]);
    return findDelegates({ certificates: chain.byFingerprint, roots, identity, at, unchecked: barred });
  };
  const { grants, links: delegations } = delegates(accepted, unchecked);
  const ungatedGrants = unchecked.size === 0 ? grants : delegates(ungated, new Set()).grants;
  const checked = new Set([...ungated.keys(), ...ungatedGrants.keys()]);
  const into = grouped([...chain.links, ...delegations], (link) => link.subject);
  const trusted = new Map<Fingerprint, Trusted>();
  const rejected = new Map<Fingerprint, Rejected>();
  for (const [fingerprint, facts] of [...chain.byFingerprint].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const userId = displayName(facts, input);
    const path = accepted.get(fingerprint);
    const granted = isHardRevoked(facts.revocations) ? undefined : grants.get(fingerprint);
    if (path !== undefined) trusted.set(fingerprint, ofChain(facts, userId, path, chain.seeds));
    else if (granted?.[0] !== undefined) {
      trusted.set(fingerprint, { facts, userId, role: "delegate", via: granted[0].via, grants: granted });
    } else {
      const links = into.get(fingerprint) ?? [];
      rejected.set(fingerprint, { facts, userId, links, ...explain(facts, links, chain, input, checked) });
    }
  }
  return { at, trusted, rejected, links: chain.links, delegations, forks: forks.forks };
}

function ofChain(facts: CertificateFacts, userId: string, path: Path, seeds: ReadonlySet<Fingerprint>): Trusted {
  const { fingerprint } = facts.primary;
  const role = seeds.has(fingerprint) ? "seed" : "successor";
  return {
    facts,
    userId,
    role,
    grants: [],
    get via() {
      return path.to(fingerprint);
    },
  };
}

/**
 * Whether a rejected key is a key of the archive that must not sign now, not merely a key that feedkey could not check. A foreign key that
 * a mirror put into its bundle does not count.
 * @param isKept whether the client keeps the key's certificate
 */
export function isFallen({ code, facts, links }: Rejected, isKept: boolean, identity: Identity): boolean {
  if (code === "revoked" || code === "expired") return true;
  const isOurs = links.length > 0 || facts.userIds.some(({ bytes }) => matchesIdentity(bytes, identity));
  return code !== "unchecked_revocation" && isKept && isOurs;
}
