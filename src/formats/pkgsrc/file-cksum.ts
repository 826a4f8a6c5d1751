/** Reads and writes `FILE_CKSUM` of pkg_summary(5): the name of a digest algorithm and hex digits. */

/** The number of hex digits for each digest that digest(1) supports. */
const lengths: Readonly<Record<string, number>> = {
  md5: 32,
  sha1: 40,
  rmd160: 40,
  tiger: 48,
  sha224: 56,
  sha256: 64,
  sha384: 96,
  sha512: 128,
  blake2s: 64,
};

export interface FileCksum {
  /** The algorithm's name, in lower case. */
  readonly algorithm: string;
  /** The hex digits, in lower case. */
  readonly hex: string;
}

const shape = /^[ \t]*([A-Za-z][A-Za-z0-9-]*)(?:[ \t]+|:[ \t]*)([0-9A-Fa-f]+)[ \t]*$/;

/**
 * Reads `sha256 HEX` and `sha256:HEX`, with the digest's name in upper or lower case.
 * @returns the checksum, or a text about the problem
 */
export function parseFileCksum(text: string): FileCksum | string {
  const [, name = "", digits = ""] = shape.exec(text) ?? [];
  if (name === "") return "is not the name of a hash algorithm, a space and hex digits";
  const algorithm = name.toLowerCase().replace(/^sha-/, "sha");
  const length = lengths[algorithm];
  if (length !== undefined && digits.length !== length) {
    return `has ${digits.length} characters instead of the ${length} hex digits of ${algorithm}`;
  }
  return { algorithm, hex: digits.toLowerCase() };
}

/** Returns the text for a `FILE_CKSUM`, in the only spelling that feedkey writes. @param sha256 64 lower-case hex digits */
export function formatFileCksum(sha256: string): string {
  return `sha256 ${sha256}`;
}
