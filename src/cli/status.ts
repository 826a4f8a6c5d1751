/** `feedkey status`: what this client has, how old it is, and what will break when. Asks nobody. */

import { readFile } from "node:fs/promises";
import type { Session } from "../client/session.ts";
import { readSignatureFile } from "../openpgp/detached.ts";
import { type Instant, iso, roughly } from "../time.ts";
import type { Fingerprint } from "../trust/facts.ts";
import { primaryState, refusePrimary } from "../trust/key-state.ts";
import type { Context } from "./context.ts";
import type { Outcome } from "./run.ts";
import { table } from "./show.ts";

/** Warned of this long before. */
const soon = 14 * 86_400_000;

interface FeedStatus {
  readonly name: string;
  readonly signedAt: string | null;
  readonly expiresAt: string | null;
  readonly entries: number | null;
  readonly signers: readonly string[];
}

/** The last end of the signatures of a stored index; null if one of them has none. */
async function signatureEnd(path: string): Promise<Instant | null> {
  const ends = readSignatureFile(await readFile(path), "signature").map((one) => {
    if (!("raw" in one)) return 0;
    const { createdAt, signatureLifetime } = one.raw.hashed;
    return createdAt === undefined || signatureLifetime === undefined ? null : createdAt + signatureLifetime * 1000;
  });
  return ends.includes(null) ? null : Math.max(...ends.map((end) => end ?? 0));
}

async function feedStatus(session: Session, name: string): Promise<FeedStatus> {
  const last = await session.state.lastAccepted(name);
  if (last === undefined) return { name, signedAt: null, expiresAt: null, entries: null, signers: [] };
  const end = await signatureEnd(last.signaturePath);
  return {
    name,
    signedAt: iso(last.meta.createdAt),
    expiresAt: end === null ? null : iso(end),
    entries: last.meta.entries,
    signers: [...new Set(last.meta.signers.map(({ certificate }) => certificate))],
  };
}

function warnOfFeed({ name, signedAt, expiresAt }: FeedStatus, at: Instant): string[] {
  if (signedAt === null) return [`feed "${name}" was never updated`];
  if (expiresAt === null)
    return [`feed "${name}": its signature never expires; an old index could be replayed to new clients`];
  const left = Date.parse(expiresAt) - at;
  if (left <= 0) return [`feed "${name}": its signature expired on ${expiresAt}; run feedkey update`];
  return [];
}

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

/** Shows the state and warns of what will break. @throws FeedkeyError `no_seed`, `bad_profile`, `bad_state` */
export async function status(context: Context): Promise<Outcome> {
  return await context.withSession({ readOnly: true }, async (session) => {
    const { at } = context;
    const { trust } = await session.judgeUnchecked();
    const feeds = [];
    for (const feed of session.profile.feeds) feeds.push(await feedStatus(session, feed.name));
    const keys = [...trust.trusted].map(([fingerprint, { facts, role, userId }]) => {
      const state = primaryState(facts, at);
      const expiresAt = "code" in state || state.expiresAt === undefined ? null : iso(state.expiresAt);
      const check = session.state.ledger.checks.get(fingerprint);
      const refused = refusePrimary(facts, at);
      return {
        ...{ fingerprint, userId, role, expiresAt, state: refused?.reason ?? "may sign" },
        lastCheckAt: check === undefined ? null : iso(check.lastGoodAt),
        accepted: session.state.ledger.keys.has(fingerprint),
      };
    });
    const warnings = feeds.flatMap((feed) => warnOfFeed(feed, at));
    if (!session.checkPolicy.required)
      warnings.push("keyservers = none: a revocation reaches this client through the archive's own bundle only");
    const signing = keys.filter((key) => key.state === "may sign");
    warnings.push(...signing.flatMap(({ fingerprint }) => warnOfCheck(fingerprint, session)));
    const ends = signing.map((key) => (key.expiresAt === null ? Number.POSITIVE_INFINITY : Date.parse(key.expiresAt)));
    const last = Math.max(...ends, Number.NEGATIVE_INFINITY);
    if (last === Number.NEGATIVE_INFINITY)
      warnings.push("no known key may sign now: run feedkey refresh, or get a new profile");
    else if (last - at < soon) warnings.push(`in ${roughly(last - at)} the last known key that may sign expires`);
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
    const keyRows = keys.map((key) => [
      key.fingerprint,
      key.role,
      key.expiresAt ?? "never",
      key.lastCheckAt ?? "never",
      key.state,
    ]);
    const text = [
      table(["feed", "signed", "expires", "packages", "signed by"], feedRows),
      "",
      table(["key", "role", "expires", "last check", "today"], keyRows),
    ];
    return { text: text.join("\n"), json: { profile: session.profile.name, feeds, keys } };
  });
}
