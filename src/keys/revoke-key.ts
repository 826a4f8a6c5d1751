/** Use case: revoke a key of the key store, with or without its archive's configuration. */
import { FeedkeyError } from "../error.ts";
import { type Archive, knownCertificates, refreshBundle } from "../publish/archive.ts";
import { nameOf, rootsOf } from "../signing/delegate-check.ts";
import { type OwnCertificate, ownCertificates, type PassphraseSource } from "../signing/signing-key.ts";
import type { KeyStore } from "../store/key-store.ts";
import type { Instant } from "../time.ts";
import type { Fingerprint } from "../trust/facts.ts";
import { applyRevocation, planRevocation, type RevocationPlan, type RevokeReason, refuseOrphans } from "./revoke.ts";
import { readRotation } from "./rotation/rotation-checks.ts";
import { signShared } from "./rotation/shared-feeds.ts";

/** All keys of the archive; undefined if gpg fails: in an emergency the store's must be enough. */
async function knownTo(archive: Archive | undefined): Promise<ReadonlyMap<string, OwnCertificate> | undefined> {
  try {
    return archive === undefined ? undefined : (await knownCertificates(archive)).certificates;
  } catch (error) {
    if (error instanceof FeedkeyError) return undefined;
    throw error;
  }
}

/**
 * Plans a revocation, and shows which clients lose their chain.
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

/** Whether feeds may have a signature by this key beside that of the archive's present one. */
async function signsBeside(archive: Archive, fingerprint: Fingerprint): Promise<boolean> {
  try {
    const { predecessor, successor } = await readRotation(archive);
    return [predecessor, successor].some((other) => other?.raw.fingerprint === fingerprint);
  } catch (error) {
    // In an emergency the present key's certificate is not worth a refusal.
    if (error instanceof FeedkeyError) return false;
    throw error;
  }
}

/**
 * Carries it out. The revocation is sent to the key servers even if the bundle fails, which is returned as an error.
 * @returns what was done, in words
 * @throws FeedkeyError `usage` if clients lose their chain and that was not allowed
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
  try {
    const bundle = await refreshBundle(archive);
    const shared = isShared ? await signShared(archive, []) : { done: [], left: [] };
    return { done: [...done, ...bundle, ...shared.done], errors: shared.left };
  } catch (error) {
    if (error instanceof FeedkeyError) return { done, errors: [error] };
    throw error;
  }
}
