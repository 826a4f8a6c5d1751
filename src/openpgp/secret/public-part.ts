/** The certificate inside a transferable secret key. */
import { readPrivateKey } from "openpgp";
import { FeedkeyError } from "../../error.ts";

/**
 * @param armored one transferable secret key (RFC 9580 section 10.2)
 * @returns its certificate, binary
 * @throws FeedkeyError `bad_certificate`
 */
export async function publicPartOf(armored: string): Promise<Uint8Array> {
  try {
    const key = await readPrivateKey({ armoredKey: armored });
    return key.toPublic().write() as Uint8Array;
  } catch (cause) {
    throw new FeedkeyError("bad_certificate", "the secret key can't be read", {
      cause,
      hint: "export it with: gpg --export-secret-keys --armor FINGERPRINT",
    });
  }
}
