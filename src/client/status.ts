/**
 * Use case: show which keys and indexes this client has, how old these keys and indexes are, and what will expire and when.
 * Asks no server.
 */
import { largest } from "../extremes.ts";
import type { Session } from "../refresh/session.ts";
import { type Instant, iso, roughly } from "../time.ts";
import { algorithmUntil, outlookOf, signingKeys } from "../trust/expiry-forecast.ts";
import type { Fingerprint } from "../trust/facts.ts";
import type { Role, Trusted, TrustSet } from "../trust/judge.ts";
import { primaryState, refusePrimary } from "../trust/key-state.ts";
import { warningsOfAlgorithms } from "./algorithm-warnings.ts";
import { type FeedStatus, feedStatus } from "./feed-status.ts";

export { scopeText } from "../trust/delegation.ts";

/** The status of one trusted key. All times are RFC 3339 texts. */
export interface KeyStatus {
  readonly fingerprint: Fingerprint;
  readonly userId: string;
  readonly role: Role;
  /** When the key expires; null if never. */
  readonly expiresAt: string | null;
  /** The date from which clients refuse the key's algorithm; null if no such date is known. */
  readonly algorithmUntil: string | null;
  /** What the key may do now, or the reason why the key may not sign, in words. */
  readonly state: string;
  /** Until when the key may sign if nobody renews the key, or a key or delegation on its path; null if there is no end. */
  readonly until: string | null;
  /** When a key server last gave a usable answer about the key; null if no key server ever did. */
  readonly lastCheckAt: string | null;
  /** Whether this client accepted the key before. */
  readonly accepted: boolean;
  /**
   * For a delegate, each path of delegations from an archive key to the delegate: the feeds that the path allows, and its
   * delegations. Empty for the archive's own keys.
   */
  readonly delegations: readonly {
    readonly via: readonly Fingerprint[];
    readonly feeds: readonly (readonly string[])[];
    readonly steps: readonly {
      readonly issuer: Fingerprint;
      readonly delegate: Fingerprint;
      readonly madeAt: string;
      readonly expiresAt: string;
    }[];
    readonly expiresAt: string;
  }[];
}

/** What a trusted key may do at the time of a judgement. */
export interface KeyToday {
  /** When the key expires; undefined if the key never expires. */
  readonly expiresAt: Instant | undefined;
  readonly maySign: boolean;
  /** What the key may do, in words; if the key may not sign, with the reason. */
  readonly text: string;
}

/** Returns what a key may do at the time of a judgement. */
export function keyToday({ facts }: Pick<Trusted, "facts">, { at }: Pick<TrustSet, "at">): KeyToday {
  const state = primaryState(facts, at);
  const refused = refusePrimary(facts, at);
  const maySign = signingKeys(facts, at).size > 0;
  const able = maySign ? "may sign" : "may certify";
  return {
    expiresAt: "code" in state ? undefined : state.expiresAt,
    maySign,
    text: refused === undefined ? able : `may not sign: ${refused.reason}`,
  };
}

export interface ClientStatus {
  readonly feeds: readonly FeedStatus[];
  readonly keys: readonly KeyStatus[];
}

/** How many milliseconds before the last key expires `status` begins to warn. */
const soon = 14 * 86_400_000;

/**
 * Warns about a key that the client has not been able to check for half of the grace period, because the client refuses the key
 * when the grace period ends (T11).
 */
function warnOfCheck(key: Fingerprint, { checkPolicy, state }: Session): string[] {
  const { required, revocationCheck, grace, at } = checkPolicy;
  const check = state.ledger.checks.get(key);
  const length = Math.max(grace, revocationCheck === "always" ? 0 : revocationCheck);
  // Without a grace period, the client asks about the key at each use, so there is no deadline to warn about.
  if (!required || check === undefined || length === 0) return [];
  const left = check.lastGoodAt + length - at;
  const since = `no key server has confirmed since ${iso(check.lastGoodAt)} that ${key} is not revoked`;
  if (left < 0) return [`${since}: this client refuses the key until a key server confirms it`];
  return left < length / 2 ? [`${since}: in ${roughly(left)} the key will be refused`] : [];
}

/** Returns a delegate's paths and the delegations on each path; empty for the archive's own keys. */
function delegationsOf({ grants }: Trusted): KeyStatus["delegations"] {
  return grants.map(({ via, scopes, steps, expiresAt }) => ({
    via,
    feeds: scopes,
    steps: steps.map(({ issuer, subject, madeAt, expiresAt: end }) => {
      return { issuer, delegate: subject, madeAt: iso(madeAt), expiresAt: iso(end) };
    }),
    expiresAt: iso(expiresAt),
  }));
}

function keyStatus(fingerprint: Fingerprint, key: Trusted, trust: TrustSet, session: Session): KeyStatus {
  const { facts, role, userId } = key;
  const today = keyToday(key, trust);
  const expiresAt = today.expiresAt === undefined ? null : iso(today.expiresAt);
  const check = session.state.ledger.checks.get(fingerprint);
  const until = outlookOf(key, trust)?.until;
  return {
    ...{ fingerprint, userId, role, expiresAt, state: refusePrimary(facts, trust.at)?.reason ?? today.text },
    algorithmUntil: algorithmUntil(facts.primary),
    until: until === undefined ? expiresAt : Number.isFinite(until) ? iso(until) : null,
    lastCheckAt: check === undefined ? null : iso(check.lastGoodAt),
    accepted: session.knows(fingerprint),
    delegations: delegationsOf(key),
  };
}

/** Warns if no known key may sign now, or if the last key that may sign expires soon. */
function warnOfLastKey(trust: TrustSet): string[] {
  const ends = [...trust.trusted.values()].flatMap((key) => outlookOf(key, trust)?.until ?? []);
  const last = largest(ends);
  if (last === Number.NEGATIVE_INFINITY)
    return ["no known key may sign now: run feedkey refresh, or get a new profile"];
  if (last - trust.at >= soon) return [];
  return [`in ${roughly(last - trust.at)} no known key may sign any more`];
}

/**
 * Returns the status of the client's keys and feeds, and warns about everything that will expire soon. Asks no server.
 * @throws FeedkeyError `bad_state` if the client's state is damaged
 */
export async function clientStatus(session: Session): Promise<ClientStatus> {
  const { trust } = await session.judgeUnchecked();
  const told = [];
  for (const feed of session.profile.feeds) told.push(await feedStatus(session, feed.name, trust));
  const { reporter } = session.options;
  for (const warning of told.flatMap((one) => one.warnings)) reporter.warn(warning);
  if (!session.checkPolicy.required)
    reporter.warn("keyservers = none: revocations reach this client only through the archive's own bundle");
  const usable = [...trust.trusted].filter(([, { facts }]) => refusePrimary(facts, trust.at) === undefined);
  const ofKeys = usable.flatMap(([key]) => warnOfCheck(key, session));
  const ofAlgorithms = warningsOfAlgorithms(trust, trust.trusted.keys());
  for (const warning of [...ofKeys, ...ofAlgorithms, ...warnOfLastKey(trust)]) reporter.warn(warning);
  return {
    feeds: told.map((one) => one.status),
    keys: [...trust.trusted].map(([fingerprint, key]) => keyStatus(fingerprint, key, trust, session)),
  };
}
