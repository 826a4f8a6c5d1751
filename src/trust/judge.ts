/** The judge: facts + profile + reference time + ledger -> who is trusted for this archive, over which path, and why the others are not. */
import type { Identity } from "../profile/types.ts";
import type { Instant } from "../time.ts";
import { findDelegates, type Grant } from "./delegation.ts";
import type { CertificateFacts, Fingerprint } from "./facts.ts";
import { beyondFork, type Fork, findForks, findVictims } from "./fork.ts";
import { type Graph, makeGraph, paths, reach, withoutCircles } from "./graph.ts";
import { addressOf, matchesIdentity, matchingUserIds } from "./identity.ts";
import { effectiveRevocation, primaryState, refusePrimary, revocationWords } from "./key-state.ts";
import { type Refusal, refuse } from "./policy.ts";
import { type Link, linksInto } from "./transition.ts";

export interface JudgeInput {
  /** Everything at hand: seeds, successors, and whoever else. One for each fingerprint. */
  readonly certificates: readonly CertificateFacts[];
  readonly identity: Identity;
  /** T2: fingerprints that the profile lists. */
  readonly seeds: readonly Fingerprint[];
  readonly retiredIssuers: "refuse" | "accept";
  readonly at: Instant;
  /** T5: keys that this client accepted before (its ledger). */
  readonly accepted: ReadonlySet<Fingerprint>;
  /** T11: keys whose revocation state isn't known well enough to use them. */
  readonly unchecked: ReadonlySet<Fingerprint>;
  /** T6: keys that certified more successors than are at hand, with some of those left out. None by default. */
  readonly crowded?: ReadonlyMap<Fingerprint, readonly Fingerprint[]>;
  /** Keys that are at hand for messages alone, not read to their end: they are never trusted, and nothing hangs on them. */
  readonly aside?: ReadonlySet<Fingerprint>;
}

export type Role = "seed" | "successor" | "delegate";

export interface Trusted {
  readonly facts: CertificateFacts;
  /** The matching user ID, or a seed's first one. */
  readonly userId: string;
  readonly role: Role;
  /** From the seed to the key's own predecessor; empty for a seed. */
  readonly via: readonly Fingerprint[];
  /** Delegates: what they may sign, by each path. Empty for all others, who may sign every feed. */
  readonly grants: readonly Grant[];
}

export interface Rejected extends Refusal {
  readonly facts: CertificateFacts;
  readonly userId: string;
  /** The links into it that were looked at, with the reason against each. */
  readonly links: readonly Link[];
}

export interface TrustSet {
  readonly at: Instant;
  readonly trusted: ReadonlyMap<Fingerprint, Trusted>;
  readonly rejected: ReadonlyMap<Fingerprint, Rejected>;
  /** All links that were looked at. */
  readonly links: readonly Link[];
  /** All delegations that were looked at. */
  readonly delegations: readonly Link[];
  readonly forks: readonly Fork[];
}

/** Everything worked out about one set of facts, for the steps below. */
interface Case {
  readonly input: JudgeInput;
  readonly byFingerprint: ReadonlyMap<Fingerprint, CertificateFacts>;
  readonly links: readonly Link[];
  readonly graph: Graph;
  readonly seeds: ReadonlySet<Fingerprint>;
  /** What the seeds lead to, before forks and missing checks take their part. */
  readonly reached: ReadonlySet<Fingerprint>;
}

function isHardRevoked(facts: CertificateFacts, at: Instant): boolean {
  return effectiveRevocation(facts.revocations, at)?.kind === "hard";
}

function open(input: JudgeInput): Case {
  const { at, identity, retiredIssuers, accepted } = input;
  const byFingerprint = new Map(input.certificates.map((facts) => [facts.primary.fingerprint, facts]));
  const policy = { identity, at, retiredIssuers, accepted };
  const links = input.certificates.flatMap((subject) => linksInto(subject, byFingerprint, policy));
  const gone = new Set(input.certificates.filter((f) => isHardRevoked(f, at)).map((f) => f.primary.fingerprint));
  for (const key of input.aside ?? []) gone.add(key);
  const seeds = new Set(input.seeds.filter((seed) => byFingerprint.has(seed) && !gone.has(seed)));
  const holding = links.filter(({ refusal, subject }) => refusal === undefined && !gone.has(subject));
  // Only what the seeds reach takes part: strangers who certify each other have no say.
  const reached = reach(makeGraph(holding), seeds);
  const graph = makeGraph(holding.filter(({ issuer }) => reached.has(issuer)));
  return { input, byFingerprint, links, graph, seeds, reached };
}

