/**
 * Delegation: keys that may sign some feeds for a limited time, because a key of the chain or another delegate certified
 * them.
 */
import type { Identity } from "../profile/types.ts";
import type { Instant } from "../time.ts";
import { type Offer, offersAmong } from "./delegation-offers.ts";
import { matchesFeed } from "./delegation-terms.ts";
import type { CertificateFacts, Fingerprint } from "./facts.ts";
import { refusePrimary } from "./key-state.ts";
import type { Path } from "./path.ts";
import { type Refusal, refuse } from "./policy.ts";
import { type Link, weightless } from "./transition.ts";

/** One delegation on a path from a seed to a delegate. */
export type Step = Pick<Offer, "issuer" | "subject" | "madeAt" | "expiresAt">;

/** What a delegate may do by one path from a seed to this delegate. */
export interface Grant {
  /** The keys from the seed to the issuer of the last delegation. */
  readonly via: readonly Fingerprint[];
  /** The delegations on the path, from the first to the last. */
  readonly steps: readonly Step[];
  /** The lists of globs in the delegations on the path: a feed must match all these lists. */
  readonly scopes: readonly (readonly string[])[];
  /** How many more delegations may follow on this path. */
  readonly depth: number;
  /** When the first of the delegations on the path expires. */
  readonly expiresAt: Instant;
}

interface Delegations {
  readonly grants: ReadonlyMap<Fingerprint, readonly Grant[]>;
  /** Every delegation that feedkey examined; a refused delegation with the reason. */
  readonly links: readonly Link[];
}

interface DelegationInput {
  readonly certificates: ReadonlyMap<Fingerprint, CertificateFacts>;
  /** The accepted keys of the chain, each with its own path. These keys may delegate any feed, to any depth. */
  readonly roots: ReadonlyMap<Fingerprint, Pick<Path, "to">>;
  readonly identity: Identity;
  readonly at: Instant;
  readonly unchecked: ReadonlySet<Fingerprint>;
}

/**
 * The number of paths that feedkey keeps for each pair of a delegate and the first delegate on its path. So the delegates below one first
 * delegate can't use up the paths that lead over another first delegate.
 */
const maxGrants = 16;

/** Whether a grant allows signing for a feed: every scope on the path must match the feed. */
export function allows({ scopes }: Grant, feed: string): boolean {
  return scopes.every((globs) => matchesFeed(feed, globs));
}

/** Describes the feeds that one path allows, for messages. Each list limits the others: `base,extra (as far as ba* allows)`. */
export function scopeText(scopes: Grant["scopes"]): string {
  const [last, ...others] = [...new Set(scopes.map((globs) => globs.join(",")))].filter((one) => one !== "*").reverse();
  if (last === undefined) return "every feed";
  return others.length === 0 ? last : `${last} (as far as ${others.join(" and ")} allows)`;
}

/** Describes the feeds that at least one of the paths allows, for messages. */
export function scopesText(grants: readonly Grant[]): string {
  return [...new Set(grants.map(({ scopes }) => scopeText(scopes)))].join(" or ");
}

/** Returns why an issuer may not delegate: the path to it allows no further delegation, or its key can't be used now. */
function refuseHolder(issuer: CertificateFacts | undefined, depth: number, at: Instant): Refusal | undefined {
  if (issuer === undefined || depth < 1) return refuse("untrusted_signer", "its issuer may not delegate further");
  // For transitions, an issuer that has expired since still counts, because a client must catch up after a long time offline. A build
  // machine does not have to catch up, so this rule is stricter.
  const state = refusePrimary(issuer, at);
  return state && refuse(state.code, `its issuer can't delegate now: ${state.reason}`);
}

function extend(holder: Grant, { issuer, subject, scopes, depth, madeAt, expiresAt }: Offer): Grant {
  return {
    via: [...holder.via, issuer],
    steps: [...holder.steps, { issuer, subject, madeAt, expiresAt }],
    scopes: [...holder.scopes, ...scopes],
    depth: Math.min(depth, holder.depth - 1),
    expiresAt: Math.min(holder.expiresAt, expiresAt),
  };
}

