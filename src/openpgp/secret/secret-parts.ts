/** The parts of a transferable secret key, and copies of it with another passphrase or without its primary's secret. */
import { FeedkeyError } from "../../error.ts";
import type { Fingerprint } from "../../trust/facts.ts";
import { lock } from "./generate.ts";
import type { SecretPacket } from "./make-signature.ts";
import { unlock } from "./secret-key.ts";
import { readSecretKey, uniteSecrets } from "./secret-union.ts";

/** The secrets in a file. */
export interface SecretParts {
  /** The primary key's. */
  readonly fingerprint: Fingerprint;
  /** Component keys whose secret is there, locked or not. */
  readonly present: ReadonlySet<Fingerprint>;
  readonly isLocked: boolean;
  /** RFC 9580's key version; GnuPG can read only 4. */
  readonly version: number;
}

/** Finds out which secrets are present. @param armored a transferable secret key @throws FeedkeyError `bad_certificate` */
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

/** Its certificate, binary. @throws FeedkeyError `bad_certificate` */
export async function publicPartOf(armored: string): Promise<Uint8Array> {
  const key = await readSecretKey(armored, "export it with: gpg --export-secret-keys --armor FINGERPRINT");
  return key.toPublic().write() as Uint8Array;
}

/**
 * Call this before a key is written again, because the library drops what it can't read.
 * @throws FeedkeyError `bad_certificate` if a secret would be lost
 */
export async function refuseUnreadable(armored: string): Promise<void> {
  if ((await uniteSecrets((await readSecretKey(armored)).armor(), armored)) === undefined) return;
  throw new FeedkeyError("bad_certificate", "a part of the secret key is of a kind that can't be read here", {
    hint: "it would be lost: make this change with the program that made the key, and import the result",
  });
}

/**
 * The same key, locked with another passphrase.
 * @param present returns the present passphrase; called only if the key is locked
 * @param next returns the new one, called only if the present one was right; undefined: no passphrase
 * @throws FeedkeyError `bad_certificate`, also if a part can't be read; `bad_config` if the present passphrase is wrong;
 * `internal` if the result can't be unlocked
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
  // It replaces the only copy, so its contents are checked first.
  await unlock(made, async () => passphrase ?? "");
  const after = await secretParts(made);
  const isWhole = (await uniteSecrets(made, armored)) === undefined;
  if (isWhole && after.isLocked === (passphrase !== undefined)) return made;
  throw new FeedkeyError("internal", "the key with its new passphrase is not the key that it was");
}

/** The same key without its primary's secret, locked as it is (GnuPG's "dummy" form). @throws FeedkeyError `bad_certificate` */
export async function withoutPrimary(armored: string): Promise<string> {
  await refuseUnreadable(armored);
  const key = await readSecretKey(armored);
  (key.keyPacket as SecretPacket).makeDummy();
  return key.armor();
}