function forksOf({ input, byFingerprint, links, graph, seeds }: Case): Fork[] {
  const live = new Set<Fingerprint>();
  for (const [fingerprint, facts] of byFingerprint) {
    if (refusePrimary(facts, input.at) === undefined) live.add(fingerprint);
  }
  const acknowledged = new Map<Fingerprint, Set<Fingerprint>>();
  for (const { issuer, subject, acknowledges } of links) {
    if (!acknowledges) continue;
    const subjects = acknowledged.get(issuer);
    if (subjects === undefined) acknowledged.set(issuer, new Set([subject]));
    else subjects.add(subject);
  }
  const acknowledges = (issuer: Fingerprint, subject: Fingerprint) => acknowledged.get(issuer)?.has(subject) === true;
  const taken = new Map<Fingerprint, Fingerprint[]>();
  for (const { issuer, subject, withdrawn } of links) {
    if (!withdrawn || input.aside?.has(subject) === true) continue;
    const subjects = taken.get(issuer);
    if (subjects === undefined) taken.set(issuer, [subject]);
    else subjects.push(subject);
  }
  const withdrawn = (issuer: Fingerprint) => taken.get(issuer) ?? [];
  const isCrowded = (issuer: Fingerprint) => input.crowded?.has(issuer) === true;
  return findForks({ graph, seeds, live, acknowledges, withdrawn, isCrowded });
}

/**
 * The accepted keys with their predecessors: what the seeds reach past victims and unchecked keys, and, until
 * nothing is added, what lies beyond the forks of accepted issuers.
 */
function accept(
  { input, graph, seeds }: Case,
  forks: readonly Fork[],
  unchecked: ReadonlySet<Fingerprint>,
): Map<Fingerprint, readonly Fingerprint[]> {
  const victims = findVictims(forks, graph, seeds, input.accepted);
  const rivals = new Set(forks.flatMap((fork) => fork.rivals).filter((rival) => !input.accepted.has(rival)));
  const barred = new Set([...victims, ...unchecked]);
  const via = new Map<Fingerprint, readonly Fingerprint[]>();
  // What lies beyond a fork may lead back to a key on the way there, which is then accepted too.
  const arrive = (key: Fingerprint, path: readonly Fingerprint[]) => {
    if (!via.has(key)) via.set(key, withoutCircles([...path, key]).slice(0, -1));
  };
  const extend = (starts: Iterable<Fingerprint>) => {
    for (const [key, from] of paths(graph, starts, barred)) {
      arrive(key, from === undefined ? [] : [...(via.get(from) ?? []), from]);
    }
  };
  extend(seeds);
  for (let before = -1; before < via.size; ) {
    before = via.size;
    for (const fork of forks) {
      const path = via.get(fork.issuer);
      // Any side stands for the path, but for one that the issuer no longer leads to.
      const side = fork.rivals.find((rival) => graph.get(fork.issuer)?.includes(rival) === true);
      if (path === undefined || side === undefined) continue;
      for (const key of [...beyondFork(fork, graph, victims, unchecked, rivals)].sort()) {
        if (via.has(key)) continue;
        arrive(key, [...path, fork.issuer, ...pathFrom(graph, side, key, victims, unchecked)]);
        extend([key]);
      }
    }
  }
  return via;
}

/** The keys from `side` up to, but without, `key`. */
function pathFrom(
  graph: Graph,
  side: Fingerprint,
  key: Fingerprint,
  victims: ReadonlySet<Fingerprint>,
  unchecked: ReadonlySet<Fingerprint>,
): Fingerprint[] {
  const barred = new Set([...victims, ...unchecked]);
  barred.delete(side);
  const from = paths(graph, [side], barred);
  const found: Fingerprint[] = [];
  for (let at = from.get(key); at !== undefined; at = from.get(at)) found.unshift(at);
  return found;
}

function displayName(facts: CertificateFacts, { identity, at }: JudgeInput): string {
  return (matchingUserIds(facts, identity, at)[0] ?? facts.userIds[0])?.text ?? "(no user ID)";
}

