/** Use case: describe the keys of the key store. */
import { secretParts } from "../../openpgp/secret/secret-parts.ts";
import type { Own } from "../../signing/delegate-check.ts";
import type { OwnCertificate } from "../../signing/signing-key.ts";
import { readSecret } from "../../signing/stored-secret.ts";
import type { KeyStore, RevocationReason } from "../../store/key-store.ts";
import type { Instant } from "../../time.ts";
import { algorithmUntil } from "../../trust/expiry-forecast.ts";
import type { Fingerprint, SubkeyFacts } from "../../trust/facts.ts";
import { isOwned } from "../../trust/identity.ts";
import { newest, primaryState, refusePrimary, refuseSubkey } from "../../trust/key-state.ts";
import { type DelegationRecord, listDelegations } from "../delegations.ts";
import { algorithmName, byAge } from "../key-names.ts";

/** A key of the store, as a list shows it. */
export interface KeyRecord {
  readonly fingerprint: Fingerprint;
  /** The first user ID; empty if there is none. */
  readonly userId: string;
  /** As in `keygen --algorithm`. */
  readonly algorithm: string;
  readonly createdAt: Instant;
  /** Undefined: never. */
  readonly expiresAt: Instant | undefined;
  /** T14: when clients begin to refuse its algorithm, RFC 3339; null: no date is set. */
  readonly algorithmUntil: string | null;
  /** Whether its secret, or that of a subkey, is in the store. */
  readonly secret: boolean;
  /** Why clients refuse what it signs; undefined if they do not. */
  readonly refused: string | undefined;
}

/** A subkey of a key of the store. */
export interface SubkeyRecord extends Omit<KeyRecord, "userId"> {
  /** Whether it is bound for signing. */
  readonly signs: boolean;
}

/** Everything that the store knows about one key. */
export interface KeyDetails extends KeyRecord {
  /** The user IDs that its owner certified. */
  readonly userIds: readonly string[];
  /** Which secrets are here: `subkeys` if the primary key's secret is kept elsewhere. */
  readonly secrets: "all" | "subkeys" | "none";
  /** Whether a passphrase is needed; undefined if no secret is here. */
  readonly isLocked: boolean | undefined;
  /** Revocation certificates that are in the store. */
  readonly revocations: readonly RevocationReason[];
  readonly subkeys: readonly SubkeyRecord[];
  /** Keys of the store that certified it, and did not withdraw that. */
  readonly certifiedBy: readonly Fingerprint[];
  /** Keys of the store that it certified, and did not withdraw that. */
  readonly certified: readonly Fingerprint[];
  /** Delegations to it and by it. */
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

/** The keys of the store, the newest last. */
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

/** The keys of the store whose certification of a key is neither withdrawn nor expired. */
export function certifiersOf({ raw, facts }: OwnCertificate, at: Instant): Fingerprint[] {
  const found = facts.userIds.flatMap(({ certifications, withdrawals }) => {
    const standing = certifications.filter(({ expiresAt }) => expiresAt === undefined || expiresAt > at);
    return standing
      .map(({ certificate }) => certificate)
      .filter((one) => one !== raw.fingerprint && !withdrawals.some(({ certificate }) => certificate === one));
  });
  return [...new Set(found)];
}

/** Describes a key. @param key one of `own` @throws FeedkeyError `bad_config`, `bad_certificate` if its secret can't be read */
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
