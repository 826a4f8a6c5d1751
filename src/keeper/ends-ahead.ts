/** Warns keepers before a key, subkey or delegation expires: when they publish or sign, and in `status --config`. */

import { FeedkeyError } from "../error.ts";
import { type EndAhead, endOfRotation, endsOfAll, endsOfSigner, isFollowed, lookAhead } from "../keys/ends-ahead.ts";
import { type KeyRecord, listKeys } from "../keys/key-store/describe-key.ts";
import { ownCertificate } from "../publish/archive.ts";
import type { Reporter } from "../refresh/session.ts";
import type { Own } from "../signing/delegate-check.ts";
import { certificatesWith, type KeyPlace } from "../signing/signer.ts";
import { ownCertificates, resolveKey } from "../signing/signing-key.ts";
import type { KeyStore } from "../store/key-store.ts";
import type { Fingerprint } from "../trust/facts.ts";
import { refusePrimary } from "../trust/key-state.ts";
import type { WarnOptions } from "./keeper-options.ts";
import type { Opened } from "./opened.ts";

/** Returns the fingerprints of the keys whose secret is in the key store. */
async function secretsOf(store: KeyStore): Promise<Set<Fingerprint>> {
  const found = new Set<Fingerprint>();
  for (const name of await store.list()) if (await store.hasPrivate(name)) found.add(name);
  return found;
}

function warn(ends: readonly EndAhead[], reporter: Reporter): void {
  for (const { text } of ends) reporter.warn(text);
}

/**
 * Warns about everything that will soon stop a key from signing, and about a rotation that the keeper should finish.
 * @param own the result of `certificatesWith` for the key. The caller reads it before the work, because gpg could fail afterwards
 * @throws FeedkeyError `not_found`, `bad_config`
 */
export async function warnOfSigner(
  opened: Opened,
  place: KeyPlace,
  own: Own,
  { warnWithin }: WarnOptions,
  reporter: Reporter,
): Promise<void> {
  const { store } = opened;
  const ahead = lookAhead(opened.at, warnWithin);
  const name = place.where === "store" ? await resolveKey(store, place.fingerprint) : place.fingerprint;
  const config = (await opened.found())?.config;
  const rotation =
    config?.key.fingerprint === name ? endOfRotation(own, name, config.userId, await secretsOf(store), ahead) : [];
  warn([...endsOfSigner(own, name, config?.userId, ahead), ...rotation], reporter);
}

/**
 * Lists the keys in the key store, and warns about keys and delegations that end soon. Does not warn about a key that has a
 * successor or whose secret is not in the key store, but still warns about this key's delegations.
 */
export async function listAndWarn(
  { store, at }: Opened,
  { warnWithin }: WarnOptions,
  reporter: Reporter,
): Promise<{ readonly keys: readonly KeyRecord[] }> {
  const own = await ownCertificates(store);
  const keys = await listKeys(store, own, at);
  const watched = keys.filter(({ secret, fingerprint }) => secret && !isFollowed(own, fingerprint, at));
  const names = watched.map(({ fingerprint }) => fingerprint);
  warn(endsOfAll(own, names, undefined, lookAhead(at, warnWithin)), reporter);
  return { keys };
}

/**
 * Warns about everything that will soon stop the archive's key from signing.
 * @throws FeedkeyError `usage`, `not_found`, `bad_config`
 */
export async function warnOfArchive(opened: Opened, options: WarnOptions, reporter: Reporter): Promise<void> {
  const { config, store } = await opened.archive();
  await warnOfSigner(opened, config.key, await certificatesWith(store, config.key), options, reporter);
}

/**
 * Lists the archive's keys, delegations and algorithms that end soon, and warns about each.
 * @throws FeedkeyError `usage`, `not_found`, `bad_config`; `expired`, `revoked`... if clients refuse the key
 */
export async function endsOfArchive(
  opened: Opened,
  { warnWithin }: WarnOptions,
  reporter: Reporter,
): Promise<{ readonly ends: readonly EndAhead[] }> {
  const { config, store, at } = await opened.archive();
  const { userId, key } = config;
  const own = await certificatesWith(store, key);
  const { facts } = own.get(key.fingerprint) ?? (await ownCertificate(store, key.fingerprint));
  const refused = refusePrimary(facts, at);
  if (refused !== undefined) {
    throw new FeedkeyError(refused.code, `clients refuse signatures by ${key.fingerprint}: ${refused.reason}`, {
      details: { fingerprint: key.fingerprint },
      hint:
        refused.code === "expired"
          ? "extend the key with feedkey key extend"
          : "name another key in archive.ini, then publish",
    });
  }
  const terms = lookAhead(at, warnWithin);
  const found = [
    ...endsOfAll(own, [key.fingerprint], userId, terms),
    ...endOfRotation(own, key.fingerprint, userId, await secretsOf(store), terms),
  ];
  const ends = found.sort((a, b) => a.endsAt - b.endsAt);
  warn(ends, reporter);
  return { ends };
}