/** Why a certificate is not trusted: its own state first, then the best reason among its links. */
function explain(
  facts: CertificateFacts,
  links: readonly Link[],
  whole: Case,
  ungated: ReadonlySet<Fingerprint>,
): Refusal {
  const { input, byFingerprint } = whole;
  const { fingerprint } = facts.primary;
  const revocation = effectiveRevocation(facts.revocations, input.at);
  if (revocation?.kind === "hard") return refuse("revoked", `the key is ${revocationWords(revocation)}`);
  if (ungated.has(fingerprint)) return refuse("unchecked_revocation", uncheckedReason(fingerprint, input));
  if (whole.reached.has(fingerprint)) {
    return refuse("fork", "it has a rival, certified by the same key, or hangs on one side of such a fork");
  }
  const crowded = [...(input.crowded ?? [])].find(([, leftOut]) => leftOut.includes(fingerprint));
  if (crowded !== undefined)
    return refuse("fork", `its issuer ${crowded[0]} certified more keys than can be looked at`);
  if (links.length > 0) return explainLinks(links, byFingerprint);
  const { identity } = input;
  const owned = matchingUserIds(facts, identity, input.at);
  if (owned.length > 0) {
    const strangers = owned.flatMap((userId) => userId.strangers ?? []);
    const missing =
      strangers.length === 0 ? "" : `; it claims to have one by ${strangers.join(", ")}, which is missing`;
    return refuse("untrusted_signer", `no certification by any key at hand stands on it${missing}`);
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

type Accepted = ReadonlyMap<Fingerprint, readonly Fingerprint[]>;

function uncheckedReason(fingerprint: Fingerprint, { unchecked }: JudgeInput): string {
  const what = unchecked.has(fingerprint) ? "the key" : "a key on its path";
  return `no key server could tell whether ${what} is revoked`;
}

function explainLinks(links: readonly Link[], issuers: ReadonlyMap<Fingerprint, CertificateFacts>): Refusal {
  const broken = links.find(({ refusal }) => refusal !== undefined);
  const unreached = links.find(({ refusal }) => refusal === undefined);
  // A link that holds hangs in the air: the trouble is further up.
  if (unreached !== undefined) {
    return refuse("untrusted_signer", `its issuer ${unreached.issuer} is not in the chain itself`);
  }
  const name = issuers.get(broken?.issuer ?? "")?.primary.fingerprint ?? "unknown";
  return refuse("untrusted_signer", `the certification by ${name} does not hold: ${broken?.refusal?.reason ?? ""}`);
}

function bySubject(links: readonly Link[]): Map<Fingerprint, Link[]> {
  const found = new Map<Fingerprint, Link[]>();
  for (const link of links) {
    const known = found.get(link.subject);
    if (known === undefined) found.set(link.subject, [link]);
    else known.push(link);
  }
  return found;
}

/** Judges everything at hand. Pure: the same input gives the same answer. */
export function judge(input: JudgeInput): TrustSet {
  const whole = open(input);
  const forks = forksOf(whole);
  const ungated = accept(whole, forks, new Set());
  const accepted = input.unchecked.size === 0 ? ungated : accept(whole, forks, input.unchecked);
  const { at, identity, unchecked } = input;
  const delegates = (roots: Accepted, unusable: ReadonlySet<Fingerprint>) => {
    const barred = new Set([...unusable, ...(input.aside ?? [])]);
    return findDelegates({ certificates: whole.byFingerprint, roots, identity, at, unchecked: barred });
  };
  const { grants, links: delegations } = delegates(accepted, unchecked);
  const ungatedGrants = unchecked.size === 0 ? grants : delegates(ungated, new Set()).grants;
  const checked = new Set([...ungated.keys(), ...ungatedGrants.keys()]);
  const into = bySubject([...whole.links, ...delegations]);
  const trusted = new Map<Fingerprint, Trusted>();
  const rejected = new Map<Fingerprint, Rejected>();
  for (const [fingerprint, facts] of [...whole.byFingerprint].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const userId = displayName(facts, input);
    const via = accepted.get(fingerprint);
    if (via !== undefined) {
      trusted.set(fingerprint, {
        facts,
        userId,
        role: whole.seeds.has(fingerprint) ? "seed" : "successor",
        via,
        grants: [],
      });
      continue;
    }
    const granted = isHardRevoked(facts, at) ? undefined : grants.get(fingerprint);
    if (granted?.[0] !== undefined) {
      trusted.set(fingerprint, { facts, userId, role: "delegate", via: granted[0].via, grants: granted });
      continue;
    }
    const links = into.get(fingerprint) ?? [];
    rejected.set(fingerprint, { facts, userId, links, ...explain(facts, links, whole, checked) });
  }
  return { at, trusted, rejected, links: whole.links, delegations, forks };
}
