/** Generates new keys and their revocation certificates. */
import { config, encryptKey, enums, generateKey, type PrivateKey, readPrivateKey } from "openpgp";
import { FeedkeyError } from "../../error.ts";
import type { Duration, Instant } from "../../time.ts";
import type { Fingerprint } from "../../trust/facts.ts";
import { addressOf } from "../../trust/identity.ts";
import { armor } from "../packet/armor.ts";
import { writePackets } from "../packet/packets.ts";
import { lifetimeSeconds } from "./make-signature.ts";
import { SecretKey } from "./secret-key.ts";
import { restateBindings, restateSelf } from "./self-statement.ts";

/** The algorithms for new keys. The default is legacy Ed25519, because GnuPG 2.2 and every stock client can read it. */
export const algorithms = ["ed25519", "rsa3072", "rsa4096", "p256", "ed25519-v6"] as const;
export type Algorithm = (typeof algorithms)[number];

/** The octets for reasons of a revocation (RFC 9580 section 5.2.3.31). */
export const revocationReasons = { superseded: 1, compromised: 2, retired: 3 } as const;
export type RevocationReason = keyof typeof revocationReasons;

export interface NewKey {
  readonly fingerprint: Fingerprint;
  readonly privateKey: string;
  readonly certificate: string;
  /** Armored revocation certificates. To revoke the key, feedkey merges one of them into the key's certificate. */
  readonly revocations: Readonly<Record<RevocationReason, string>>;
}

type LibraryKind = Pick<Parameters<typeof generateKey>[0], "type" | "curve" | "rsaBits">;

export const kinds: Readonly<Record<Algorithm, LibraryKind>> = {
  ed25519: { type: "ecc", curve: "ed25519Legacy" },
  rsa3072: { type: "rsa", rsaBits: 3072 },
  rsa4096: { type: "rsa", rsaBits: 4096 },
  p256: { type: "ecc", curve: "nistP256" },
  "ed25519-v6": { type: "curve25519" },
};

/**
 * Splits a user ID of the form `Name <address>`.
 * @param form `any` if keys of the archive already have this user ID; a name without an address is then valid too
 * @throws FeedkeyError `usage` if the user ID does not have a valid form
 */
export function splitUserId(userId: string, form?: "any"): { name: string; email?: string } {
  if (form === "any" && userId !== "" && !/[<>@()]/.test(userId)) return { name: userId };
  const email = addressOf(userId);
  const name = userId.slice(0, userId.indexOf("<")).trimEnd();
  if (email === undefined || name === "" || `${name} <${email}>` !== userId || !/^[^\s@]+@[^\s@]+$/.test(email)) {
    throw new FeedkeyError("usage", `"${userId}" can't be the user ID of an archive key`, {
      hint: 'write it as "Example Archive Signing Key <archive@example.org>"',
    });
  }
  return { name, email };
}

/** Creates the three revocation certificates of an unlocked key, one for each reason. */
export async function revocationsOf(secret: SecretKey, at: Instant): Promise<NewKey["revocations"]> {
  const revocation = async (reason: RevocationReason): Promise<string> => {
    const packet = await secret.revokeSelf({ at, reason: { code: revocationReasons[reason], text: "" } });
    return armor(writePackets([packet]), "PUBLIC KEY BLOCK");
  };
  return {
    compromised: await revocation("compromised"),
    superseded: await revocation("superseded"),
    retired: await revocation("retired"),
  };
}

export interface KeyOptions {
  readonly userId: string;
  /** `any` if keys of the archive already have this user ID, with or without an address. */
  readonly userIdForm?: "any";
  readonly algorithm: Algorithm;
  readonly at: Instant;
  readonly lifetime?: Duration | undefined;
  /** The passphrase that locks the secret key; undefined for a key without a passphrase. */
  readonly passphrase?: string | undefined;
}

/** Generates an unlocked key with the OpenPGP library. @param flags the key flags of the primary key */
export async function makeLibraryKey(options: KeyOptions, flags: number, hasSubkey: boolean): Promise<PrivateKey> {
  const { userId, userIdForm, algorithm, at, lifetime } = options;
  const date = new Date(at);
  const v6Keys = algorithm === "ed25519-v6";
  const end = lifetime === undefined ? {} : { keyExpirationTime: lifetimeSeconds(at + lifetime, at) };
  const kind = { ...kinds[algorithm], ...end };
  const subkeys = hasSubkey ? [{ ...kind, sign: true }] : [];
  const userIDs = [splitUserId(userId, userIdForm)];
  const whole = { ...kind, userIDs, subkeys, date, format: "object", config: { ...config, v6Keys } } as const;
  const { privateKey: key } = await generateKey(whole);
  if (v6Keys) return key;
  await restateSelf(key, date, flags);
  await restateBindings(key, key.subkeys, date);
  return key;
}

/** Creates the revocation certificates of a key. Then locks the key if there is a passphrase. */
export async function asNewKey(key: PrivateKey, { at, passphrase }: KeyOptions): Promise<NewKey> {
  return {
    fingerprint: key.getFingerprint().toUpperCase(),
    privateKey: passphrase === undefined ? key.armor() : await lock(key.armor(), passphrase),
    certificate: key.toPublic().armor(),
    revocations: await revocationsOf(await SecretKey.open(key.armor(), async () => ""), at),
  };
}

/**
 * Generates a key without subkeys, and its three revocation certificates. The primary key certifies and signs.
 * @throws FeedkeyError `usage` if the user ID does not have the form that `splitUserId` requires
 */
export async function generate(options: KeyOptions): Promise<NewKey> {
  const key = await makeLibraryKey(options, enums.keyFlags.certifyKeys | enums.keyFlags.signData, false);
  // pkg_add never finds a key whose key ID begins with 00, so feedkey then generates another key. One key ID in 256 begins with 00.
  const isUnfound = options.algorithm.startsWith("rsa") && key.getFingerprint().slice(-16).startsWith("00");
  return isUnfound ? await generate(options) : await asNewKey(key, options);
}

/** Locks all secret parts of a secret key with a passphrase. */
export async function lock(armored: string, passphrase: string): Promise<string> {
  const privateKey = await readPrivateKey({ armoredKey: armored });
  return (await encryptKey({ privateKey, passphrase })).armor();
}
