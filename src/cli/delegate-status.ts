/** `feedkey delegate --status`: who may sign what, by whose leave, until when. Reads the key store alone. */
import { type DelegationRecord, listDelegations, soonToEnd } from "../archive/delegations.ts";
import { ownCertificates } from "../archive/signing-key.ts";
import { escapeText } from "../escape.ts";
import { KeyStore } from "../store/key-store.ts";
import { iso } from "../time.ts";
import { readConfig, type ServerOptions } from "./archive-terms.ts";
import type { Context } from "./context.ts";
import type { Outcome } from "./run.ts";
import { table } from "./table.ts";

function row({ delegate, userId, issuer, feeds, depth, expiresAt, refused }: DelegationRecord): string[] {
  const scope = feeds.map((globs) => globs.join(",")).join(" and ");
  return [
    delegate,
    escapeText(userId),
    issuer,
    scope,
    String(depth),
    iso(expiresAt),
    escapeText(refused ?? "in force"),
  ];
}

function json({ madeAt, expiresAt, refused, ...rest }: DelegationRecord) {
  return { ...rest, madeAt: iso(madeAt), expiresAt: iso(expiresAt), state: refused ?? "in force" };
}

/**
 * Lists what has been delegated, and warns of what ends soon.
 * @param subject fingerprint of one delegate; undefined: all of them
 * @throws FeedkeyError `not_found`, `usage`
 */
export async function delegateStatus(
  context: Context,
  subject: string | undefined,
  { config }: Pick<ServerOptions, "config">,
): Promise<Outcome> {
  const store = await KeyStore.open(context.home);
  const one = subject === undefined ? undefined : await store.resolve(subject);
  const userId = config === undefined ? undefined : (await readConfig(config)).userId;
  const own = await ownCertificates(store);
  const all = listDelegations(own, userId, context.at);
  for (const warning of soonToEnd(all, own, context.at)) context.reporter.warn(warning);
  const shown = all.filter(({ delegate }) => one === undefined || delegate === one);
  const head = ["delegate", "user ID", "by", "feeds", "depth", "until", "state"];
  const none = `nothing has been delegated by the keys in ${escapeText(store.folder)}`;
  return {
    text: shown.length === 0 ? none : table(head, shown.map(row)),
    json: { home: store.folder, delegations: shown.map(json) },
  };
}
