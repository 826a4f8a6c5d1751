/** The parts of the output that several client commands share. */

import type { VerifiedIndex } from "../../client/verified-index.ts";
import type { Fingerprint } from "../../index.ts";
import { iso } from "../../time.ts";

/** Returns the good signatures of an index, for `--json`. */
export function signaturesJson(index: VerifiedIndex) {
  return index.signers.map(({ certificate, signingKey, createdAt }) => {
    return { createdAt: iso(createdAt), certificate, signingKey };
  });
}

/** Returns a text such as `signed 2026-11-23T12:00:00Z by FINGERPRINT`. */
export function signedBy(index: VerifiedIndex): string {
  const names = [...new Set(index.signers.map(({ certificate }) => certificate))].join(", ");
  return `signed ${iso(index.createdAt)} by ${names}`;
}

/**
 * Maximum number of keys in a path in the output. With complete paths, the output would grow with the square of the chain's length.
 */
const longestPath = 32;

/** Returns the last keys in a path, for `--json`. @param via the path from the seed to a key, without this key */
export function shownPath(via: readonly Fingerprint[]): readonly Fingerprint[] {
  return via.slice(-longestPath);
}
