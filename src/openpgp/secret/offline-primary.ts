/**
 * Makes primary keys that only certify: a master key without subkeys, or a primary key to be kept offline, with a signing
 * subkey.
 */
import { enums, readPrivateKey } from "openpgp";
import { FeedkeyError } from "../../error.ts";
import { asNewKey, type KeyOptions, makeLibraryKey, type NewKey } from "./generate.ts";
import type { SecretPacket } from "./make-signature.ts";

interface SplitKey {
  /** The complete key, to be kept offline. */
  readonly whole: NewKey;
  /** The key without its primary secret (GnuPG's "dummy" form), for the machine that publishes. */
  readonly staying: NewKey;
}

/**
 * Makes a key whose primary key only certifies. @throws FeedkeyError `usage` for a user ID without name and address, or
 * for v6 keys
 */
async function generateCertifying(options: KeyOptions, hasSubkey: boolean): Promise<NewKey> {
  if (options.algorithm === "ed25519-v6") {
    throw new FeedkeyError("usage", "feedkey can't make a version 6 key whose primary key only certifies yet", {
      hint: "choose --algorithm ed25519, p256 or rsa3072",
    });
  }
  return await asNewKey(await makeLibraryKey(options, enums.keyFlags.certifyKeys, hasSubkey), options);
}

/**
 * Makes a master key, which certifies, never signs, and has no subkey.
 * @throws FeedkeyError `usage` for a user ID without name and address, or for v6 keys
 */
export async function generateMaster(options: KeyOptions): Promise<NewKey> {
  return await generateCertifying(options, false);
}

/**
 * Makes a key whose primary key only certifies, with a subkey that signs. Both are locked with one passphrase.
 * @throws FeedkeyError `usage` for a user ID without name and address, or for v6 keys
 */
export async function generateSplit(options: KeyOptions): Promise<SplitKey> {
  const whole = await generateCertifying(options, true);
  const staying = await readPrivateKey({ armoredKey: whole.privateKey });
  (staying.keyPacket as SecretPacket).makeDummy();
  return { whole, staying: { ...whole, privateKey: staying.armor() } };
}
