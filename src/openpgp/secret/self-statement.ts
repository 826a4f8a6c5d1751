/** The self-signature of a new key: the library lists preferences that GnuPG does not know. */
import { enums, type PrivateKey } from "openpgp";
import { FeedkeyError } from "../../error.ts";
import { type SecretPacket, sign } from "./make-signature.ts";
import { SelfSignaturePacket } from "./self-signature-packet.ts";

/** GnuPG warns of a key that prefers SHA-3, which it does not know. */
const preferredHashes = [enums.hash.sha512, enums.hash.sha256];

/**
 * Makes the self-signature of a new version 4 key again: without preferences that GnuPG does not know.
 * @param flags what the primary key is for
 */
export async function restateSelf(key: PrivateKey, date: Date, flags: number): Promise<void> {
  const [user] = key.users;
  const old = user?.selfCertifications[0];
  if (user?.userID == null || old === undefined) throw new FeedkeyError("internal", "a new key has no self-signature");
  const made = new SelfSignaturePacket();
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
