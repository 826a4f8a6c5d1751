/** Reads published signature files, so that the old signatures can stay beside the new ones until the new index is in place. */
import { isOpenPgpFile } from "../openpgp/check/foreign-file.ts";
import { dearmor, looksArmored } from "../openpgp/packet/armor.ts";

/** The size limit in bytes. A larger file is ignored, because somebody else may have written it. */
export const maxOldSignature = 16 * 1024;

/** Returns the packets in a file of detached signatures; undefined if the file is something else. */
export function signaturePackets(file: Uint8Array): Uint8Array | undefined {
  if (file.length === 0 || file.length > maxOldSignature || !isOpenPgpFile(file)) return undefined;
  if (!looksArmored(file)) return file;
  const isSignature = Buffer.from(file.subarray(0, 40)).includes("SIGNATURE");
  return isSignature ? Buffer.concat(dearmor(file, "SIGNATURE")) : undefined;
}
