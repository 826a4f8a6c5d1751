/**
 * Generates keys whose primary key only certifies: a master key without subkeys, or a key with a signing subkey. The secret of
 * the primary key is kept offline.
 */
import { enums, readPrivateKey } from "openpgp";
import { FeedkeyError } from "../../error.ts";
import { asNewKey, type KeyOptions, makeLibraryKey, type NewKey } from "./generate.ts";
import type { SecretPacket } from "./make-signature.ts";

interface SplitKey {
  /** The complete key, which is kept offline. */
  readonly whole: NewKey;
  /** The key without its primary secret (GnuPG calls the rest a "dummy"), for the machine that publishes. */
  readonly staying: NewKey;
}

/**
 * Generates a key whose primary key only certifies.
 * @throws FeedkeyError `usage` for an invalid form of user ID, or for a version 6 key
 */
async function generateCertifying(options: KeyOptions, hasSubkey: boolean): Promise<NewKey> {
  if (options.algorithm === "ed25519-v6") {
    throw new FeedkeyError("usage", "feedkey can't yet make a version 6 key whose primary key only certifies", {
      hint: "choose --algorithm ed25519, p256 or rsa3072",
    });
  }
  return await asNewKey(await makeLibraryKey(options, enums.keyFlags.certifyKeys, hasSubkey), options);
}

/**
 * Generates a master key: a key without subkeys that certifies but never signs.
 * @throws FeedkeyError `usage` for an invalid form of user ID, or for a version 6 key
 */
export async function generateMaster(options: KeyOptions): Promise<NewKey> {
  return await generateCertifying(options, false);
}

/**
 * Generates a key whose primary key only certifies, with a subkey that signs. One passphrase locks both keys.
 * @throws FeedkeyError `usage` for an invalid form of user ID, or for a version 6 key
 */
export async function generateSplit(options: KeyOptions): Promise<SplitKey> {
  const whole = await generateCertifying(options, true);
  const staying = await readPrivateKey({ armoredKey: whole.privateKey });
  (staying.keyPacket as SecretPacket).makeDummy();
  return { whole, staying: { ...whole, privateKey: staying.armor() } };
}
