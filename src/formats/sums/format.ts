/** Checksum files of releases: SHA256SUMS with a signature in a separate file or in the same file. */

import { bytesOf } from "../../content.ts";
import { escapeText } from "../../escape.ts";
import { isFramed, unframe } from "../cleartext.ts";
import type { Format } from "../format.ts";
import { badText } from "../line-cursor.ts";
import { signatureEnding, signatureFiles } from "../signature-files.ts";
import { readSums } from "./sums-text.ts";

/** Matches the names of root files that contain their own signature. */
const holdsSignature = /\.(asc|gpg|sign)$/;

function signaturesOf(root: string): readonly string[] {
  return holdsSignature.test(root) ? [] : [...signatureFiles(root), `${root}.gpg`, `${root}.sign`];
}

/**
 * Refuses carriage returns, because `unframe` would remove them. `sha256sum -c` treats them as part of the file name or not,
 * depending on its build.
 */
function refuseCarriageReturns(file: Uint8Array, name: string): void {
  const place = file.indexOf(0x0d);
  if (place === -1) return;
  const line = file.subarray(0, place).filter((byte) => byte === 0x0a).length + 1;
  throw badText({ name: escapeText(name), code: "bad_signature_data" }, line, "contains a carriage return");
}

export const sums: Format = {
  index: "SHA256SUMS",
  forms: [],
  published: "SHA256SUMS",
  roots: ({ index }) => (index === undefined ? ["SHA256SUMS", "SHA256SUMS.asc"] : [index]),
  signaturesOf,
  unframe(file, name) {
    if (isFramed(file)) refuseCarriageReturns(file, name);
    return isFramed(file) || signaturesOf(name).length === 0 ? unframe(file, name) : undefined;
  },
  signs: "text",
  signing: {
    isRoot: (name) => /^(sha256sums?|shasums256)(\.txt)?$/i.test(name),
    // feedkey writes only one signature, because gpgv fails if any signer's key is missing in its keyring.
    several: "one",
    files: (name, framed) => [
      { name: name + signatureEnding.binary, holds: "binary" },
      { name: name + signatureEnding.armored, holds: framed ? "framed" : "armored" },
    ],
  },
  packageName: /./,
  needs: "the new certificate in the keyring of gpgv, gpg or sqv",
  lacksSizes: true,
  compareVersions: () => 0,
  read: (text) => readSums(bytesOf(text)),
};
