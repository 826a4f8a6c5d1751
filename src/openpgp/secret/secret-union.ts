/** Two copies of one secret key: the whole, a copy without its primary's secret, one with a newer subkey. */
import { type PrivateKey, readPrivateKey, type Subkey } from "openpgp";
import { FeedkeyError } from "../../error.ts";
import type { SecretPacket } from "./make-signature.ts";

async function read(armored: string): Promise<PrivateKey> {
  try {
    return await readPrivateKey({ armoredKey: armored });
  } catch (cause) {
    throw new FeedkeyError("bad_certificate", "the secret key can't be read", { cause });
  }
}

const hasSecret = ({ keyPacket }: { keyPacket: object }) => !(keyPacket as SecretPacket).isDummy();

/** Takes over what the other copy knows of one component. @returns whether that was anything */
function complete(one: { keyPacket: object }, other: { keyPacket: object }): boolean {
  if (hasSecret(one) || !hasSecret(other)) return false;
  one.keyPacket = other.keyPacket;
  return true;
}

/** Whether the primary key's secret is in a transferable secret key, locked or not. @throws FeedkeyError `bad_certificate` */
export async function hasPrimarySecret(armored: string): Promise<boolean> {
  return hasSecret(await read(armored));
}

/**
 * The present copy, with every secret that only the other one has. What the present one has stays as it is.
 * @param present a transferable secret key, armored
 * @param other another copy of the same key
 * @returns undefined if there is nothing to add
 * @throws FeedkeyError `bad_certificate`
 */
export async function uniteSecrets(present: string, other: string): Promise<string | undefined> {
  const [key, more] = [await read(present), await read(other)];
  if (key.getFingerprint() !== more.getFingerprint()) {
    throw new FeedkeyError("internal", "copies of two different keys can't be united");
  }
  let added = complete(key, more);
  const subkeys = key.subkeys as Subkey[];
  for (const subkey of more.subkeys) {
    const known = subkeys.find((one) => one.getFingerprint() === subkey.getFingerprint());
    if (known !== undefined) added = complete(known, subkey) || added;
    else if (hasSecret(subkey)) added = subkeys.push(subkey) > 0;
  }
  return added ? key.armor() : undefined;
}
