/** Finds the parts of a secret key file. Makes copies of the key with another passphrase, or without the primary key's secret. */
import { FeedkeyError } from "../../error.ts";
import type { Fingerprint } from "../../trust/facts.ts";
import { lock } from "./generate.ts";
import type { SecretPacket } from "./make-signature.ts";
import { unlock } from "./secret-key.ts";
import { readSecretKey, uniteSecrets } from "./secret-union.ts";

/** The secrets in a secret key file. */
interface SecretParts {
  /** The fingerprint of the primary key. */
  readonly fingerprint: Fingerprint;
  /** The fingerprints of the primary key and the subkeys whose secrets are present, locked or not. */
  readonly present: ReadonlySet<Fingerprint>;
  readonly isLocked: boolean;
  /** The version of the key. GnuPG can read only version 4. */
  readonly version: number;
}

/**
 * Finds the secrets in a secret key.
 * @param armored a transferable secret key
 * @throws FeedkeyError `bad_certificate` if the secret key is unreadable
 */
export async function secretParts(armored: string): Promise<SecretParts> {
  const key = await readSecretKey(armored);
  const packets = key.getKeys().map(({ keyPacket }) => keyPacket as SecretPacket);
  const secrets = packets.filter((packet) => !packet.isDummy());
  return {
    fingerprint: key.getFingerprint().toUpperCase(),
    present: new Set(secrets.map((packet) => packet.getFingerprint().toUpperCase())),
    isLocked: secrets.some((packet) => packet.isDecrypted() !== true),
    version: key.keyPacket.version,
  };
}

/** Returns the binary certificate of a secret key. @throws FeedkeyError `bad_certificate` if the secret key is unreadable */
export async function publicPartOf(armored: string): Promise<Uint8Array> {
  const key = await readSecretKey(armored, "export it with: gpg --export-secret-keys --armor FINGERPRINT");
  return key.toPublic().write() as Uint8Array;
}

/**
 * Refuses a key with a part that the OpenPGP library can't read. Call this function before writing a key again, because the library
 * would drop the unreadable part.
 * @throws FeedkeyError `bad_certificate` if a secret would be lost
 */
export async function refuseUnreadable(armored: string): Promise<void> {
  if ((await uniteSecrets((await readSecretKey(armored)).armor(), armored)) === undefined) return;
  throw new FeedkeyError(
    "bad_certificate",
    "feedkey can't read one part of the secret key, because its kind is not supported",
    {
      hint: "feedkey would lose that part: use the program that made the key for this change, and import the result",
    },
  );
}

/**
 * Locks a secret key with another passphrase, and returns the result.
 * @param present returns the current passphrase; called only if the key is locked
 * @param next returns the new passphrase, or undefined for no passphrase; called only if the current passphrase is right
 * @throws FeedkeyError `bad_certificate` if a part of the key is unreadable; `bad_config` if the current passphrase is wrong;
 *   `internal` if the new passphrase does not unlock the result, or the result lacks a secret
 */
export async function relock(
  armored: string,
  present: () => Promise<string>,
  next: () => Promise<string | undefined>,
): Promise<string> {
  await refuseUnreadable(armored);
  const open = (await unlock(armored, present)).armor();
  const passphrase = await next();
  const made = passphrase === undefined ? open : await lock(open, passphrase);
  // The caller replaces the only copy of the key with the result. So this function first checks the contents of the result.
  await unlock(made, async () => passphrase ?? "");
  const after = await secretParts(made);
  const isWhole = (await uniteSecrets(made, armored)) === undefined;
  if (isWhole && after.isLocked === (passphrase !== undefined)) return made;
  throw new FeedkeyError("internal", "the key with the new passphrase differs from the original key");
}

/**
 * Returns a secret key without the secret of its primary key. GnuPG calls the rest a "dummy". The subkeys stay locked as before.
 * @throws FeedkeyError `bad_certificate`
 */
export async function withoutPrimary(armored: string): Promise<string> {
  await refuseUnreadable(armored);
  const key = await readSecretKey(armored);
  (key.keyPacket as SecretPacket).makeDummy();
  return key.armor();
}
