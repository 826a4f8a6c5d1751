/** Use case: describe the keys in the key store. */
import { secretParts } from "../../openpgp/secret/secret-parts.ts";
import type { Own } from "../../signing/delegate-check.ts";
import { byAge, type OwnCertificate } from "../../signing/signing-key.ts";
import { readSecret } from "../../signing/stored-secret.ts";
import type { KeyStore, RevocationReason } from "../../store/key-store.ts";
import type { Instant } from "../../time.ts";
import { algorithmUntil } from "../../trust/expiry-forecast.ts";
import type { Fingerprint, SubkeyFacts } from "../../trust/facts.ts";
import { isOwned } from "../../trust/identity.ts";
import { newest, primaryState, refusePrimary, refuseSubkey } from "../../trust/key-state.ts";
import { type DelegationRecord, listDelegations } from "../delegations.ts";
import { algorithmName } from "../key-names.ts";

/** The facts about a key that a list of the key store shows. */
export interface KeyRecord {
  readonly fingerprint: Fingerprint;
  /** The first user ID; empty if the key has no user ID. */
  readonly userId: string;
  /** The name of the algorithm, as in `keygen --algorithm`. */
  readonly algorithm: string;
  readonly createdAt: Instant;
  /** When the key expires; undefined if it never expires. */
  readonly expiresAt: Instant | undefined;
  /** T14: when clients begin to refuse the key's algorithm, in the format of RFC 3339; null if no date is set. */
  readonly algorithmUntil: string | null;
  /** Whether the store has the secret of this key or of one of its subkeys. */
  readonly secret: boolean;
  /** The reason why clients refuse signatures by this key; undefined if clients accept its signatures. */
  readonly refused: string | undefined;
}

/** A subkey of a key in the store. */
export interface SubkeyRecord extends Omit<KeyRecord, "userId"> {
  /** Whether the subkey is bound for signing. */
  readonly signs: boolean;
}

/** All facts about one key that feedkey shows. */
export interface KeyDetails extends KeyRecord {
  /** The user IDs that the key certified itself. */
  readonly userIds: readonly string[];
  /** Which secrets are in the store. `subkeys` means that the primary secret is not in the store. */
  readonly secrets: "all" | "subkeys" | "none";
  /** Whether the secrets need a passphrase; undefined if the store has no secret of this key. */
  readonly isLocked: boolean | undefined;
  /** The reasons of the revocation certificates that the store has for this key. */
  readonly revocations: readonly RevocationReason[];
  readonly subkeys: readonly SubkeyRecord[];
  /** Keys in the store whose certification of this key is neither withdrawn nor expired. */
  readonly certifiedBy: readonly Fingerprint[];
  /** Keys in the store for which this key's certification is neither withdrawn nor expired. */
  readonly certified: readonly Fingerprint[];
  /** Delegations to this key and by this key. */
  readonly delegations: readonly DelegationRecord[];
}

function recordOf({ facts }: OwnCertificate, at: Instant, secret: boolean): KeyRecord {
  const { primary } = facts;
  const state = primaryState(facts, at);
  return {
    fingerprint: primary.fingerprint,
    userId: facts.userIds[0]?.text ?? "",
    algorithm: algorithmName(primary),
    createdAt: primary.createdAt,
    expiresAt: "code" in state ? undefined : state.expiresAt,
    algorithmUntil: algorithmUntil(primary),
    secret,
    refused: refusePrimary(facts, at)?.reason,
  };
}

/** Returns the keys in the store, with the newest key last. */
export async function listKeys(store: KeyStore, own: Own, at: Instant): Promise<KeyRecord[]> {
  const records: KeyRecord[] = [];
  for (const one of [...own.values()].sort(byAge)) {
    records.push(recordOf(one, at, await store.hasPrivate(one.raw.fingerprint)));
  }
  return records;
}

function subkeyOf(subkey: SubkeyFacts, at: Instant, secret: boolean): SubkeyRecord {
  const [binding] = newest(subkey.bindings, subkey, at);
  return {
    fingerprint: subkey.fingerprint,
    algorithm: algorithmName(subkey),
    createdAt: subkey.createdAt,
    expiresAt: binding?.keyExpiresAt,
    algorithmUntil: algorithmUntil(subkey),
    secret,
    signs: subkey.bindings.some(({ flags }) => flags?.sign === true),
    refused: refuseSubkey(subkey, at)?.reason,
  };
}

/** Returns the keys whose certification of this key is neither withdrawn nor expired. */
export function certifiersOf({ raw, facts }: OwnCertificate, at: Instant): Fingerprint[] {
  const found = facts.userIds.flatMap(({ certifications, withdrawals }) => {
    const standing = certifications.filter(({ expiresAt }) => expiresAt === undefined || expiresAt > at);
    return standing
      .map(({ certificate }) => certificate)
      .filter((one) => one !== raw.fingerprint && !withdrawals.some(({ certificate }) => certificate === one));
  });
  return [...new Set(found)];
}

/**
 * Returns the facts about a key.
 * @param key a key in `own`
 * @throws FeedkeyError `bad_config` or `bad_certificate`: when the key's secret can't be read
 */
export async function describeKey(store: KeyStore, own: Own, key: OwnCertificate, at: Instant): Promise<KeyDetails> {
  const { fingerprint } = key.raw;
  const secret = await store.hasPrivate(fingerprint);
  const parts = secret ? await secretParts(await readSecret(store, fingerprint)) : undefined;
  const certified = [...own.values()].filter((one) => certifiersOf(one, at).includes(fingerprint));
  return {
    ...recordOf(key, at, secret),
    userIds: key.facts.userIds.filter((userId) => isOwned(userId, key.facts, at)).map(({ text }) => text),
    secrets: parts === undefined ? "none" : parts.present.has(fingerprint) ? "all" : "subkeys",
    isLocked: parts?.isLocked,
    revocations: await store.revocationsOf(fingerprint),
    subkeys: key.facts.subkeys.map((one) => subkeyOf(one, at, parts?.present.has(one.fingerprint) === true)),
    certifiedBy: certifiersOf(key, at).filter((one) => own.has(one)),
    certified: certified.map(({ raw }) => raw.fingerprint),
    delegations: listDelegations(own, undefined, at).filter(({ delegate, issuer }) => {
      return delegate === fingerprint || issuer === fingerprint;
    }),
  };
}
