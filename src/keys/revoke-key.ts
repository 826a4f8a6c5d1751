/** Use case: revoke a key of the key store, of an archive that may be at hand or not. */
import { FeedkeyError } from "../error.ts";
import { type Archive, knownCertificates, refreshBundle } from "../publish/archive.ts";
import { nameOf, rootsOf } from "../signing/delegate-check.ts";
import { type OwnCertificate, ownCertificates, type PassphraseSource } from "../signing/signing-key.ts";
import type { KeyStore } from "../store/key-store.ts";
import type { Instant } from "../time.ts";
import type { Fingerprint } from "../trust/facts.ts";
import { applyRevocation, planRevocation, type RevocationPlan, type RevokeReason, refuseOrphans } from "./revoke.ts";

/** All keys of the archive; undefined, and the store's must do, where they can't be told: an emergency does not wait for gpg. */
async function knownTo(archive: Archive | undefined): Promise<ReadonlyMap<string, OwnCertificate> | undefined> {
  try {
    return archive === undefined ? undefined : (await knownCertificates(archive)).certificates;
  } catch (error) {
    if (error instanceof FeedkeyError) return undefined;
    throw error;
  }
}

/**
 * Works out a revocation, and who loses their chain by it.
 * @param archive whose key it may be
 * @throws FeedkeyError `not_found`, `bad_certificate`, `bad_config` (passphrase)
 */
export async function planKeyRevocation(
  store: KeyStore,
  archive: Archive | undefined,
  terms: {
    readonly fingerprint: Fingerprint;
    readonly reason: RevokeReason;
    readonly at: Instant;
    readonly passphrase: PassphraseSource;
  },
): Promise<RevocationPlan> {
  // A delegate's clients look for the archive's name, which the keys above it carry.
  const [top] = rootsOf(await ownCertificates(store), terms.fingerprint);
  const userId = archive?.config.userId ?? (top === undefined ? "" : nameOf(top));
  return await planRevocation(store, { ...terms, userId, known: await knownTo(archive) });
}

/**
 * Carries it out. The key servers must hear of a revocation, whatever is wrong with the bundle: that comes back as an error.
 * @returns what was done, in words
 * @throws FeedkeyError `usage` if somebody loses their chain and that was not allowed
 */
export async function carryOutRevocation(
  store: KeyStore,
  archive: Archive | undefined,
  plan: RevocationPlan,
  force: boolean,
): Promise<{ readonly done: readonly string[]; readonly errors: readonly FeedkeyError[] }> {
  refuseOrphans(plan, force);
  const done = await applyRevocation(plan, store);
  try {
    return { done: archive === undefined ? done : [...done, ...(await refreshBundle(archive))], errors: [] };
  } catch (error) {
    if (error instanceof FeedkeyError) return { done, errors: [error] };
    throw error;
  }
}
