/**
 * Reads the checksums in rpm-md. A checksum has a type and hex digits. dnf and zypper also accept MD5 and SHA-1, but feedkey
 * does not count MD5 and SHA-1 as proof.
 */
import type { Element } from "./elements.ts";

/** The number of hex digits for each checksum type that createrepo_c supports. */
const digits: Readonly<Record<string, number>> = {
  md5: 32,
  sha: 40,
  sha1: 40,
  sha224: 56,
  sha256: 64,
  sha384: 96,
  sha512: 128,
};

export interface Checksum {
  readonly type: string;
  /** The hex digits, in lower case. */
  readonly hex: string;
}

/** Reads a checksum element. @throws FeedkeyError `bad_index` if the type is unknown, or the digits do not fit the type */
export function readChecksum({ attributes, text, error }: Element): Checksum {
  const { type = "" } = attributes;
  const length = Object.hasOwn(digits, type) ? digits[type] : undefined;
  if (length === undefined) throw error("has a checksum of an unknown type");
  if (!/^[0-9a-f]+$/.test(text) || text.length !== length) {
    throw error(`has a checksum that is not ${length} hex digits in lower case`);
  }
  return { type, hex: text };
}
