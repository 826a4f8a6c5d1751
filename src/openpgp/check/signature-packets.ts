/** Reads and joins signature files. An old signature stays together with the new signature until the new index is in place. */
import { armor, dearmor, looksArmored } from "../packet/armor.ts";
import { isOpenPgpFile } from "./foreign-file.ts";

/** The size limit in bytes. feedkey ignores a larger file, because somebody else may have written the file. */
export const maxOldSignature = 16 * 1024;

/** Returns the packets in a file of detached signatures; undefined for any other file. */
export function signaturePackets(file: Uint8Array): Uint8Array | undefined {
  if (file.length === 0 || file.length > maxOldSignature || !isOpenPgpFile(file)) return undefined;
  if (!looksArmored(file)) return file;
  const isSignature = Buffer.from(file.subarray(0, 40)).includes("SIGNATURE");
  return isSignature ? Buffer.concat(dearmor(file, "SIGNATURE")) : undefined;
}

/**
 * Returns a file with both signatures. The old signature comes first, because the old index is still in place, and stock clients stop at
 * the first signature that they can check.
 * @returns undefined if any of the files is not a file of detached signatures
 */
export function bothSignatures(old: Uint8Array, fresh: Uint8Array): Uint8Array | undefined {
  const [before, after] = [signaturePackets(old), signaturePackets(fresh)];
  if (before === undefined || after === undefined) return undefined;
  const packets = Buffer.concat([before, after]);
  return looksArmored(fresh) ? Buffer.from(armor(packets, "SIGNATURE")) : packets;
}
