/** Makes a signature file with both the published and the new signature, which matches the old and the new index. */
import { isOpenPgpFile } from "../../openpgp/check/foreign-file.ts";
import { armor, dearmor, looksArmored } from "../../openpgp/packet/armor.ts";

/** Longer ones are not kept: somebody else may have written them. */
export const maxOldSignature = 16 * 1024;

function packetsOf(file: Uint8Array): Uint8Array | undefined {
  if (file.length > maxOldSignature || !isOpenPgpFile(file)) return undefined;
  if (!looksArmored(file)) return file;
  return Buffer.from(file.subarray(0, 40)).includes("SIGNATURE")
    ? Buffer.concat(dearmor(file, "SIGNATURE"))
    : undefined;
}

/** The old one first, since stock clients stop at the first that they can check; undefined if they can't be put together. */
export function bothSignatures(old: Uint8Array, fresh: Uint8Array): Uint8Array | undefined {
  const [before, after] = [packetsOf(old), packetsOf(fresh)];
  if (before === undefined || after === undefined || before.length === 0) return undefined;
  const packets = Buffer.concat([before, after]);
  return looksArmored(fresh) ? Buffer.from(armor(packets, "SIGNATURE")) : packets;
}