/** Whether one of the known grants allows everything that this grant allows. */
function isCovered(grant: Grant, known: readonly Grant[]): boolean {
  const scope = JSON.stringify(grant.scopes);
  return known.some(
    (one) => one.depth >= grant.depth && one.expiresAt >= grant.expiresAt && JSON.stringify(one.scopes) === scope,
  );
}

/** Finds every delegate to which a key of the chain leads, in a breadth-first search. Each path has its own depth and scopes. */
export function findDelegates(input: DelegationInput): Delegations {
  const offers = offersAmong(input.certificates, input);
  const grants = new Map<Fingerprint, Grant[]>();
  const links = new Map<Offer, Link>();
  // How many grants a delegate has over paths that begin with one first delegate.
  const shares = new Map<string, number>();
  const endless = { steps: [], scopes: [], depth: Number.POSITIVE_INFINITY, expiresAt: Number.POSITIVE_INFINITY };
  const waiting: { issuer: Fingerprint; grant: Grant }[] = [...input.roots].map(([issuer, path]) => {
    const via = () => path.to(issuer);
    return {
      issuer,
      grant: {
        ...endless,
        get via() {
          return via();
        },
      },
    };
  });
  // Elements that are added during the loop are visited too: a breadth-first search.
  for (const { issuer, grant: holder } of waiting) {
    const held = refuseHolder(input.certificates.get(issuer), holder.depth, input.at);
    for (const offer of offers.get(issuer) ?? []) {
      const { subject } = offer;
      const refusal = held ?? offer.refusal;
      // Each offer is recorded once, as valid if any path makes it valid.
      if (refusal === undefined || !links.has(offer)) {
        const unfounded = held === undefined ? {} : { unfounded: true as const };
        links.set(offer, { issuer, subject, refusal, acknowledges: false, ...weightless, ...unfounded });
      }
      // A key of the chain needs no delegation. A key with a missing revocation check (T11) gets no grant.
      const idle = input.roots.has(subject) || input.unchecked.has(subject) || holder.via.includes(subject);
      if (refusal !== undefined || idle) continue;
      const share = `${subject} ${(holder.steps[0] ?? offer).subject}`;
      const count = shares.get(share) ?? 0;
      if (count >= maxGrants) continue;
      const known = grants.get(subject) ?? [];
      const grant = extend(holder, offer);
      if (isCovered(grant, known)) continue;
      shares.set(share, count + 1);
      grants.set(subject, [...known, grant]);
      waiting.push({ issuer: subject, grant });
    }
  }
  for (const [offer, link] of outOfReach(offers, links)) links.set(offer, link);
  return { grants, links: [...links.values()] };
}

/**
 * Finds the offers by keys that are not delegates, or are delegates no longer. These offers grant nothing, but explain why a key is
 * refused.
 */
function outOfReach(
  offers: ReadonlyMap<Fingerprint, readonly Offer[]>,
  reached: ReadonlyMap<Offer, Link>,
): Map<Offer, Link> {
  const all = [...offers.values()].flat();
  const reasons = new Map<Fingerprint, string>();
  for (const offer of all) {
    const refusal = reached.get(offer)?.refusal ?? offer.refusal;
    if (refusal !== undefined) reasons.set(offer.subject, refusal.reason);
  }
  const found = new Map<Offer, Link>();
  for (const offer of all) {
    if (reached.has(offer)) continue;
    const { issuer, subject } = offer;
    const why = reasons.get(issuer) ?? "no key of the chain leads to it";
    const refusal = offer.refusal ?? refuse("untrusted_signer", `its issuer is not a delegate: ${why}`);
    found.set(offer, { issuer, subject, refusal, acknowledges: false, ...weightless, unfounded: true });
  }
  return found;
}
