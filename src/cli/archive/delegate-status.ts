/**
 * Runs `feedkey delegate --status`: shows which delegates may sign which feeds, who delegated to them, and until when. Reads
 * only the key store.
 */

import { escapeText } from "../../escape.ts";
import type { DelegationRecord } from "../../index.ts";
import { scopeText } from "../../keeper/words.ts";
import { iso } from "../../time.ts";
import type { PassphraseOptions } from "../asking/passphrase.ts";
import type { Context } from "../context.ts";
import type { Outcome } from "../run.ts";
import { table } from "../table.ts";
import { keeperOf, type ServerOptions } from "./archive-terms.ts";

function row({ delegate, userId, issuer, feeds, depth, expiresAt, refused }: DelegationRecord): string[] {
  return [
    delegate,
    escapeText(userId),
    issuer,
    scopeText(feeds),
    String(depth),
    iso(expiresAt),
    escapeText(refused ?? "in force"),
  ];
}

/** Returns the fields of a delegation for `--json`. */
export function delegationJson({ madeAt, expiresAt, refused, ...rest }: DelegationRecord) {
  return { ...rest, madeAt: iso(madeAt), expiresAt: iso(expiresAt), state: refused ?? "in force" };
}

/**
 * Lists the delegations, and warns about each delegation that ends soon.
 * @param subject fingerprint of one delegate; undefined for all delegates
 * @throws FeedkeyError `not_found`, `usage`
 */
export async function delegateStatus(
  context: Context,
  subject: string | undefined,
  options: ServerOptions & PassphraseOptions,
): Promise<Outcome> {
  const keeper = await keeperOf(context, options);
  const one = subject === undefined ? undefined : await keeper.store.resolve(subject);
  const { delegations: all } = await keeper.delegations();
  const shown = all.filter(({ delegate }) => one === undefined || delegate === one);
  const head = ["delegate", "user ID", "by", "feeds", "depth", "until", "state"];
  const none = `nothing has been delegated by the keys in ${escapeText(keeper.store.folder)}`;
  return {
    text: shown.length === 0 ? none : table(head, shown.map(row)),
    json: { home: keeper.store.folder, delegations: shown.map(delegationJson) },
  };
}
