/** Delegation: keys that may sign some feeds for a time because a key of the chain, or another delegate, certified it. */
import type { Identity } from "../profile/types.ts";
import type { Instant } from "../time.ts";
import { type Offer, offersAmong } from "./delegation-offers.ts";
import { matchesFeed } from "./delegation-terms.ts";
import type { CertificateFacts, Fingerprint } from "./facts.ts";
import { refusePrimary } from "./key-state.ts";
import type { Path } from "./path.ts";
import { type Refusal, refuse } from "./policy.ts";
import { type Link, weightless } from "./transition.ts";

/** One delegation on a path. */
export type Step = Pick<Offer, "issuer" | "subject" | "madeAt" | "expiresAt">;

/** One path by which a delegate got its rights. */
export interface Grant {
  /** The keys from the seed to the issuer. */
  readonly via: readonly Fingerprint[];
  /** The delegations on the path, in its order. */
  readonly steps: readonly Step[];
  /** The feeds that each delegation on the path allows: a feed must match all of them. */
  readonly scopes: readonly (readonly string[])[];
  /** How many further delegations may follow. */
  readonly depth: number;
  /** When the first delegation on the path ends. */
  readonly expiresAt: Instant;
}

export interface Delegations {
  readonly grants: ReadonlyMap<Fingerprint, readonly Grant[]>;
  /** Every examined delegation, with the reason against it. */
  readonly links: readonly Link[];
}

export interface DelegationInput {
  readonly certificates: ReadonlyMap<Fingerprint, CertificateFacts>;
  /** Accepted keys of the chain with their own paths: they may delegate anything, to any depth. */
  readonly roots: ReadonlyMap<Fingerprint, Pick<Path, "to">>;
  readonly identity: Identity;
  readonly at: Instant;
  readonly unchecked: ReadonlySet<Fingerprint>;
}

/**
 * The number of paths that are kept for one delegate through the same first delegate. So a delegate that delegates further can
 * use up only its own share.
 */
const maxGrants = 16;

/** Whether a grant allows signing for a feed: every scope on the path has to. */
export function allows({ scopes }: Grant, feed: string): boolean {
  return scopes.every((globs) => matchesFeed(feed, globs));
}

/** The feeds of one path in words; each list limits the others: `base,extra (as far as ba* allows)`. */
export function scopeText(scopes: Grant["scopes"]): string {
  const [last, ...others] = [...new Set(scopes.map((globs) => globs.join(",")))].filter((one) => one !== "*").reverse();
  if (last === undefined) return "every feed";
  return others.length === 0 ? last : `${last} (as far as ${others.join(" and ")} allows)`;
}

/** The feeds of all paths in words. */
export function scopesText(grants: readonly Grant[]): string {
  return [...new Set(grants.map(({ scopes }) => scopeText(scopes)))].join(" or ");
}

/** Whether the issuer may delegate, by its own state and depth. */
function refuseHolder(issuer: CertificateFacts | undefined, depth: number, at: Instant): Refusal | undefined {
  if (issuer === undefined || depth < 1) return refuse("untrusted_signer", "its issuer may not delegate further");
  // Stricter than for transitions: a build machine does not have to catch up like a client.
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

/** Whether an earlier grant allows all that this one does. */
function isCovered(grant: Grant, known: readonly Grant[]): boolean {
  const scope = JSON.stringify(grant.scopes);
  return known.some(
    (one) => one.depth >= grant.depth && one.expiresAt >= grant.expiresAt && JSON.stringify(one.scopes) === scope,
  );
}

/** Finds every delegate that a key of the chain leads to, breadth first, each path counting its own depth and scopes. */
export function findDelegates(input: DelegationInput): Delegations {
  const offers = offersAmong(input.certificates, input);
  const grants = new Map<Fingerprint, Grant[]>();
  const links = new Map<Offer, Link>();
  // How many grants a delegate has through paths that begin with the same delegate.
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
      // Recorded once, as good if it is good on any path.
      if (refusal === undefined || !links.has(offer)) {
        const unfounded = held === undefined ? {} : { unfounded: true as const };
        links.set(offer, { issuer, subject, refusal, acknowledges: false, ...weightless, ...unfounded });
      }
      // A key of the chain needs no delegation, and an unchecked key gets none (T11).
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
 * The offers of keys that are not, or no longer, delegates themselves. They grant nothing, but give the reason why a key
 * is refused.
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
