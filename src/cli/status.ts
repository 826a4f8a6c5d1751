/** `feedkey status`: what this client has, how old it is, and what will break when. Asks nobody. */

import type { Session } from "../client/session.ts";
import { largest } from "../extremes.ts";
import { type Instant, iso, roughly } from "../time.ts";
import type { Fingerprint } from "../trust/facts.ts";
import type { Trusted, TrustSet } from "../trust/judge.ts";
import { primaryState, refusePrimary } from "../trust/key-state.ts";
import { outlookOf, signingKeys } from "../trust/outlook.ts";
import type { Context } from "./context.ts";
import { feedStatus } from "./feed-status.ts";
import type { Outcome } from "./run.ts";
import { table } from "./table.ts";

/** Warned of this long before. */
const soon = 14 * 86_400_000;

/** T11: a key that nobody could be asked about for so long is refused one day; said when half of that time is over. */
function warnOfCheck(key: Fingerprint, { checkPolicy, state }: Session): string[] {
  const { required, revocationCheck, grace, at } = checkPolicy;
  const check = state.ledger.checks.get(key);
  const length = Math.max(grace, revocationCheck === "always" ? 0 : revocationCheck);
  // Without grace every use asks anew: there is nothing to run out.
  if (!required || check === undefined || length === 0) return [];
  const left = check.lastGoodAt + length - at;
  const since = `no key server has told whether ${key} is revoked since ${iso(check.lastGoodAt)}`;
  if (left < 0) return [`${since}: it is refused until one does`];
  return left < length / 2 ? [`${since}: in ${roughly(left)} it will be refused`] : [];
}

function timeOrNever(time: Instant): string | null {
  return Number.isFinite(time) ? iso(time) : null;
}

/** What each delegation on each of a delegate's paths says; empty for keys of the chain. */
function delegationsJson({ grants }: Trusted) {
  return grants.map(({ via, scopes, steps, expiresAt }) => ({
    via,
    feeds: scopes,
    steps: steps.map(({ issuer, subject, madeAt, expiresAt: end }) => {
      return { issuer, delegate: subject, madeAt: iso(madeAt), expiresAt: iso(end) };
    }),
    expiresAt: iso(expiresAt),
  }));
}

function keyStatus(fingerprint: Fingerprint, key: Trusted, trust: TrustSet, session: Session) {
  const { facts, role, userId } = key;
  const { at } = trust;
  const state = primaryState(facts, at);
  const expiresAt = "code" in state || state.expiresAt === undefined ? null : iso(state.expiresAt);
  const check = session.state.ledger.checks.get(fingerprint);
  const able = signingKeys(facts, at).size > 0 ? "may sign" : "may certify";
  return {
    ...{ fingerprint, userId, role, expiresAt, state: refusePrimary(facts, at)?.reason ?? able },
    lastCheckAt: check === undefined ? null : iso(check.lastGoodAt),
    accepted: session.knows(fingerprint),
    delegations: delegationsJson(key),
  };
}

/** When the last key that may sign anything ends. */
function warnOfLastKey(trust: TrustSet): string[] {
  const ends = [...trust.trusted.values()].flatMap((key) => outlookOf(key, trust)?.until ?? []);
  const last = largest(ends);
  if (last === Number.NEGATIVE_INFINITY)
    return ["no known key may sign now: run feedkey refresh, or get a new profile"];
  if (last - trust.at >= soon) return [];
  return [`in ${roughly(last - trust.at)} the last known key that may sign expires`];
}

/** Shows the state and warns of what will break. @throws FeedkeyError `no_seed`, `bad_profile`, `bad_state` */
export async function status(context: Context): Promise<Outcome> {
  return await context.withSession({ readOnly: true }, async (session) => {
    const { trust } = await session.judgeUnchecked();
    const told = [];
    for (const feed of session.profile.feeds) told.push(await feedStatus(session, feed.name, trust));
    const feeds = told.map((one) => one.status);
    const warnings = told.flatMap((one) => one.warnings);
    if (!session.checkPolicy.required)
      warnings.push("keyservers = none: a revocation reaches this client through the archive's own bundle only");
    const usable = [...trust.trusted].filter(([, { facts }]) => refusePrimary(facts, trust.at) === undefined);
    const ofKeys = usable.flatMap(([key]) => warnOfCheck(key, session));
    for (const warning of [...ofKeys, ...warnOfLastKey(trust)]) warnings.push(warning);
    for (const warning of warnings) context.reporter.warn(warning);
    const feedRows = feeds.map((feed) => {
      return [
        feed.name,
        feed.signedAt ?? "never",
        feed.expiresAt ?? "-",
        String(feed.entries ?? "-"),
        feed.signers.join(", ") || "-",
      ];
    });
    const keys = [...trust.trusted].map(([fingerprint, key]) => keyStatus(fingerprint, key, trust, session));
    const keyRows = [...trust.trusted].map(([fingerprint, key], place) => {
      const { state = "", lastCheckAt = null, expiresAt = null } = keys[place] ?? {};
      const until = outlookOf(key, trust)?.until;
      const end = until === undefined ? expiresAt : timeOrNever(until);
      return [fingerprint, key.role, end ?? "never", lastCheckAt ?? "never", state];
    });
    const text = [
      table(["feed", "signed", "expires", "packages", "signed by"], feedRows),
      "",
      table(["key", "role", "until", "last check", "today"], keyRows),
    ];
    return { text: text.join("\n"), json: { profile: session.profile.name, feeds, keys } };
  });
}
