/** Files and answers with certificates, armored or binary, in any number of blocks. */
import { dearmor, looksArmored } from "../packet/armor.ts";
import { type Keyring, readKeyring } from "./certificate.ts";
import { collect } from "./merge.ts";

/** Reads every certificate of a file. Bad ones are passed over and named in `problems`. */
export function readKeys(bytes: Uint8Array): Keyring {
  if (!looksArmored(bytes)) return readKeyring(bytes);
  const blocks = dearmor(bytes, "PUBLIC KEY BLOCK").map(readKeyring);
  // Only their presence matters: secret keys have no place among certificates.
  const secret = dearmor(bytes, "PRIVATE KEY BLOCK").length;
  return {
    // One block may hold the revocation of a key that stands in another.
    certificates: [...collect(blocks.flatMap(({ certificates }) => certificates)).values()],
    loose: blocks.flatMap(({ loose }) => loose),
    secretKeys: secret + blocks.reduce((sum, { secretKeys }) => sum + secretKeys, 0),
    isWhole: blocks.every(({ isWhole }) => isWhole),
    problems: [
      ...blocks.flatMap(({ problems }) => problems),
      ...(blocks.length + secret === 0 ? ["there is no armored certificate in it"] : []),
    ],
  };
}
