/** Use case: revoke a key in the key store, with or without the configuration of its archive. */
import { type FeedkeyError, onRefusal } from "../error.ts";
import { type Archive, knownCertificates, refreshBundle } from "../publish/archive.ts";
import { nameOf, rootsOf } from "../signing/delegate-check.ts";
import { type OwnCertificate, ownCertificates, type PassphraseSource } from "../signing/signing-key.ts";
import type { KeyStore } from "../store/key-store.ts";
import type { Instant } from "../time.ts";
import type { Fingerprint } from "../trust/facts.ts";
import { applyRevocation, planRevocation, type RevocationPlan, type RevokeReason, refuseOrphans } from "./revoke.ts";
import { readRotation } from "./rotation/rotation-checks.ts";
import { signShared } from "./rotation/shared-feeds.ts";

/**
 * Returns all keys of the archive. Returns undefined if the keys can't be read, for example because gpg fails: in an emergency,
 * the keys in the store must be enough to revoke a key.
 */
async function knownTo(archive: Archive | undefined): Promise<ReadonlyMap<string, OwnCertificate> | undefined> {
  if (archive === undefined) return undefined;
  return await onRefusal(
    async () => (await knownCertificates(archive)).certificates,
    () => undefined,
  );
}

/**
 * Plans a revocation, and finds the clients that would accept no key any more.
 * @param archive the archive to which the key may belong
 * @throws FeedkeyError `not_found`: when the store does not have the key; `bad_certificate`: when the revocation is not valid;
 * `bad_config`: when the passphrase is wrong
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
  // Clients look for the archive's user ID. A delegate does not have this user ID, but the key at the top of its chain has it.
  const [top] = rootsOf(await ownCertificates(store), terms.fingerprint);
  const userId = archive?.config.userId ?? (top === undefined ? "" : nameOf(top));
  return await planRevocation(store, { ...terms, userId, known: await knownTo(archive) });
}

/** Whether feeds may have signatures by this key in addition to signatures by the archive's present key. */
async function signsBeside(archive: Archive, fingerprint: Fingerprint): Promise<boolean> {
  const isBeside = async () => {
    const { predecessor, successor } = await readRotation(archive);
    return [predecessor, successor].some((other) => other?.raw.fingerprint === fingerprint);
  };
  // The revocation may be an emergency, so a missing certificate of the present key must not stop it.
  return await onRefusal(isBeside, () => false);
}

/**
 * Revokes the key and updates the bundle. If the bundle can't be written, the error is returned and not thrown, so that the
 * caller still sends the revocation to the key servers.
 * @returns sentences that describe what was done, and the errors
 * @throws FeedkeyError `usage`: when some clients would accept no key any more, and `force` is not set
 */
export async function carryOutRevocation(
  store: KeyStore,
  archive: Archive | undefined,
  plan: RevocationPlan,
  force: boolean,
): Promise<{ readonly done: readonly string[]; readonly errors: readonly FeedkeyError[] }> {
  refuseOrphans(plan, force);
  const isShared = archive !== undefined && (await signsBeside(archive, plan.fingerprint));
  const done = await applyRevocation(plan, store);
  if (archive === undefined) return { done, errors: [] };
  const distribute = async () => {
    const bundle = await refreshBundle(archive);
    const shared = isShared ? await signShared(archive, []) : { done: [], left: [] };
    return { done: [...done, ...bundle, ...shared.done], errors: shared.left };
  };
  return await onRefusal(distribute, (error) => ({ done, errors: [error] }));
}
