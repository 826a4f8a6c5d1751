/**
 * Replaces the self-signatures of new keys with self-signatures that GnuPG and rpm can read. These programs can't read all
 * self-signatures of the OpenPGP library.
 */
import { enums, type PrivateKey, type Subkey } from "openpgp";
import { FeedkeyError } from "../../error.ts";
import { KeySignaturePacket } from "./key-signature-packet.ts";
import { type SecretPacket, sign } from "./make-signature.ts";

/** The preferred hashes of a new key. The list omits SHA-3, because GnuPG does not support SHA-3 and warns about a key that prefers it. */
const preferredHashes = [enums.hash.sha512, enums.hash.sha256];

/**
 * Replaces the self-signature of a new version 4 key with a self-signature without preferences that GnuPG does not support.
 * @param flags the key flags of the primary key
 */
export async function restateSelf(key: PrivateKey, date: Date, flags: number): Promise<void> {
  const [user] = key.users;
  const old = user?.selfCertifications[0];
  if (user?.userID == null || old === undefined) throw new FeedkeyError("internal", "a new key has no self-signature");
  const made = new KeySignaturePacket();
  made.signatureType = enums.signature.certPositive;
  made.publicKeyAlgorithm = old.publicKeyAlgorithm;
  made.hashAlgorithm = old.hashAlgorithm;
  made.keyFlags = new Uint8Array([flags]);
  made.keyExpirationTime = old.keyExpirationTime;
  made.keyNeverExpires = old.keyNeverExpires;
  made.preferredSymmetricAlgorithms = old.preferredSymmetricAlgorithms;
  made.preferredHashAlgorithms = preferredHashes;
  made.preferredCompressionAlgorithms = old.preferredCompressionAlgorithms;
  made.features = old.features;
  made.isPrimaryUserID = true;
  await sign(made, key.keyPacket as SecretPacket, { userID: user.userID, key: key.keyPacket }, date, false);
  user.selfCertifications = [made];
}

/**
 * Replaces the bindings of new subkeys with bindings that rpm can store.
 * @param key an unlocked key with its primary secret
 */
export async function restateBindings(key: PrivateKey, subkeys: readonly Subkey[], date: Date): Promise<void> {
  for (const subkey of subkeys) {
    const [old] = subkey.bindingSignatures;
    if (old === undefined) throw new FeedkeyError("internal", "a new subkey has no binding");
    const made = new KeySignaturePacket();
    made.signatureType = enums.signature.subkeyBinding;
    made.publicKeyAlgorithm = old.publicKeyAlgorithm;
    made.hashAlgorithm = old.hashAlgorithm;
    made.keyFlags = old.keyFlags;
    made.keyExpirationTime = old.keyExpirationTime;
    made.keyNeverExpires = old.keyNeverExpires;
    made.embeddedSignature = old.embeddedSignature;
    await sign(made, key.keyPacket as SecretPacket, { key: key.keyPacket, bind: subkey.keyPacket }, date, false);
    subkey.bindingSignatures = [made];
  }
}
