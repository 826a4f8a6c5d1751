/**
 * Decides whether an existing signature file is an OpenPGP file, which feedkey may replace, or another program's file, which
 * feedkey must not touch.
 */
import { unlessRefused } from "../../error.ts";
import { readSignatureFile } from "./detached.ts";
import { foreignSignature } from "./foreign-signature.ts";

/**
 * Whether a file contains only complete OpenPGP signatures. feedkey removes a file or adds signatures to a file only if this
 * function returns true.
 */
export function isOpenPgpFile(bytes: Uint8Array): boolean {
  return unlessRefused(() => readSignatureFile(bytes, "").some((signature) => "raw" in signature)) ?? false;
}

/**
 * Whether a file begins like OpenPGP signatures: with any armor, or with a signature packet of a known version. The rest of the
 * file may be damaged or missing.
 */
function beginsLikeOpenPgp(bytes: Uint8Array): boolean {
  const start = Buffer.from(bytes.subarray(0, 256)).toString("latin1");
  if (/^(\xef\xbb\xbf)?\s*-----BEGIN PGP /.test(start)) return true;
  const [first = 0, length = 0] = bytes;
  const headers: Readonly<Record<number, number>> = {
    136: 2,
    137: 3,
    138: 5,
    194: length < 192 ? 2 : length < 224 ? 3 : 6,
  };
  const header = headers[first];
  if (header === undefined) return false;
  const version = bytes[header];
  return version === undefined || (version >= 3 && version <= 6);
}

/** Returns a description of another program's file, which completes "FILE is"; undefined if feedkey may replace the file. */
export function foreignFile(bytes: Uint8Array): string | undefined {
  if (bytes.length === 0) return undefined;
  const whose = foreignSignature(bytes);
  if (whose !== undefined) return `a signature of ${whose}`;
  return beginsLikeOpenPgp(bytes) || isOpenPgpFile(bytes) ? undefined : "not an OpenPGP signature";
}
