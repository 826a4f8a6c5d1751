/** Finds the parts of a transferable secret key, and makes copies with another passphrase or without the primary secret. */
import { FeedkeyError } from "../../error.ts";
import type { Fingerprint } from "../../trust/facts.ts";
import { lock } from "./generate.ts";
import type { SecretPacket } from "./make-signature.ts";
import { unlock } from "./secret-key.ts";
import { readSecretKey, uniteSecrets } from "./secret-union.ts";

/** The secrets in a file. */
interface SecretParts {
  /** The fingerprint of the primary key. */
  readonly fingerprint: Fingerprint;
  /** The component keys whose secrets are present, locked or not. */
  readonly present: ReadonlySet<Fingerprint>;
  readonly isLocked: boolean;
  /** The key version of RFC 9580; GnuPG can read only version 4. */
  readonly version: number;
}

/**
 * Finds which secrets are present. @param armored a transferable secret key. @throws FeedkeyError `bad_certificate` if it
 * can't be read
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

/** Returns the binary certificate of a secret key. @throws FeedkeyError `bad_certificate` if the secret key can't be read */
export async function publicPartOf(armored: string): Promise<Uint8Array> {
  const key = await readSecretKey(armored, "export it with: gpg --export-secret-keys --armor FINGERPRINT");
  return key.toPublic().write() as Uint8Array;
}

/**
 * Refuses a key with a part that the library can't read. Call this before a key is written again, because the library
 * drops such parts.
 * @throws FeedkeyError `bad_certificate` if a secret would be lost
 */
export async function refuseUnreadable(armored: string): Promise<void> {
  if ((await uniteSecrets((await readSecretKey(armored)).armor(), armored)) === undefined) return;
  throw new FeedkeyError(
    "bad_certificate",
    "feedkey can't read one part of the secret key, because its kind is not supported",
    {
      hint: "feedkey would lose that part: make this change with the program that made the key, and import the result",
    },
  );
}

/**
 * Returns a secret key locked with another passphrase.
 * @param present returns the present passphrase; called only if the key is locked
 * @param next returns the new passphrase, or undefined for no passphrase; called only if the present passphrase was
 * right
 * @throws FeedkeyError `bad_certificate` if a part can't be read; `bad_config` if the present passphrase is wrong;
 * `internal` if the result can't be unlocked or is not complete
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
  // The result replaces the only copy of the key, so its contents are checked first.
  await unlock(made, async () => passphrase ?? "");
  const after = await secretParts(made);
  const isWhole = (await uniteSecrets(made, armored)) === undefined;
  if (isWhole && after.isLocked === (passphrase !== undefined)) return made;
  throw new FeedkeyError("internal", "the key with its new passphrase is not the key that it was");
}

/**
 * Returns a secret key without its primary secret (GnuPG's "dummy" form), otherwise as locked as before. @throws FeedkeyError
 * `bad_certificate`
 */
export async function withoutPrimary(armored: string): Promise<string> {
  await refuseUnreadable(armored);
  const key = await readSecretKey(armored);
  (key.keyPacket as SecretPacket).makeDummy();
  return key.armor();
}
